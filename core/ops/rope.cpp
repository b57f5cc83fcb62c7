#include "core/ops/rope.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "core/kernels/rope.h"
#include "core/ops/dispatch.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

at::Tensor rotate(const at::Tensor& x_BTNH, const at::Tensor& cos, const at::Tensor& sin, float sign) {
  const int64_t rows = x_BTNH.size(0) * x_BTNH.size(1);
  const kernels::RopeShape shape{x_BTNH.size(1), x_BTNH.size(2), x_BTNH.size(3), cos.size(1) * 2};
  const bool rows_evenly_spaced = x_BTNH.stride(0) == x_BTNH.stride(1) * x_BTNH.size(1) &&
                                  x_BTNH.stride(2) == x_BTNH.size(3) && x_BTNH.stride(3) == 1;
  const at::Tensor x = rows_evenly_spaced ? x_BTNH : x_BTNH.contiguous();
  at::Tensor y = at::empty(x.sizes(), x.options());
  constexpr int64_t kRowsAThread = 16;
  with_element_type(x, "rope", [&]<class T>(T) {
    at::parallel_for(0, rows, kRowsAThread, [&](int64_t begin, int64_t end) {
      kernels::rope(data<T>(x),
                    x.stride(1),
                    mutable_data<T>(y),
                    data<float>(cos),
                    data<float>(sin),
                    sign,
                    shape,
                    begin,
                    end);
    });
  });
  return y;
}

class RopeFunction : public torch::autograd::Function<RopeFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& cos,
                            const at::Tensor& sin) {
    ctx->save_for_backward({cos, sin});
    return rotate(x, cos, sin, 1);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    return {rotate(grads[0], saved[0], saved[1], -1), {}, {}};
  }
};

}  // namespace

at::Tensor rope(const at::Tensor& x_BTNH, const at::Tensor& cos, const at::Tensor& sin) {
  return RopeFunction::apply(x_BTNH, cos, sin);
}

}  // namespace automodel::ops
