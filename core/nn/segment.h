#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/nn/mixer.h"
#include "core/ops/linear.h"
#include "core/tensor/flat_parameter.h"

namespace automodel::nn {

/// A value that passes from segment to segment. Known without running: the memory plan and pipeline receivers
/// read it.
struct StateField {
  std::string name;
  std::vector<int64_t> shape;
  at::ScalarType dtype;
  bool needs_grad = false;  ///< a gradient comes back where something at or before its writer is trained
};

/// The fields at one boundary, by name.
class State {
 public:
  bool has(const std::string& name) const;

  /// Throws Error(kInternal) when absent.
  const at::Tensor& at(const std::string& name) const;

  /// Adds or replaces.
  void set(const std::string& name, at::Tensor value);

  /// No-op when absent.
  void drop(const std::string& name);

  const std::vector<std::pair<std::string, at::Tensor>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, at::Tensor>> fields_;
};

/// A micro-batch on the device, with what the loss needs.
struct MicroBatch {
  at::Tensor input_ids_BT;    ///< int64
  at::Tensor token_types_BT;  ///< int64; undefined: all of type 0
  /// On the CPU. int64, already shifted; of rows int64 [B, 1] (a class) or float32 [B, labels]; undefined: no
  /// loss.
  at::Tensor labels_BT;
  Tokens tokens;
  double loss_scale = 1.0;  ///< 1 / number of label tokens in the whole step
  int64_t ignore_index = -100;
  int64_t loss_chunk_rows = 0;
  bool want_logits = false;        ///< also write "logits" [B, T, V], without a graph
  bool last_logits_only = false;   ///< of the last position only: "logits" [B, 1, V]; no labels then
  SequenceCache* cache = nullptr;  ///< generation: the tokens follow those that it keeps and are added to it
  at::Tensor dropout_keys;  ///< [B T] int64 (core/ops/dropout.h), used in training; undefined: no dropout

  /// Visits every tensor that segments read on their device, undefined ones too, in a fixed order: all but
  /// labels, which stay on the CPU.
  void for_each_tensor(const std::function<void(at::Tensor&)>& visit) {
    for (at::Tensor* tensor : {&input_ids_BT,
                               &token_types_BT,
                               &dropout_keys,
                               &tokens.documents_BT,
                               &tokens.prefix_B,
                               &tokens.positions_BT,
                               &tokens.lengths_B})
      visit(*tensor);
  }
};

/// What decides which fields a segment writes, and their shapes.
struct BatchShape {
  int64_t rows = 1, length = 1;
  bool labelled = true;
  bool want_logits = true;
  bool last_logits_only = false;

  static BatchShape of(const MicroBatch& batch) {
    return {.rows = batch.input_ids_BT.size(0),
            .length = batch.input_ids_BT.size(1),
            .labelled = batch.labels_BT.defined(),
            .want_logits = batch.want_logits,
            .last_logits_only = batch.last_logits_only};
  }
};

/// One step of a model: embedding, a block, the head. Immutable after construction but for the weights it
/// points to.
class Segment {
 public:
  virtual ~Segment() = default;

  /// "embed", "layers.3", "head".
  virtual const std::string& name() const = 0;

  /// Units whose weights forward and backward read.
  virtual std::vector<tensor::FlatParameter*> units() const = 0;

  /// Names of the fields that forward takes from the state before it.
  virtual std::vector<std::string> reads() const = 0;

  /// The fields that forward gives.
  virtual std::vector<StateField> writes(const BatchShape& shape) const = 0;

  /// Whether its activations may be dropped and its forward run again at backward.
  virtual bool recomputable() const = 0;

  /// Runs the mathematics. `in` holds exactly reads(), the result exactly writes() of the batch's shape.
  virtual State forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const = 0;
};

/// Names of the fields every decoder uses.
inline constexpr const char* kHidden = "hidden";        ///< [B, T, D]
inline constexpr const char* kLoss = "loss";            ///< scalar f32, already scaled
inline constexpr const char* kLogits = "logits";        ///< [B, T, V]; of labels [B, C]
inline constexpr const char* kEmbedding = "embedding";  ///< [B, D]
inline constexpr const char* kAuxLoss =
    "aux_loss";  ///< scalar f32: the routers' load-balancing loss, not scaled

/// [E] f32: tokens that the experts of a block got; nobody reads it, so it is a result.
inline std::string tokens_per_expert_field(const std::string& block) {
  return "expert_load." + block;
}

/// The fields between segments `at` - 1 and `at`: those written before that `at` or a later one reads.
/// needs_grad where a segment before `at` is trained.
std::vector<StateField> boundary(const std::vector<const Segment*>& segments,
                                 size_t at,
                                 const BatchShape& shape);

}  // namespace automodel::nn
