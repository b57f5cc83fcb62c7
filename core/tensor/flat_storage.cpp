#include "core/tensor/flat_storage.h"

#include <limits>

#include <ATen/ops/empty.h>

#include "core/tensor/host_memory.h"

namespace automodel::tensor {
namespace {

class WholeStorage : public FlatStorage {
 public:
  WholeStorage(int64_t size, const FlatOptions& options)
      : options_(options), main_(zeros(size, at::device(options.device).dtype(options.main_dtype))) {}

  const at::Tensor& main_weights() const override { return main_; }

  int64_t main_begin() const override { return 0; }

  const at::Tensor& compute_weights() const override { return compute_; }

  void gather() override {
    if (options_.placement == Placement::kResident && options_.compute_dtype == options_.main_dtype) {
      compute_ = main_;
      return;
    }
    if (compute_.defined() && !stale_) return;
    if (!compute_.defined())
      compute_ = at::empty(main_.sizes(), main_.options().dtype(options_.compute_dtype));
    compute_.copy_(main_);
    stale_ = false;
  }

  void release() override {
    if (options_.placement == Placement::kResident || !compute_.defined()) return;
    if (options_.poison_released) compute_.fill_(std::numeric_limits<float>::quiet_NaN());
    compute_.reset();
  }

  void main_changed() override { stale_ = true; }

  const at::Tensor& grads() const override { return grads_; }

  const at::Tensor& main_grads() const override { return grads_; }

  void begin_step() override {
    if (!grads_.defined()) grads_ = zeros(main_.numel(), main_.options().dtype(options_.grad_dtype));
  }

  void set_grad_dtype(at::ScalarType dtype) override {
    ensure(!grads_.defined(), "gradients are kept in ", options_.grad_dtype, " already");
    options_.grad_dtype = dtype;
  }

 private:
  FlatOptions options_;
  at::Tensor main_, compute_, grads_;
  bool stale_ = true;
};

}  // namespace

std::unique_ptr<FlatStorage> make_whole_storage(int64_t size, const FlatOptions& options) {
  return std::make_unique<WholeStorage>(size, options);
}

}  // namespace automodel::tensor
