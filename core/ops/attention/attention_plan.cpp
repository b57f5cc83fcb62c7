#include "core/ops/attention/attention_plan.h"

#include <algorithm>
#include <limits>

#include <ATen/ops/arange.h>
#include <ATen/ops/cummax.h>
#include <ATen/ops/div.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

namespace automodel::ops {
namespace {

/// Queries of a tile at least, where a window or alibi's mask asks for several.
constexpr int64_t kFewestQueries = 256;

/// Keys of some rows; the queries are those of the last `num_queries` of them.
struct Stretch {
  int64_t row, num_rows, key, num_keys, num_queries;
};

/// A tile before its mask is made.
struct CutTile {
  AttentionTile tile;
  bool masked = false;
  int64_t first_key = 0;  ///< position of its first key less that of its first query
};

/// `hidden` [..., queries, keys] as a mask, alibi's slopes times `distance` [queries, keys] joined.
at::Tensor additive_mask(const at::Tensor& hidden,
                         const at::Tensor& distance,
                         const std::vector<double>& alibi,
                         const AttentionShape& shape) {
  constexpr double kHidden = -std::numeric_limits<double>::infinity();
  const auto options = at::device(shape.device).dtype(shape.mask_dtype);
  if (alibi.empty()) return at::zeros(hidden.sizes(), options).masked_fill_(hidden, kHidden);
  at::Tensor slopes = at::empty({static_cast<int64_t>(alibi.size()), 1, 1}, at::kDouble);
  std::copy(alibi.begin(), alibi.end(), slopes.mutable_data_ptr<double>());
  const at::Tensor biases = (distance * -slopes.to(options)).unsqueeze(0);  // [1, N, queries, keys]
  return biases.masked_fill(hidden, kHidden);
}

/// Runs of equal documents.
std::vector<Stretch> document_stretches(const at::Tensor& documents_BT) {
  const at::Tensor host = documents_BT.to(at::kCPU, at::kInt).contiguous();
  const int32_t* document = host.const_data_ptr<int32_t>();
  const int64_t length = host.size(1);
  std::vector<Stretch> stretches;
  for (int64_t row = 0; row < host.size(0); ++row, document += length) {
    for (int64_t begin = 0, end = 0; begin < length; begin = end) {
      while (end < length && document[end] == document[begin]) ++end;
      stretches.push_back({row, 1, begin, end - begin, end - begin});
    }
  }
  return stretches;
}

std::vector<Stretch> chunks_of(const Stretch& stretch, int64_t chunk) {
  std::vector<Stretch> chunks;
  const int64_t first_query = stretch.num_keys - stretch.num_queries;
  for (int64_t begin = 0; begin < stretch.num_keys; begin += chunk) {
    const int64_t end = std::min(begin + chunk, stretch.num_keys);
    if (end <= first_query) continue;
    chunks.push_back({stretch.row,
                      stretch.num_rows,
                      stretch.key + begin,
                      end - begin,
                      end - std::max(begin, first_query)});
  }
  return chunks;
}

/// Cuts stretches into tiles and makes one mask for all of them.
class TileCutter {
 public:
  TileCutter(const std::vector<double>& alibi, const AttentionShape& shape) : alibi_(alibi), shape_(shape) {}

  void cut(const Stretch& stretch, const AttentionSpan& span) {
    const int64_t step = queries_at_once(stretch, span);
    for (int64_t begin = stretch.num_keys - stretch.num_queries; begin < stretch.num_keys; begin += step)
      add(stretch, span, begin, std::min(begin + step, stretch.num_keys));
  }

  std::vector<AttentionTile> finish(const AttentionSpan& span) {
    int64_t lowest = 0, highest = 0, most_queries = 0;
    for (const CutTile& cut : cut_) {
      if (!cut.masked) continue;
      lowest = std::min(lowest, cut.first_key);
      highest = std::max(highest, cut.first_key + cut.tile.num_keys);
      most_queries = std::max(most_queries, cut.tile.num_queries);
    }
    at::Tensor mask;
    if (most_queries > 0) mask = relative_mask(span, most_queries, lowest, highest);
    std::vector<AttentionTile> tiles;
    for (CutTile& cut : cut_) {
      if (cut.masked)
        cut.tile.mask =
            mask.narrow(-2, 0, cut.tile.num_queries).narrow(-1, cut.first_key - lowest, cut.tile.num_keys);
      tiles.push_back(std::move(cut.tile));
    }
    return tiles;
  }

 private:
  int64_t queries_at_once(const Stretch& stretch, const AttentionSpan& span) const {
    int64_t step = stretch.num_queries;
    if (span.sliding_window > 0 && span.sliding_window < stretch.num_keys)
      step = std::min(step, std::max(span.sliding_window, kFewestQueries));
    if (!alibi_.empty()) step = std::min(step, kFewestQueries);
    return shape_.most_queries > 0 ? std::min(step, shape_.most_queries) : step;
  }

