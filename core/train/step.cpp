#include "core/train/step.h"

#include <cmath>

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include "core/base/log.h"
#include "core/ops/dropout.h"
#include "core/optim/grad_norm.h"
#include "core/train/expert_balance.h"
#include "core/train/expert_metrics.h"
#include "core/train/micro_batch.h"

namespace automodel::train {

PendingStep train_step(
    Training& training, std::vector<data::Batch>& batches, int64_t step, double lr, double weight_decay) {
  PendingStep pending;
  TrainRecord& record = pending.record;
  pending.first_row = batches.front().rows.front();
  pending.length = batches.front().length;
  for (const data::Batch& batch : batches) {
    record.num_label_tokens += batch.num_label_tokens;
    record.num_tokens_per_step += batch.num_tokens;
  }
  if (record.num_label_tokens == 0) {
    log::warning(
        "no token of this step has a label (first row ",
        batches.front().rows.front(),
        "): nothing is learnt from it; `automodel data show -c RECIPE` shows what is learnt of a row");
    return pending;
  }
  const bool drops = (training.model.adapters && training.model.adapters->dropout > 0) ||
                     arch::has_dropout(training.model.decoder.config);
  std::vector<nn::MicroBatch> micro_batches;
  for (data::Batch& batch : batches) {
    micro_batches.push_back(
        as_micro_batch(batch, 1.0 / static_cast<double>(record.num_label_tokens), training));
    if (drops) {
      nn::MicroBatch& micro = micro_batches.back();
      const at::Tensor keys = ops::dropout_keys(
          static_cast<uint64_t>(training.recipe.seed), step, batch.rows, micro.input_ids_BT.size(1));
      micro.dropout_keys = tensor::upload(keys, training.context.device);
    }
  }
  const engine::GraphedExecutor::Results results = training.executor.train(micro_batches);
  const at::Tensor loss = total_loss(results);
  const at::Tensor norm = optim::grad_norm(training.units);
  training.optimizer.step(lr, weight_decay, optim::clip_factor(norm, training.recipe.max_grad_norm));
  balance_experts(training.model.decoder, results);
  at::Tensor numbers = at::stack({loss, norm});
  if (training.recipe.moe_metrics.enabled && training.has_experts) {
    const JoinedLoads loads = join_loads(training.model.decoder, results);
    numbers = at::cat({numbers, loads.values});
    pending.num_experts = loads.num_experts;
  }
  pending.numbers.emplace(numbers);
  return pending;
}

TrainRecord finish(const PendingStep& pending, const config::MoeMetricsConfig& moe) {
  TrainRecord record = pending.record;
  if (!pending.numbers) return record;
  const std::vector<double> values = pending.numbers->read();
  const double loss = static_cast<float>(values[0]);
  record.loss = loss;
  record.grad_norm = values[1];
  check(std::isfinite(loss) && std::isfinite(record.grad_norm),
        ErrorCode::kInvalidArgument,
        "loss ",
        loss,
        ", gradient norm ",
        record.grad_norm,
        ": the run has diverged, in the step that begins with row ",
        pending.first_row,
        "; weights are as before it. Lower optimizer.lr or look at that row");
  record.extra_metrics =
      expert_metrics(split_loads(values, /*first=*/2, pending.num_experts), moe, record.step);
  return record;
}

}  // namespace automodel::train
