#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/nn/segment.h"
#include "core/ops/cuda/cuda_graph.h"

namespace automodel::engine {

/// When micro-batches are captured as CUDA graphs.
enum class Graphs {
  kOff,
  kAuto,  ///< where the device waits for the host
  kOn,    ///< wherever it can be done
};

/// The captured work of a micro-batch: all segments but the last, forward and backward. The last runs between
/// the two as ever: its shapes follow from the labels.
struct MicroBatchGraph {
  nn::MicroBatch inputs;  ///< what the captured work reads: copies at fixed places
  ops::CudaGraph forward;
  nn::State boundary;                       ///< what `forward` gives to the last segment
  nn::State results;                        ///< what it gives that no segment reads
  std::map<std::string, at::Tensor> grads;  ///< of the boundary: what `backward` reads
  ops::CudaGraph backward;                  ///< empty when no gradient comes back
  std::vector<bool> written_by_head;        ///< which gradients exist when `backward` begins
  std::vector<bool> written_after;          ///< and when it has run
};

/// A copy of a micro-batch that captured work can read: its tensors on the device are its own.
nn::MicroBatch fixed_copy(const nn::MicroBatch& batch);

/// Overwrites the tensors of such a copy with those of another micro-batch of its kind.
void refill(const nn::MicroBatch& fixed, const nn::MicroBatch& batch);

/// Which micro-batches of a walk are captured, and their graphs. A graph fits one shape and one state of the
/// gradients: the first micro-batch of a step overwrites them, later ones add. One thread.
class CudaGraphCache {
 public:
  struct Key {
    std::vector<int64_t> shape;  ///< rows, length
    std::vector<bool> holds;     ///< which tensors the micro-batch has beside token ids
    bool labelled = false;       ///< without a label the head writes no gradient
    std::vector<bool> written;   ///< by parameter of the units in order, whether its gradient exists already

    auto operator<=>(const Key&) const = default;
  };

  static Key key_of(const nn::MicroBatch& batch, std::vector<bool> written);

  CudaGraphCache(Graphs mode, at::Device device) : mode_(mode), pool_(device) {}

  size_t size() const { return captured_.size(); }

  const ops::CudaGraphPool& pool() const { return pool_; }

  /// The captured micro-batch; null when there is none.
  MicroBatchGraph* find(const Key& key);

  /// Whether a micro-batch should be captured now. One that is not yet should run and be told to saw().
  bool wants(const Key& key);

  /// Records an eager run of a micro-batch: whether it was bound by kernel launches (the device was done
  /// before the host had queued everything) and the bytes saved for its backward.
  void saw(const Key& key, bool device_waited, int64_t kept_bytes);

  void add(const Key& key, MicroBatchGraph graph);

  /// Micro-batches of this kind run as they are from now on.
  void refuse(const Key& key, const std::string& reason);

  /// Refuses the kind after a capture that failed, and gives back the memory of the attempt.
  void failed(const Key& key, const std::string& reason);

  /// Whether the captured work can be given all that this micro-batch holds. Says once why not.
  bool can_hold(const nn::MicroBatch& batch);

 private:
  struct Seen {
    int64_t times = 0;
    bool device_waited = false;
    int64_t kept_bytes = 0;
    bool refused = false;
  };

  void say_once(const std::string& line);

  Graphs mode_;
  ops::CudaGraphPool pool_;
  std::map<Key, Seen> seen_;
  std::map<Key, MicroBatchGraph> captured_;
  std::vector<std::string> said_;
};

}  // namespace automodel::engine