  /// The queries at [begin, end) of a stretch.
  void add(const Stretch& stretch, const AttentionSpan& span, int64_t begin, int64_t end) {
    const int64_t window = span.sliding_window;
    const int64_t before = span.causal ? window - 1 : window / 2;
    const int64_t first = window > 0 ? std::max<int64_t>(0, begin - before) : 0;
    int64_t last = end;
    if (!span.causal) last = window > 0 ? std::min(stretch.num_keys, end + window / 2) : stretch.num_keys;
    const bool hides_later = span.causal ? last - 1 > begin : window > 0 && last - 1 - begin > before;
    const bool hides_earlier = window > 0 && end - 1 - first > before;
    CutTile cut;
    cut.tile.row = stretch.row;
    cut.tile.num_rows = stretch.num_rows;
    cut.tile.query = stretch.key + begin - (shape_.keys - shape_.queries);
    cut.tile.num_queries = end - begin;
    cut.tile.key = stretch.key + first;
    cut.tile.num_keys = last - first;
    cut.first_key = first - begin;
    cut.tile.causal = span.causal && hides_later && !hides_earlier && first == begin && alibi_.empty();
    cut.masked = !cut.tile.causal && (hides_later || hides_earlier || !alibi_.empty());
    cut_.push_back(std::move(cut));
  }

  /// [queries, last - first] or, with alibi, [1, N, queries, last - first]: of keys at positions [first,
  /// last) from the first query's.
  at::Tensor relative_mask(const AttentionSpan& span, int64_t queries, int64_t first, int64_t last) const {
    const auto positions = at::device(shape_.device).dtype(at::kLong);
    const at::Tensor distance =
        at::arange(queries, positions).unsqueeze(1) - at::arange(first, last, positions).unsqueeze(0);
    at::Tensor hidden =
        span.causal ? distance.lt(0) : at::zeros(distance.sizes(), positions.dtype(at::kBool));
    if (span.sliding_window > 0) {
      hidden.logical_or_(span.causal ? distance.ge(span.sliding_window)
                                     : distance.abs().gt(span.sliding_window / 2));
    }
    return additive_mask(hidden, distance.abs(), alibi_, shape_);
  }

