#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/torch.h"

namespace automodel::tensor {

/// Every tensor of a flat buffer starts at a multiple of this many elements.
constexpr int64_t kAlignment = 256;

/// A parameter's place in its unit.
struct Parameter {
  std::string name;  ///< Hugging Face's
  std::vector<int64_t> shape;
  int64_t offset = 0;  ///< in elements, a multiple of kAlignment
  int64_t numel = 0;
};

/// Built by a preset of type Debug.
#ifdef AUTOMODEL_DEBUG_BUILD
constexpr bool kDebugBuild = true;
#else
constexpr bool kDebugBuild = false;
#endif

/// Whether the weights that ops read stay in memory between uses.
enum class Placement { kResident, kTransient };

/// Parameters of like type and trainability in one flat buffer; gradients have the same offsets.
///
/// Two copies may exist. The *home* holds the values that the optimizer updates and checkpoints store. The
/// *gathered* weights are what ops read, in the compute type; they exist between gather() and release(). A
/// resident unit whose compute type is its home's type has one buffer for both. Owned by the model; used by
/// one thread at a time.
class Unit {
 public:
  struct Options {
    at::ScalarType home_dtype = at::kFloat;
    at::ScalarType compute_dtype = at::kFloat;
    at::ScalarType grad_dtype = at::kFloat;
    at::Device device = at::kCPU;
    bool trainable = true;
    Placement placement = Placement::kResident;
    /// Fill released weights with NaN, so that a stale view cannot pass unnoticed.
    bool poison_released = kDebugBuild;
  };

  /// Names and shapes in order; all memory is allocated zeroed, gradients at the first begin_step().
  Unit(std::string name, std::vector<Parameter> parameters, const Options& options);
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  const std::string& name() const { return name_; }

  const std::vector<Parameter>& parameters() const { return parameters_; }

  const Options& options() const { return options_; }

  bool trainable() const { return options_.trainable; }

  /// [numel of the buffer], gaps between tensors included and zero.
  const at::Tensor& home() const { return home_; }

  const at::Tensor& grads() const { return grads_; }

  /// Views shaped as the parameter.
  at::Tensor home(size_t index) const;
  at::Tensor grad(size_t index) const;

  /// What ops read. Throws Error(kInternal) when the unit is not gathered.
  at::Tensor weight(size_t index) const;

  /// `count` parameters from `first` as one matrix [sum of rows, columns], or vectors as one vector; only
  /// where contiguous(first, count).
  at::Tensor joined_weight(size_t first, size_t count) const;
  at::Tensor joined_grad(size_t first, size_t count) const;

  /// Whether these matrices of equal width, or these vectors, lie without gaps.
  bool contiguous(size_t first, size_t count) const;

  void gather();
  void release();

  bool gathered() const { return gathered_.defined(); }

  /// Tells the unit that home() has changed: gathered weights are made anew at the next gather().
  void home_changed() { stale_ = true; }

  /// Keeps gradients in another type than the options say; before the first begin_step().
  void set_grad_dtype(at::ScalarType dtype);

  /// Starts a step: every gradient counts as absent until it is written.
  void begin_step();

  /// Whether a gradient was written in this step (the first write of a step overwrites, later ones add).
  bool grad_written(size_t index) const { return grad_written_[index]; }

  void mark_grad_written(size_t first, size_t count);

  /// Zeroes gradients that no op wrote: after this grads() is valid as a whole.
  void finish_grads();

  /// A leaf, input of ops that must stay in the graph for their weights' sake: it requires a gradient unless
  /// the unit is frozen.
  const at::Tensor& anchor() const { return anchor_; }

 private:
  at::Tensor view(const at::Tensor& flat, size_t index) const;
  at::Tensor joined(const at::Tensor& flat, size_t first, size_t count) const;

  std::string name_;
  std::vector<Parameter> parameters_;
  Options options_;
  int64_t size_ = 0;
  at::Tensor home_, gathered_, grads_, anchor_;
  std::vector<bool> grad_written_;
  bool stale_ = true;
};

/// A handle to one parameter, or to several that one GEMM uses (q, k, v; gate, up). Ops keep handles, never
/// tensors: the memory may be released and gathered again between forward and backward.
struct Weight {
  Unit* unit = nullptr;
  size_t first = 0;
  size_t count = 1;

  explicit operator bool() const { return unit != nullptr; }

  /// The handles whose values are one matrix each: this one when contiguous, else one a parameter.
  std::vector<Weight> pieces() const;

  at::Tensor value() const { return count == 1 ? unit->weight(first) : unit->joined_weight(first, count); }
};

}  // namespace automodel::tensor
