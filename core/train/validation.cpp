#include "core/train/validation.h"

#include <chrono>

#include <ATen/ops/zeros.h>

#include "core/base/log.h"
#include "core/base/stopwatch.h"
#include "core/base/strings.h"
#include "core/train/micro_batch.h"
#include "core/train/progress.h"

namespace automodel::train {
namespace {

/// nullopt: a signal came before its end.
std::optional<ValidationRecord> validate_on(Training& training,
                                            const std::string& name,
                                            data::Loader& loader,
                                            const SignalWatch& signals) {
  ValidationRecord record;
  record.name = name;
  at::Tensor sum = at::zeros({1}, at::device(training.context.device).dtype(at::kDouble));
  loader.start_epoch(0);
  const std::optional<int64_t> num_all = loader.num_micro_batches();
  const std::string of_all = num_all ? detail::join(" of ", *num_all) : "";
  for (int64_t done = 0; std::optional<data::Batch> batch = loader.next(); ++done) {
    if (signals.received() != 0) return std::nullopt;
    log::set_status(detail::join("validating on \"", name, "\": micro-batch ", done, of_all));
    record.num_label_tokens += batch->num_label_tokens;
    try {
      sum.add_(total_loss(training.executor.evaluate({as_micro_batch(*batch, 1.0, training)})));
    } catch (Error& error) {
      error.add_context(detail::join("validating on \"", name, "\", row ", batch->rows.front()));
      throw;
    }
  }
  if (record.num_label_tokens == 0) {
    log::warning("validation set \"", name, "\": no token has a label: it has no loss, and LOWEST_VAL stays");
    return record;
  }
  record.val_loss = static_cast<float>(sum.item<double>() / static_cast<double>(record.num_label_tokens));
  return record;
}

}  // namespace

checkpoint::Losses validate(Training& training,
                            const std::vector<ValidationSet>& sets,
                            const TrainRecord& of_step,
                            const SignalWatch& signals,
                            Metrics& metrics) {
  checkpoint::Losses losses;
  for (const ValidationSet& set : sets) {
    const Stopwatch watch;
    std::optional<ValidationRecord> record = validate_on(training, set.name, *set.loader, signals);
    if (!record) {
      log::warning("the validation is broken off: nothing is written of it");
      return {};
    }
    record->step = of_step.step;
    record->epoch = of_step.epoch;
    record->lr = of_step.lr;
    record->mem_gib = training.take_peak_memory_gib();
    metrics.write(*record);
    log::info("Validated in ", duration_text(watch.seconds()));
    if (record->val_loss) losses.val_loss[record->name] = *record->val_loss;
  }
  return losses;
}

}  // namespace automodel::train
