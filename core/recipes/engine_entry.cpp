#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <type_traits>
#include <typeinfo>

#include "core/tensor/torch.h"
#include <c10/util/Exception.h>

#include "core/recipes/entry.h"
#include "core/tensor/host_memory.h"

namespace automodel::recipes {
namespace {

/// Runs a command; LibTorch's and the allocator's exceptions leave as Error. The only place that translates
/// them.
template <class Command>
void translating_errors(Command command) {
  tensor::keep_host_memory();
  try {
    command();
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ErrorCode::kOutOfMemory, error.what_without_backtrace());
  } catch (const c10::AcceleratorError& error) {
    throw Error(ErrorCode::kDevice, error.what_without_backtrace());
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    const bool memory = text.find("not enough memory") != std::string::npos;
    throw Error(memory ? ErrorCode::kOutOfMemory : ErrorCode::kInternal, text);
  } catch (const std::bad_alloc&) {
    throw Error(
        ErrorCode::kOutOfMemory,
        "out of memory; use a smaller step_scheduler.local_batch_size or dataset.seq_length, or distributed.activation_checkpointing: true");
  }
}

/// A function and the type of the request that it takes.
struct Row {
  const std::type_info* request;
  void (*call)(void* request);
};

template <class Request>
Request& request_of(void (*)(Request&));

template <auto function>
Row row() {
  using Request = std::remove_reference_t<decltype(request_of(function))>;
  return {&typeid(Request), [](void* request) { function(*static_cast<Request*>(request)); }};
}

const std::array kRows = {row<run_recipe>(),
                          row<forward>(),
                          row<generate>(),
                          row<checkpoint::merge_adapter>(),
                          row<checkpoint::convert_model>()};

void call(const std::type_info& type, void* request) {
  const auto found = std::ranges::find_if(kRows, [&](const Row& row) { return *row.request == type; });
  ensure(found != kRows.end(), "the engine takes no request ", type.name());
  translating_errors([&] { found->call(request); });
}

const Engine kEngine = {call};

}  // namespace
}  // namespace automodel::recipes

extern "C" const automodel::recipes::Engine* automodel_engine() {
  return &automodel::recipes::kEngine;
}
