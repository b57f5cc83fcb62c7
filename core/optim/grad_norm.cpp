#include "core/optim/grad_norm.h"

#include <algorithm>
#include <cmath>

#include <ATen/Parallel.h>

#include "core/kernels/sum_squares.h"

namespace automodel::optim {

double grad_norm(const std::vector<tensor::Unit*>& units) {
  double total = 0;
  for (const tensor::Unit* unit : units) {
    if (!unit->trainable()) continue;
    const float* grad = unit->grads().const_data_ptr<float>();
    const int64_t numel = unit->grads().numel();
    constexpr int64_t kChunk = kernels::kSumSquaresChunk;
    std::vector<double> parts(static_cast<size_t>((numel + kChunk - 1) / kChunk));
    at::parallel_for(0, static_cast<int64_t>(parts.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        parts[static_cast<size_t>(i)] =
            kernels::sum_squares(grad + i * kChunk, std::min(kChunk, numel - i * kChunk));
      }
    });
    for (const double part : parts) total += part;
  }
  return std::sqrt(total);
}

float clip_factor(double norm, std::optional<double> max_norm) {
  if (!max_norm) return 1;
  return static_cast<float>(std::min(1.0, *max_norm / (norm + 1e-6)));
}

}  // namespace automodel::optim
