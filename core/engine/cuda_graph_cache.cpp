#include "core/engine/cuda_graph_cache.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/ops/cuda/cuda.h"

namespace automodel::engine {
namespace {

/// Each holds some megabytes of the device's memory.
constexpr size_t kMostGraphs = 128;

/// The first run of a shape makes plans, and the device waits for them.
constexpr int64_t kWarmUps = 1;

std::string shape_text(const CudaGraphCache::Key& key) {
  return detail::join("[", key.shape[0], ", ", key.shape[1], "]");
}

bool has_label(const nn::MicroBatch& batch) {
  const at::Tensor& labels = batch.labels_BT;
  if (!labels.defined()) return false;
  return labels.is_floating_point() || labels.ne(batch.ignore_index).any().item<bool>();
}

}  // namespace

nn::MicroBatch fixed_copy(const nn::MicroBatch& batch) {
  nn::MicroBatch fixed = batch;
  fixed.for_each_tensor([](at::Tensor& tensor) {
    if (tensor.defined()) tensor = tensor.clone();
  });
  fixed.labels_BT.reset();
  fixed.tokens.attention_plans = std::make_shared<ops::AttentionPlans>();
  fixed.tokens.lent = std::make_shared<std::vector<at::Tensor>>();
  return fixed;
}

void refill(const nn::MicroBatch& fixed, const nn::MicroBatch& batch) {
  std::vector<at::Tensor> source;
  nn::MicroBatch to = fixed, from = batch;
  from.for_each_tensor([&](at::Tensor& tensor) { source.push_back(tensor); });
  auto next = source.begin();
  to.for_each_tensor([&](at::Tensor& tensor) {
    if (tensor.defined()) tensor.copy_(*next);
    ++next;
  });
}

CudaGraphCache::Key CudaGraphCache::key_of(const nn::MicroBatch& batch, std::vector<bool> written) {
  Key key{batch.input_ids_BT.sizes().vec(), {}, has_label(batch), std::move(written)};
  nn::MicroBatch copy = batch;
  copy.for_each_tensor([&](at::Tensor& tensor) { key.holds.push_back(tensor.defined()); });
  return key;
}

MicroBatchGraph* CudaGraphCache::find(const Key& key) {
  const auto found = captured_.find(key);
  return found == captured_.end() ? nullptr : &found->second;
}

bool CudaGraphCache::wants(const Key& key) {
  const auto found = seen_.find(key);
  if (found == seen_.end()) return false;
  Seen& seen = found->second;
  if (seen.refused || seen.times < kWarmUps) return false;
  if (mode_ == Graphs::kAuto && !seen.device_waited) {
    if (seen.times > 4 * kWarmUps)
      say_once(
          "CUDA graphs: not used while the device, not the host, sets the pace (cuda_graphs: true asks for them)");
    return false;
  }
  if (captured_.size() >= kMostGraphs) {
    refuse(key, detail::join(kMostGraphs, " kinds of micro-batch are captured already"));
    return false;
  }
  // Activations and what backward makes of them stay with the graphs.
  const int64_t free = ops::cuda().free_memory(pool_.device.index());
  if (2 * seen.kept_bytes <= free / 4) return true;
  refuse(key,
         detail::join("about ",
                      2 * seen.kept_bytes >> 20,
                      " MiB would be held for them, and the device has ",
                      free >> 20,
                      " MiB free"));
  return false;
}

void CudaGraphCache::saw(const Key& key, bool device_waited, int64_t kept_bytes) {
  Seen& seen = seen_[key];
  ++seen.times;
  seen.device_waited = seen.times > kWarmUps && device_waited;
  seen.kept_bytes = kept_bytes;
}

void CudaGraphCache::add(const Key& key, MicroBatchGraph graph) {
  captured_.insert_or_assign(key, std::move(graph));
  say_once(detail::join("CUDA graphs: micro-batches of ", shape_text(key), " are captured and replayed"));
}

void CudaGraphCache::refuse(const Key& key, const std::string& reason) {
  seen_[key].refused = true;
  say_once(detail::join("CUDA graphs: not used for micro-batches of ", shape_text(key), ": ", reason));
}

void CudaGraphCache::failed(const Key& key, const std::string& reason) {
  refuse(key, reason.substr(0, reason.find('\n')));
  pool_.renew();
}

bool CudaGraphCache::can_hold(const nn::MicroBatch& batch) {
  const bool fits = !batch.token_types_BT.defined() && !batch.tokens.prefix_B.defined() &&
                    batch.cache == nullptr && !batch.want_logits;
  if (!fits) say_once("CUDA graphs: not used: micro-batches have token types or prefixes, or give logits");
  return fits;
}

void CudaGraphCache::say_once(const std::string& line) {
  if (std::find(said_.begin(), said_.end(), line) != said_.end()) return;
  said_.push_back(line);
  log::info(line);
}

}  // namespace automodel::engine
