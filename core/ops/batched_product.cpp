#include "core/ops/batched_product.h"

#include <ATen/Parallel.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>

#include "core/base/error.h"
#include "core/ops/dispatch.h"
#include "core/tensor/matrix_product.h"

namespace automodel::ops {
namespace {

/// The matrix `i` of x [n, rows, columns].
template <class T>
tensor::Matrix<T> matrix_of(const at::Tensor& x, int64_t i) {
  const T* first = data<T>(x) + i * x.stride(0);
  if (x.stride(2) == 1) return {first, x.stride(1)};
  check(x.stride(1) == 1,
        ErrorCode::kInvalidArgument,
        "a batched product of a tensor with the strides ",
        x.strides(),
        "; expected rows or columns without gaps");
  return {first, x.stride(2), true};
}

template <class T>
void products_on_host(const at::Tensor& a, const at::Tensor& b, const at::Tensor& out, bool accumulate) {
  at::parallel_for(0, out.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      tensor::multiply(out.size(1),
                       out.size(2),
                       a.size(2),
                       matrix_of<T>(a, i),
                       matrix_of<T>(b, i),
                       accumulate ? T(1) : T(0),
                       mutable_data<T>(out) + i * out.stride(0),
                       out.stride(1));
  });
}

}  // namespace

void batched_product_out(const at::Tensor& a, const at::Tensor& b, at::Tensor out, bool accumulate) {
  check(out.scalar_type() == at::kFloat || out.scalar_type() == at::kDouble,
        ErrorCode::kUnsupported,
        "a batched product of type ",
        out.scalar_type(),
        "; float32 and float64 are implemented");
  if (!out.is_cpu()) {
    accumulate ? out.baddbmm_(a, b) : at::bmm_out(out, a, b);
    return;
  }
  out.scalar_type() == at::kDouble ? products_on_host<double>(a, b, out, accumulate)
                                   : products_on_host<float>(a, b, out, accumulate);
}

at::Tensor batched_product(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor out = at::empty({a.size(0), a.size(1), b.size(2)}, a.options());
  batched_product_out(a, b, out);
  return out;
}

}  // namespace automodel::ops
