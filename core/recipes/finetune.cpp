// Fine-tuning and pretraining of language models: load, build, loop, save.
#include "core/recipes/finetune.h"

#include <optional>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/base/signals.h"
#include "core/base/stopwatch.h"
#include "core/checkpoint/checkpoint.h"
#include "core/recipes/benchmark.h"
#include "core/train/data_sets.h"
#include "core/train/report.h"
#include "core/train/resume.h"
#include "core/train/step_log.h"
#include "core/train/step_profiler.h"

namespace automodel::recipes {

int finetune(const config::Recipe& recipe, store::RunRecorder& run) {
  const Stopwatch setup;
  const SignalWatch signals(recipe.step_scheduler.preemption_signals);

  // Load.
  checkpoint::refuse_folder_of_another_run(recipe, [&] { return train::kind_of_run(recipe); });
  const dist::Context context = train::make_context(recipe, /*world_size=*/1, /*rank=*/0);
  train::Training training(recipe, context);
  train::print_model(training);
  if (recipe.moe_metrics.enabled && !training.has_experts)
    log::warning("moe_metrics: the model has no experts, nothing is written of them");
  train::DataSets data = train::open_data_sets(training);

  // Build.
  train::StepSchedule schedule(
      recipe.step_scheduler, data.training->num_micro_batches(), context.mesh.dp_size());
  checkpoint::Checkpointer checkpointer(
      recipe, training.model.decoder, training.optimizer, train::source_of(training, data), data.inputs);
  train::Metrics metrics(recipe.checkpoint.checkpoint_dir, run);
  checkpoint::Position position =
      train::resume(checkpointer, recipe.checkpoint.enabled, *data.training, schedule, run);
  const optim::LrSchedule lr_schedule = train::open_lr_schedule(recipe, schedule.total_steps(), position);
  train::print_schedule(schedule, recipe.step_scheduler);
  train::warn_of_large_step(recipe, *data.training);
  if (position.next_step >= schedule.total_steps()) {
    log::info("All steps are done: nothing is left to do. More: step_scheduler.num_epochs or max_steps");
    run.forget();
    return 0;
  }
  std::optional<Benchmark> benchmark;
  if (recipe.benchmark) {
    benchmark.emplace(recipe,
                      training.cost.flops_per_token(tokens_of_row(recipe)),
                      recipe.benchmark->peak_tflops ? recipe.benchmark->peak_tflops : training.peak_tflops(),
                      setup.seconds(),
                      context.mesh.dp_size());
  }
  train::StepLog step_log(training, metrics, position.next_step, schedule.total_steps());
  train::StepProfiler profiler(recipe.profile, context.device);
  const auto write = [&](train::PendingStep step) {
    const train::StepLog::Written written = step_log.write(std::move(step));
    if (benchmark) benchmark->add_step(written.seconds);
    return written.loss;
  };

  // Loop. On a GPU a step is written down while the next one runs, so that the device always has work.
  std::optional<train::PendingStep> previous;
  bool trained = position.next_step > 0;  // on a label, in this process or before
  while (position.next_step < schedule.total_steps()) {
    std::vector<data::Batch> batches = data::next_batches(*data.training, schedule.grad_accum_steps());
    if (batches.empty()) {
      ++position.epoch;
      data.training->start_epoch(position.epoch);
      continue;
    }
    const int64_t step = position.next_step;
    profiler.next_step();
    train::PendingStep current =
        train::train_step(training, batches, step, lr_schedule.lr(step), lr_schedule.weight_decay(step));
    trained |= current.numbers.has_value();
    // The host hands memory out while it queues work: what the device does later changes nothing here.
    current.record.mem_gib = training.take_peak_memory_gib();
    current.record.step = step;
    current.record.epoch = position.epoch;
    current.record.lr = lr_schedule.lr(step + 1);
    if (previous) write(std::move(*previous));
    previous = std::move(current);
    ++position.next_step;
    position.loader = data.training->state();

    const bool epoch_ends = data.training->micro_batches_left() == 0;
    bool stop = signals.received() != 0;
    const bool validates = !stop && schedule.validates_after(step, epoch_ends);
    bool saves = recipe.checkpoint.enabled && (stop || schedule.saves_after(step, epoch_ends));
    if (!validates && !saves && !stop && !schedule.is_last(step) && !context.device.is_cpu()) continue;

    // Validate and save.
    const train::TrainRecord of_step = previous->record;
    const std::optional<double> train_loss = write(*std::exchange(previous, std::nullopt));
    checkpoint::Losses losses;
    if (validates) losses = train::validate(training, data.validation, of_step, signals, metrics);
    losses.train_loss = train_loss;
    stop = signals.received() != 0;
    saves = saves || (stop && recipe.checkpoint.enabled);
    if (saves) {
      const Stopwatch saving;
      run.checkpoint(checkpointer.save(position.epoch, step, position, losses, schedule.is_last(step)));
      log::info("Saved in ", train::duration_text(saving.seconds()));
    }
    if (validates || saves) step_log.restart_clock();
    if (stop) {
      profiler.end();
      log::set_status("");
      log::warning(
          "stopped by signal ", signals.received(), " after step ", step, "; the same command continues it");
      return 128 + signals.received();
    }
  }
  profiler.end();
  log::set_status("");
  if (benchmark) benchmark->finish();
  if (data.training->num_skipped_rows() > 0)
    log::warning(data.training->num_skipped_rows(),
                 " rows drawn from the training set had no label or were invalid");
  check(
      trained || position.next_step == 0,
      ErrorCode::kData,
      "no token of any step had a label: nothing was learnt. `automodel data show -c RECIPE` shows what is learnt of each row; is dataset.seq_length too short for the prompts?");
  return 0;
}

}  // namespace automodel::recipes
