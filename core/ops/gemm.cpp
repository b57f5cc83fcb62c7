#include "core/ops/gemm.h"

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

namespace automodel::ops {
namespace {

constexpr int64_t kFewColumns = 128;  // of a thread: the library's blocks would be cut short
constexpr int64_t kColumnsTogether = 16;

void multiply(const at::Tensor& a, const at::Tensor& b, at::Tensor out, bool accumulate) {
  accumulate ? out.addmm_(a, b) : at::mm_out(out, a, b);
}

/// Columns for each thread; 0 when the operator divides the work itself.
int64_t columns_per_thread(const at::Tensor& a, const at::Tensor& out) {
  const int64_t threads = at::get_num_threads();
  if (!out.is_cpu() || threads == 1 || at::in_parallel_region()) return 0;
  if (a.scalar_type() != at::kFloat && a.scalar_type() != at::kDouble) return 0;
  const int64_t wide = out.size(1);
  if (wide <= out.size(0) || wide < threads * kFewColumns) return 0;
  const int64_t share = (wide + threads - 1) / threads;
  return (share + kColumnsTogether - 1) / kColumnsTogether * kColumnsTogether;
}

}  // namespace

at::Tensor gemm(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor out = at::empty({a.size(0), b.size(1)}, a.options());
  gemm_out(a, b, out);
  return out;
}

void gemm_out(const at::Tensor& a, const at::Tensor& b, at::Tensor& out, bool accumulate) {
  const int64_t share = columns_per_thread(a, out);
  if (share == 0) return multiply(a, b, out, accumulate);
  const int64_t wide = out.size(1);
  at::parallel_for(0, (wide + share - 1) / share, 1, [&](int64_t begin, int64_t end) {
    const c10::NoGradGuard no_grad_here;
    for (int64_t column = begin * share; column < std::min(wide, end * share); column += share) {
      const int64_t count = std::min(share, wide - column);
      multiply(a, b.narrow(1, column, count), out.narrow(1, column, count), accumulate);
    }
  });
}

}  // namespace automodel::ops