  const std::vector<double>& alibi_;
  const AttentionShape& shape_;
  std::vector<CutTile> cut_;
};

std::vector<AttentionTile> sparse_tiles(const AttentionSpan& span,
                                        const std::vector<double>& alibi,
                                        const AttentionShape& shape,
                                        const AttentionRows& rows) {
  TileCutter cutter(alibi, shape);
  std::vector<Stretch> stretches = {{0, shape.rows, 0, shape.keys, shape.queries}};
  if (rows.documents_BT.defined()) stretches = document_stretches(rows.documents_BT);
  if (rows.prefix_B.defined()) {
    const at::Tensor prefixes = rows.prefix_B.to(at::kCPU, at::kLong).contiguous();
    const int64_t first_query = shape.keys - shape.queries;
    stretches.clear();
    for (int64_t row = 0; row < shape.rows; ++row) {
      const int64_t prefix = std::min(prefixes.const_data_ptr<int64_t>()[row], shape.keys);
      if (prefix > first_query) cutter.cut({row, 1, 0, prefix, prefix - first_query}, {.causal = false});
      const int64_t rest = shape.keys - std::max(prefix, first_query);
      if (rest > 0) stretches.push_back({row, 1, 0, shape.keys, rest});
    }
  }
  for (const Stretch& stretch : stretches) {
    if (span.chunk == 0) {
      cutter.cut(stretch, span);
      continue;
    }
    for (const Stretch& chunk : chunks_of(stretch, span.chunk)) cutter.cut(chunk, span);
  }
  return cutter.finish(span);
}

/// [B | 1, 1, T, S]: what each query may not see.
at::Tensor hidden_keys(const AttentionSpan& span, const AttentionShape& shape, const AttentionRows& rows) {
  const at::Tensor key =
      at::arange(shape.keys, at::device(shape.device).dtype(at::kLong)).view({1, 1, 1, -1});
  const at::Tensor query = key.narrow(3, shape.keys - shape.queries, shape.queries).transpose(2, 3);
  const at::Tensor distance = query - key;
  at::Tensor hidden = span.causal ? distance.lt(0) : distance.ne(distance);
  if (span.sliding_window > 0) {
    hidden = hidden.logical_or(span.causal ? distance.ge(span.sliding_window)
                                           : distance.abs().gt(span.sliding_window / 2));
  }
  at::Tensor start = at::zeros_like(key);  // of the key's document
  if (rows.documents_BT.defined()) {
    const at::Tensor of_key = rows.documents_BT.to(shape.device).view({shape.rows, 1, 1, shape.keys});
    hidden = hidden.logical_or(of_key.ne(of_key.transpose(2, 3)));
    if (span.chunk > 0) {
      const at::Tensor begins = of_key.narrow(3, 1, shape.keys - 1).ne(of_key.narrow(3, 0, shape.keys - 1));
      start = key.expand(of_key.sizes()).clone();
      start.narrow(3, 1, shape.keys - 1).mul_(begins);
      start = std::get<0>(start.cummax(3));
    }
  }
  if (span.chunk > 0) {
    const at::Tensor chunk = at::div(key - start, span.chunk, "floor");
    hidden = hidden.logical_or(
        chunk.narrow(3, shape.keys - shape.queries, shape.queries).transpose(2, 3).ne(chunk));
  }
  if (rows.prefix_B.defined())
    hidden = hidden.logical_and(key.ge(rows.prefix_B.to(shape.device).view({-1, 1, 1, 1})));
  return hidden;
}

std::vector<AttentionTile> dense_tiles(const AttentionSpan& span,
                                       const std::vector<double>& alibi,
                                       const AttentionShape& shape,
                                       const AttentionRows& rows) {
  const bool simple = !rows.documents_BT.defined() && !rows.prefix_B.defined() && alibi.empty() &&
                      (span.sliding_window == 0 || span.sliding_window >= shape.keys) &&
                      (span.chunk == 0 || span.chunk >= shape.keys);
  const bool all_at_once = shape.most_queries == 0 || shape.most_queries >= shape.queries;
  AttentionTile whole;
  whole.num_rows = shape.rows;
  whole.num_queries = shape.queries;
  whole.num_keys = shape.keys;
  whole.causal = simple && span.causal && shape.queries == shape.keys && shape.queries > 1;
  if (simple && (!span.causal || shape.queries == 1 || (whole.causal && all_at_once))) return {whole};
  whole.causal = false;
  const at::Tensor key = at::arange(shape.keys, at::device(shape.device).dtype(at::kLong));
  const at::Tensor query = key.narrow(0, shape.keys - shape.queries, shape.queries);
  const at::Tensor mask = additive_mask(
      hidden_keys(span, shape, rows), (query.unsqueeze(1) - key.unsqueeze(0)).abs(), alibi, shape);
  const int64_t step = all_at_once ? shape.queries : shape.most_queries;
  std::vector<AttentionTile> tiles;
  for (int64_t begin = 0; begin < shape.queries; begin += step) {
    AttentionTile tile = whole;
    tile.query = begin;
    tile.num_queries = std::min(step, shape.queries - begin);
    tile.mask = mask.narrow(2, begin, tile.num_queries);
    tiles.push_back(std::move(tile));
  }
  return tiles;
}

}  // namespace

std::shared_ptr<const AttentionPlan> plan_attention(const AttentionSpan& span,
                                                    const std::vector<double>& alibi,
                                                    const AttentionShape& shape,
                                                    const AttentionRows& rows) {
  const bool prefixed = rows.prefix_B.defined();
  check(
      !prefixed || (span.causal && span.sliding_window == 0 && span.chunk == 0 && alibi.empty() &&
                    !rows.documents_BT.defined()),
      ErrorCode::kUnsupported,
      "attention over a prefix goes with causal attention alone, without a window, chunks, alibi or documents");
  check(!rows.documents_BT.defined() || shape.queries == shape.keys,
        ErrorCode::kUnsupported,
        "documents in generation: ",
        shape.queries,
        " queries, ",
        shape.keys,
        " keys");
  const c10::NoGradGuard no_grad;
  auto plan = std::make_shared<AttentionPlan>();
  plan->tiles = shape.dense ? dense_tiles(span, alibi, shape, rows) : sparse_tiles(span, alibi, shape, rows);
  return plan;
}

std::shared_ptr<const AttentionPlan> AttentionPlans::of(const AttentionSpan& span,
                                                        const std::vector<double>& alibi,
                                                        const AttentionShape& shape,
                                                        const AttentionRows& rows) {
  for (const Made& made : made_) {
    if (made.span == span && made.alibi == alibi && made.shape == shape &&
        made.documents_BT.is_same(rows.documents_BT) && made.prefix_B.is_same(rows.prefix_B))
      return made.plan;
  }
  constexpr size_t kMost = 16;
  if (made_.size() >= kMost) made_.clear();
  made_.push_back(
      {span, alibi, shape, rows.documents_BT, rows.prefix_B, plan_attention(span, alibi, shape, rows)});
  return made_.back().plan;
}

}  // namespace automodel::ops
