#include <exception>
#include <new>

#include "core/tensor/torch.h"
#include <c10/util/Exception.h>

#include "core/recipes/entry.h"
#include "core/recipes/finetune.h"
#include "core/recipes/forward.h"
#include "core/recipes/generate.h"
#include "core/tensor/host_memory.h"

namespace automodel::recipes {
namespace {

/// Runs a command; LibTorch's and the allocator's exceptions leave as Error. The only place that translates
/// them.
template <class Command>
auto translating_errors(Command command) {
  tensor::keep_host_memory();
  try {
    return command();
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ErrorCode::kOutOfMemory, error.what_without_backtrace());
  } catch (const c10::AcceleratorError& error) {
    throw Error(ErrorCode::kDevice, error.what_without_backtrace());
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    const bool memory = text.find("not enough memory") != std::string::npos;
    throw Error(memory ? ErrorCode::kOutOfMemory : ErrorCode::kInternal, text);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kOutOfMemory,
                "out of memory; use a smaller step_scheduler.local_batch_size or dataset.seq_length, or "
                "distributed.activation_checkpointing: true");
  }
}

const Engine kEngine = {
    [](const config::Recipe& recipe, store::RunRecorder& run) {
      return translating_errors([&] { return finetune(recipe, run); });
    },
    [](const std::vector<ForwardCase>& cases) { translating_errors([&] { forward(cases); }); },
    [](const GenerateRequest& request, const GenerateEvents& events) {
      translating_errors([&] { generate(request, events); });
    },
    [](const checkpoint::MergeRequest& request) {
      translating_errors([&] { checkpoint::merge_adapter(request); });
    },
    [](const checkpoint::ConvertRequest& request) {
      translating_errors([&] { checkpoint::convert_model(request); });
    },
};

}  // namespace
}  // namespace automodel::recipes

extern "C" const automodel::recipes::Engine* automodel_engine() {
  return &automodel::recipes::kEngine;
}
