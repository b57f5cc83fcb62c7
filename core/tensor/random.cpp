#include "core/tensor/random.h"

#include <vector>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

namespace automodel::tensor {
namespace {

/// ATen turns uniform numbers into normal ones 16 at a time, one draw of the generator an element.
constexpr int64_t kBlock = 16;
constexpr int64_t kChunk = kBlock << 16;

void fill_on_host(const at::Tensor& flat, double std, at::Generator& generator) {
  const int64_t whole_chunks = flat.numel() / kChunk;
  // The remainder, and with it ATen's treatment of an end that is no whole block, goes through ATen as it is.
  const int64_t last = std::max<int64_t>(whole_chunks - 1, 0);
  auto* source = at::check_generator<at::CPUGeneratorImpl>(generator);
  std::vector<at::mt19937> engines;
  at::mt19937 engine = source->engine();
  for (int64_t chunk = 0; chunk < last; ++chunk) {
    engines.push_back(engine);
    for (int64_t i = 0; i < kChunk; ++i) engine();
  }
  at::parallel_for(0, last, 1, [&](int64_t begin, int64_t end) {
    at::Generator mine = at::make_generator<at::CPUGeneratorImpl>();
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      at::check_generator<at::CPUGeneratorImpl>(mine)->set_engine(engines[static_cast<size_t>(chunk)]);
      flat.narrow(0, chunk * kChunk, kChunk).normal_(0, std, mine);
    }
  });
  source->set_engine(engine);
  flat.narrow(0, last * kChunk, flat.numel() - last * kChunk).normal_(0, std, generator);
}

}  // namespace

void fill_normal(const at::Tensor& value, double std, at::Generator& generator) {
  if (value.is_cpu()) return fill_on_host(value.view({-1}), std, generator);
  const at::Tensor on_host = at::empty(value.sizes(), value.options().device(at::kCPU));
  fill_on_host(on_host.view({-1}), std, generator);
  value.copy_(on_host);
}

}  // namespace automodel::tensor
