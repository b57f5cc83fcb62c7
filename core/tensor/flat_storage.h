#pragma once

#include <cstdint>
#include <memory>

#include "core/tensor/torch.h"

namespace automodel::tensor {

/// Built by a preset of type Debug.
#ifdef AUTOMODEL_DEBUG_BUILD
constexpr bool kDebugBuild = true;
#else
constexpr bool kDebugBuild = false;
#endif

/// Whether the weights that ops read stay in memory between uses.
enum class Placement { kResident, kTransient };

struct FlatOptions {
  at::ScalarType main_dtype = at::kFloat;
  at::ScalarType compute_dtype = at::kFloat;
  at::ScalarType grad_dtype = at::kFloat;
  at::Device device = at::kCPU;
  bool trainable = true;
  Placement placement = Placement::kResident;
  /// Fill released weights with NaN, so that a stale view cannot pass unnoticed.
  bool poison_released = kDebugBuild;
};

/// The memory of a flat parameter of `size` elements, all of it or one rank's share. The *main* weights are
/// the values that the optimizer updates and checkpoints store. The *compute* weights are what ops read;
/// they exist between gather() and release(). Ops add gradients into grads(). Owned by its FlatParameter; one
/// thread at a time.
class FlatStorage {
 public:
  virtual ~FlatStorage() = default;

  /// [elements held here], and the first of them in the flat parameter.
  virtual const at::Tensor& main_weights() const = 0;
  virtual int64_t main_begin() const = 0;

  /// [size] in the compute type; undefined between release() and gather().
  virtual const at::Tensor& compute_weights() const = 0;

  /// Begins what gather() waits for. Allowed at any time, also twice.
  virtual void prefetch() {}

  virtual void gather() = 0;
  virtual void release() = 0;

  /// main_weights() has changed: the next gather() makes compute weights anew.
  virtual void main_changed() = 0;

  /// [size]; undefined before the first begin_step() and of frozen parameters.
  virtual const at::Tensor& grads() const = 0;
  virtual void begin_step() = 0;

  /// grads() is complete here: sums it over the ranks that share the parameter.
  virtual void reduce() {}

  /// [elements held here]: after reduce(), the gradients of main_weights().
  virtual const at::Tensor& main_grads() const = 0;

  virtual void set_grad_dtype(at::ScalarType dtype) = 0;
};

/// All of it, on one rank. Resident weights whose compute type is the main type are one buffer. Main weights
/// are allocated zeroed, gradients at the first begin_step().
std::unique_ptr<FlatStorage> make_whole_storage(int64_t size, const FlatOptions& options);

}  // namespace automodel::tensor
