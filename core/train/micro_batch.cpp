#include "core/train/micro_batch.h"

#include <algorithm>

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include "core/ops/embedding.h"
#include "core/tensor/host_copy.h"

namespace automodel::train {
namespace {

/// [rows, length] of a batch as [rows, padded]. Without padding no copy: the batch must outlive the result.
template <class T>
at::Tensor as_tensor(std::vector<T>& values, const data::Batch& batch, int64_t padded, int64_t fill) {
  const at::Tensor all =
      at::from_blob(values.data(), {batch.num_rows, batch.length}, c10::CppTypeToScalarType<T>::value);
  return padded == batch.length ? all : at::constant_pad_nd(all, {0, padded - batch.length}, fill);
}

/// A GPU gets lengths that are multiples of 64: few shapes, each planned once. The added positions have no
/// label and come after every real token, so that nothing sees them.
int64_t padded_length(const data::Batch& batch, const Training& training) {
  constexpr int64_t kBucket = 64;
  if (training.context.device.is_cpu()) return batch.length;
  const int64_t rounded = (batch.length + kBucket - 1) / kBucket * kBucket;
  if (!batch.positions.empty()) return rounded;
  return std::min(rounded, arch::learned_positions(training.model.decoder.config));
}

}  // namespace

nn::MicroBatch as_micro_batch(data::Batch& batch, double loss_scale, const Training& training) {
  const config::LossConfig& loss = training.recipe.loss;
  const arch::DecoderConfig& config = training.model.decoder.config;
  arch::check_positions(config,
                        batch.positions.empty() ? batch.length : std::ranges::max(batch.positions) + 1);
  const int64_t padded = padded_length(batch, training);
  nn::MicroBatch micro;
  micro.input_ids_BT = as_tensor(batch.input_ids, batch, padded, 0);
  if (!training.context.device.is_cpu()) ops::check_token_ids(micro.input_ids_BT, config.vocab_size);
  micro.labels_BT = as_tensor(batch.labels, batch, padded, loss.ignore_index);
  if (training.has_experts) micro.tokens.lengths_B = at::tensor(batch.lengths);
  if (!batch.documents.empty()) {
    micro.tokens.documents_BT = as_tensor(batch.documents, batch, padded, -1);
    micro.tokens.positions_BT = as_tensor(batch.positions, batch, padded, 0);
  }
  micro.loss_scale = loss_scale;
  micro.ignore_index = loss.ignore_index;
  micro.loss_chunk_rows = loss.chunk_len.value_or(0);
  upload(micro, training.context.device);
  return micro;
}

void upload(nn::MicroBatch& batch, at::Device device) {
  batch.for_each_tensor([&](at::Tensor& tensor) {
    if (tensor.defined()) tensor = tensor::upload(tensor, device);
  });
}

at::Tensor total_loss(const engine::GraphedExecutor::Results& results) {
  at::Tensor total;
  for (const nn::State& result : results) {
    const at::Tensor loss = result.at(nn::kLoss).to(at::kDouble);
    total = total.defined() ? total + loss : loss;
  }
  return total;
}

}  // namespace automodel::train
