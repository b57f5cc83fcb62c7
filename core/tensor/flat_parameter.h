#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor/flat_layout.h"
#include "core/tensor/flat_storage.h"

namespace automodel::tensor {

/// Consecutive elements of one parameter that lie in this rank's main weights.
struct Slice {
  size_t index;             ///< of the parameter in its flat parameter
  int64_t begin;            ///< first element in the parameter, row-major
  at::Tensor main_weights;  ///< [elements], a view
  at::Tensor main_grads;    ///< the same elements; undefined where there are none
};

/// Parameters of like type and trainability that are gathered, reduced and updated together (FSDP's unit): a
/// layout and its memory. Gradients have the same offsets as weights. Owned by the model; used by one thread
/// at a time.
class FlatParameter {
 public:
  using Options = FlatOptions;

  /// Names and shapes in order, all of them in this rank's memory.
  FlatParameter(std::string name, std::vector<Parameter> parameters, const Options& options);

  /// `storage` is for as many elements as the layout of `parameters` has.
  FlatParameter(std::string name,
                std::vector<Parameter> parameters,
                const Options& options,
                std::unique_ptr<FlatStorage> storage);

  FlatParameter(const FlatParameter&) = delete;
  FlatParameter& operator=(const FlatParameter&) = delete;

  const std::string& name() const { return name_; }

  const FlatLayout& layout() const { return layout_; }

  const std::vector<Parameter>& parameters() const { return layout_.parameters(); }

  const Options& options() const { return options_; }

  bool trainable() const { return options_.trainable; }

  /// What the optimizer updates, and its gradients: [elements held here], gaps included and zero.
  const at::Tensor& main_weights() const { return storage_->main_weights(); }

  const at::Tensor& main_grads() const { return storage_->main_grads(); }

  /// Visits what main_weights() holds of each parameter, in order: the way to single values of main weights
  /// and gradients, whoever holds how much.
  void for_each_slice(const std::function<void(const Slice&)>& visit) const;

  /// A view of a parameter in the main weights. Throws Error(kInternal) where only a part is held here.
  at::Tensor main_weight(size_t index) const;

  /// Lets `write` change a parameter's main weight, given in its local shape, and keeps what belongs here: a
  /// view where all of it does.
  void write_main_weight(size_t index, const std::function<void(at::Tensor)>& write);

  /// Where ops add gradients: all of them, in the local shape.
  const at::Tensor& grads() const { return storage_->grads(); }

  at::Tensor grad(size_t index) const { return layout_.view(grads(), index); }

  at::Tensor joined_grad(size_t first, size_t count) const { return layout_.joined(grads(), first, count); }

  /// What ops read. Throws Error(kInternal) when the weights are not gathered.
  at::Tensor weight(size_t index) const;
  at::Tensor joined_weight(size_t first, size_t count) const;

  /// See FlatLayout.
  bool contiguous(size_t first, size_t count) const { return layout_.contiguous(first, count); }

  void prefetch() { storage_->prefetch(); }

  void gather() { storage_->gather(); }

  void release() { storage_->release(); }

  bool gathered() const { return storage_->compute_weights().defined(); }

  /// Says that main weights have changed: compute weights are made anew at the next gather().
  void main_changed() { storage_->main_changed(); }

  /// Keeps gradients in another type than the options say; before the first begin_step().
  void set_grad_dtype(at::ScalarType dtype);

  /// Starts a step: every gradient counts as absent until it is written.
  void begin_step();

  /// Whether a gradient was written in this step (the first write of a step overwrites, later ones add).
  bool grad_written(size_t index) const { return grad_written_[index]; }

  void mark_grad_written(size_t first, size_t count);

  /// Zeroes gradients that no op wrote and sums over ranks: main_grads() is then valid as a whole.
  void reduce_grads();

  /// A leaf, input of ops that must stay in the graph for their weights' sake: it requires a gradient unless
  /// the parameters are frozen.
  const at::Tensor& anchor() const { return anchor_; }

 private:
  std::string name_;
  FlatLayout layout_;
  Options options_;
  std::unique_ptr<FlatStorage> storage_;
  at::Tensor anchor_;
  std::vector<bool> grad_written_;
};

/// A handle to one parameter, or to several that one GEMM uses (q, k, v; gate, up). Ops keep handles, never
/// tensors: the memory may be released and gathered again between forward and backward.
struct Weight {
  FlatParameter* unit = nullptr;
  size_t first = 0;
  size_t count = 1;

  explicit operator bool() const { return unit != nullptr; }

  /// The handles whose values are one matrix each: this one when contiguous, else one a parameter.
  std::vector<Weight> pieces() const;

  at::Tensor value() const { return count == 1 ? unit->weight(first) : unit->joined_weight(first, count); }
};

}  // namespace automodel::tensor
