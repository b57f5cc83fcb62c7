#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/tensor/torch.h"

namespace automodel::ops {

/// Which keys a query sees, within its own document.
struct AttentionSpan {
  bool causal = true;  ///< those up to its own position; false: all

  /// Causal: this many latest positions, itself included (arXiv:2310.06825). Bidirectional: positions at most
  /// half of it away (ModernBERT, arXiv:2412.13663). 0: no limit.
  int64_t sliding_window = 0;
  int64_t chunk = 0;  ///< only keys with equal position / chunk (Llama 4); 0: no limit

  bool operator==(const AttentionSpan&) const = default;
};

/// Queries that are computed together, and the keys that they need.
struct AttentionTile {
  int64_t row = 0, num_rows = 0;
  int64_t query = 0, num_queries = 0;  ///< from the first query on
  int64_t key = 0, num_keys = 0;
  bool causal = false;  ///< query i sees keys up to i; as many keys as queries
  at::Tensor mask;      ///< [B | 1, N | 1, queries, keys], added to the scores; undefined: nothing is hidden
};

struct AttentionPlan {
  std::vector<AttentionTile> tiles;  ///< every query once
};

/// What a plan depends on, beside the rows.
struct AttentionShape {
  int64_t rows = 0, queries = 0, keys = 0;
  at::ScalarType mask_dtype = at::kFloat;
  at::Device device = at::kCPU;

  /// Tiles have at most so many queries; 0: no limit.
  int64_t most_queries = 0;

  /// One mask over rows, queries and keys, made on the device without reading documents on the host; else a
  /// tile a document, a chunk, a stretch of a window.
  bool dense = false;

  bool operator==(const AttentionShape&) const = default;
};

class AttentionPlans;

/// What attention must know of a micro-batch's rows.
struct AttentionRows {
  at::Tensor
      documents_BT{};  ///< [B, T] int32: equal numbers, which stand together, see each other; undefined: all
  at::Tensor
      prefix_B{};  ///< [B] int64: tokens at a row's beginning that every query of it sees; undefined: none
  std::shared_ptr<AttentionPlans> plans{};  ///< shared by the layers of a micro-batch; null: planned anew
};

/// Throws Error(kUnsupported) for a prefix beside a window, chunks or documents, and for documents in
/// generation.
std::shared_ptr<const AttentionPlan> plan_attention(const AttentionSpan& span,
                                                    const std::vector<double>& alibi,
                                                    const AttentionShape& shape,
                                                    const AttentionRows& rows);

/// The plans, and with them the masks, of the latest micro-batches: made at first use. One thread.
class AttentionPlans {
 public:
  /// As plan_attention. Rows are told apart by their tensors, not by what those hold.
  std::shared_ptr<const AttentionPlan> of(const AttentionSpan& span,
                                          const std::vector<double>& alibi,
                                          const AttentionShape& shape,
                                          const AttentionRows& rows);

 private:
  struct Made {
    AttentionSpan span;
    std::vector<double> alibi;
    AttentionShape shape;
    at::Tensor documents_BT, prefix_B;
    std::shared_ptr<const AttentionPlan> plan;
  };

  std::vector<Made> made_;
};

}  // namespace automodel::ops
