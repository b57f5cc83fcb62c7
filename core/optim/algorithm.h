#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/recipe/optimizer.h"
#include "core/kernels/element.h"

namespace automodel::optim {

/// One call of an algorithm: `numel` elements that lie side by side, updated in place. All buffers have as
/// many and lie on one device.
struct Update {
  kernels::Element type = kernels::Element::kFloat32;  ///< of weights and states
  /// float32; bfloat16 only where Algorithm::rounds_gradients says true.
  kernels::Element grad_type = kernels::Element::kFloat32;
  void* weights = nullptr;
  const void* grads = nullptr;
  std::vector<void*> states;  ///< in the order of Algorithm::states
  int64_t numel = 0;
  std::string_view parameter;  ///< its name where Algorithm::by_parameter says true, else empty
  double lr = 0;
  double weight_decay = 0;
  int64_t step = 1;             ///< number of the update, from 1
  uint64_t seed = 0;            ///< of random draws
  float grad_scale = 1;         ///< on the CPU: the clip factor, finite
  const float* clip = nullptr;  ///< on a device: the clip factor, there; not finite: nothing may change

  bool on_device() const { return clip != nullptr; }

  template <class T>
  T* weights_at(int64_t begin) const {
    return static_cast<T*>(weights) + begin;
  }

  template <class T>
  const T* grads_at(int64_t begin) const {
    return static_cast<const T*>(grads) + begin;
  }

  /// Null where the algorithm has no such state.
  template <class T>
  T* state_at(size_t index, int64_t begin) const {
    return index < states.size() ? static_cast<T*>(states[index]) + begin : nullptr;
  }
};

/// What the optimizer, the model's set-up and checkpoints know of an algorithm. Each has a source of its own
/// (core/optim/adamw.cpp) and a row in core/optim/algorithm.cpp.
struct Algorithm {
  config::OptimizerConfig::Kind kind;

  /// Names of its states, which begin as zeros and have the type of the weights; checkpoints store states by
  /// these names.
  std::vector<std::string> (*states)(const config::OptimizerConfig&);

  /// Whether float32 gradients of bfloat16 weights are rounded to bfloat16 before anything else is done with
  /// them. If so, gradients in bfloat16 are accepted beside such weights, and give the same bits.
  bool (*rounds_gradients)(const config::OptimizerConfig&);

  /// Whether each parameter needs a call of its own. Else a call takes all neighbours with equal settings.
  bool (*by_parameter)(const config::OptimizerConfig&);

  /// Updates weights and states. On a device work is queued on the current stream, and the host does not
  /// wait.
  void (*step)(const config::OptimizerConfig&, const Update&);
};

/// The row of a kind.
const Algorithm& algorithm_of(config::OptimizerConfig::Kind kind);

/// Elements that one thread of the CPU takes at a time.
constexpr int64_t kElementsPerThread = 1 << 14;

}  // namespace automodel::optim
