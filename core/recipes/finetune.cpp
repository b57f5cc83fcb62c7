// Fine-tuning and pretraining of language models: load, build, loop, save.
#include "core/recipes/finetune.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/base/log.h"
#include "core/base/signals.h"
#include "core/base/strings.h"
#include "core/checkpoint/checkpoint.h"
#include "core/data/chat_encoder.h"
#include "core/data/order.h"
#include "core/dist/mesh.h"
#include "core/engine/walk.h"
#include "core/io/safetensors.h"
#include "core/models/unit_types.h"
#include "core/ops/attention.h"
#include "core/ops/cuda.h"
#include "core/ops/dropout.h"
#include "core/ops/embedding.h"
#include "core/optim/grad_norm.h"
#include "core/optim/lr_schedule.h"
#include "core/optim/optimizer.h"
#include "core/recipes/benchmark.h"
#include "core/recipes/expert_balance.h"
#include "core/recipes/expert_metrics.h"
#include "core/recipes/metrics.h"
#include "core/recipes/model_setup.h"
#include "core/recipes/peak_rate.h"
#include "core/recipes/progress.h"
#include "core/recipes/remarks.h"
#include "core/recipes/step_profiler.h"
#include "core/recipes/step_schedule.h"
#include "core/tensor/dtype.h"
#include "core/tensor/readback.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::recipes {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

engine::Recompute recompute_of(config::RecomputeLevel level) {
  switch (level) {
    case config::RecomputeLevel::kNone:
      return engine::Recompute::kNone;
    case config::RecomputeLevel::kCheap:
      return engine::Recompute::kCheap;
    case config::RecomputeLevel::kBlock:
      return engine::Recompute::kBlock;
  }
  fail(ErrorCode::kInternal, "recompute level ", static_cast<int>(level));
}

engine::Graphs graphs_of(config::CudaGraphs graphs) {
  switch (graphs) {
    case config::CudaGraphs::kAuto:
      return engine::Graphs::kAuto;
    case config::CudaGraphs::kOn:
      return engine::Graphs::kOn;
    case config::CudaGraphs::kOff:
      return engine::Graphs::kOff;
  }
  fail(ErrorCode::kInternal, "cuda_graphs ", static_cast<int>(graphs));
}

/// LibTorch's own switch: its operators and cuDNN's attention then give the same bits, or say that they
/// cannot.
void be_deterministic() {
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*replace=*/0);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  at::globalContext().setDeterministicFillUninitializedMemory(false);
}

/// On a GPU with a stream of this run's own, which can be captured.
LoadedModel load_for_training(const config::Recipe& recipe) {
  const at::Device device = ops::find_device(recipe.device);
  if (device.is_cuda() && recipe.deterministic) be_deterministic();
  if (device.is_cuda() && recipe.cuda_graphs != config::CudaGraphs::kOff)
    ops::cuda().leave_default_stream(device.index());
  return load_model(recipe);
}

/// The tokenizer of the recipe or of the model's folder; null when the data are ids already and the folder
/// has none.
std::unique_ptr<tokenizer::Tokenizer> load_tokenizer(const config::Recipe& recipe,
                                                     const fs::path& model_folder) {
  const fs::path place = recipe.tokenizer.path.empty() ? model_folder : fs::path(recipe.tokenizer.path);
  using Kind = config::DatasetConfig::Kind;
  const bool needed = recipe.dataset.kind != Kind::kNanogpt && recipe.dataset.kind != Kind::kMock;
  std::optional<tokenizer::Tokenizer> found =
      needed ? tokenizer::Tokenizer::load(place) : tokenizer::Tokenizer::load_if_present(place);
  if (!found) return nullptr;
  auto loaded = std::make_unique<tokenizer::Tokenizer>(std::move(*found));
  loaded->set_add_special(recipe.tokenizer.add_bos_token, recipe.tokenizer.add_eos_token);
  return loaded;
}

data::Loader::Options loader_options(const config::Recipe& recipe,
                                     const config::DataloaderConfig& dataloader,
                                     const config::PackingConfig& packing,
                                     const dist::Mesh& mesh,
                                     const data::RowLimits& limits,
                                     int64_t vocab_size) {
  data::Loader::Options options;
  options.limits = limits;
  options.dp_rank = mesh.dp_rank();
  options.dp_size = mesh.dp_size();
  options.local_batch_size = dataloader.batch_size.value_or(recipe.step_scheduler.local_batch_size);
  options.seed = recipe.seed;
  options.shuffle = dataloader.shuffle.value_or(true);
  options.pad_seq_len_divisible = dataloader.pad_seq_len_divisible;
  options.num_workers = dataloader.num_workers;
  options.drop_last = dataloader.drop_last;
  options.ignore_index = recipe.loss.ignore_index;
  options.pack_size = packing.packed_sequence_size;
  options.num_max_packs = packing.max_packs;
  options.vocab_size = vocab_size;
  return options;
}

/// What the run is made from, read while it begins.
checkpoint::FutureInputs read_inputs(const config::Recipe& recipe,
                                     const fs::path& model_folder,
                                     const config::DatasetConfig& dataset,
                                     const data::Loader::Options& options,
                                     const data::Loader& loader) {
  const auto read = [&recipe, model_folder, dataset, options, own = loader.order()] {
    checkpoint::Inputs inputs;
    if (recipe.model.source == config::ModelSource::kPretrained)
      inputs.base = io::fingerprint(io::open_weights(model_folder));
    inputs.order = data::order_of(dataset, options);
    inputs.order.insert(inputs.order.end(), own.begin(), own.end());
    return inputs;
  };
  return std::async(std::launch::async, read).share();
}

/// What rows of a section should not be longer than.
data::RowLimits limits_of(const models::DecoderConfig& model, const std::string& section) {
  const int64_t learned = models::learned_positions(model);
  const bool ends = learned < std::numeric_limits<int64_t>::max();
  return {.section = section,
          .max_positions = ends ? learned : model.max_position_embeddings,
          .positions_end = ends};
}

/// The recipe's training set; the benchmark recipe's random tokens are of the model's vocabulary.
config::DatasetConfig training_set(const config::Recipe& recipe, const models::DecoderConfig& model) {
  config::DatasetConfig set = recipe.dataset;
  if (recipe.benchmark) set.mock.vocab_size = model.vocab_size;
  return set;
}

/// [rows, length] of a batch as [rows, padded]. Without padding no copy: the batch must outlive the result.
template <class T>
at::Tensor as_tensor(std::vector<T>& values, const data::Batch& batch, int64_t padded, int64_t fill) {
  const at::Tensor all =
      at::from_blob(values.data(), {batch.num_rows, batch.length}, c10::CppTypeToScalarType<T>::value);
  return padded == batch.length ? all : at::constant_pad_nd(all, {0, padded - batch.length}, fill);
}

/// Sum over micro-batches: a scalar f64 on the device.
at::Tensor total_loss(const engine::Walk::Results& results) {
  at::Tensor total;
  for (const nn::State& result : results) {
    const at::Tensor loss = result.at(nn::kLoss).to(at::kDouble);
    total = total.defined() ? total + loss : loss;
  }
  return total;
}

/// A model in training: everything that one step touches.
struct Training {
  const config::Recipe& recipe;
  LoadedModel model;
  std::vector<tensor::Unit*> units;
  engine::Walk walk;
  optim::Optimizer optimizer;
  models::Cost cost;
  bool has_experts;
  at::Device device;  ///< where the model lies; asked for in every micro-batch

  explicit Training(const config::Recipe& r)
      : recipe(r),
        model(load_for_training(r)),
        units(model.decoder.unit_pointers()),
        walk(model.decoder.segment_pointers(),
             units,
             {.recompute = recompute_of(r.distributed.recompute), .graphs = graphs_of(r.cuda_graphs)}),
        optimizer(r.optimizer, units, static_cast<uint64_t>(r.seed)),
        cost(models::cost_of(model.decoder.config)),
        has_experts(std::ranges::any_of(model.decoder.config.layers,
                                        [](const models::LayerConfig& layer) {
                                          return layer.feed_forward == models::FeedForwardKind::kMoe;
                                        })),
        device(models::device_of(model.decoder)) {
    narrow_gradients(model.decoder, recipe);
  }

  /// Since the last call. On a CPU since the process began, and with CUDA graphs since the first of them was
  /// captured: replays use memory that nothing is told of.
  double take_peak_memory_gib() const {
    if (device.is_cpu()) return peak_process_memory_gib();
    const int64_t peak = ops::cuda().peak_allocated(device.index());
    if (walk.num_graphs() == 0) ops::cuda().reset_peak(device.index());
    return static_cast<double>(peak) / (1 << 30);
  }

  /// What the recipe says, else what the GPU's maker does.
  std::optional<double> peak_tflops() const {
    if (recipe.mfu_peak_tflops || device.is_cpu()) return recipe.mfu_peak_tflops;
    return stated_peak_tflops(ops::cuda().device_name(device.index()));
  }
};

/// A GPU gets lengths that are multiples of 64: few shapes, each planned once. The added positions have no
/// label and come after every real token, so that nothing sees them.
int64_t padded_length(const data::Batch& batch, const Training& training) {
  constexpr int64_t kBucket = 64;
  if (training.device.is_cpu()) return batch.length;
  const int64_t rounded = (batch.length + kBucket - 1) / kBucket * kBucket;
  if (!batch.positions.empty()) return rounded;
  return std::min(rounded, models::learned_positions(training.model.decoder.config));
}

nn::MicroBatch as_micro_batch(data::Batch& batch, double loss_scale, const Training& training) {
  const at::Device device = training.device;
  const config::LossConfig& loss = training.recipe.loss;
  models::check_positions(training.model.decoder.config,
                          batch.positions.empty() ? batch.length : std::ranges::max(batch.positions) + 1);
  const int64_t padded = padded_length(batch, training);
  const at::Tensor ids = as_tensor(batch.input_ids, batch, padded, 0);
  if (!device.is_cpu()) ops::check_token_ids(ids, training.model.decoder.config.vocab_size);
  nn::MicroBatch micro;
  micro.input_ids_BT = tensor::upload(ids, device);
  micro.labels_BT = as_tensor(batch.labels, batch, padded, loss.ignore_index);
  if (training.has_experts) micro.tokens.lengths_B = tensor::upload(at::tensor(batch.lengths), device);
  if (!batch.documents.empty()) {
    micro.tokens.documents_BT = tensor::upload(as_tensor(batch.documents, batch, padded, -1), device);
    micro.tokens.positions_BT = tensor::upload(as_tensor(batch.positions, batch, padded, 0), device);
  }
  micro.loss_scale = loss_scale;
  micro.ignore_index = loss.ignore_index;
  micro.loss_chunk_rows = loss.chunk_len.value_or(0);
  return micro;
}

/// A step that the device may still be working on.
struct PendingStep {
  TrainRecord record;
  std::optional<tensor::Readback> numbers;  ///< loss, gradient norm, loads; none: no token had a label
  std::vector<int64_t> num_experts;         ///< whose loads are read, by layer
  int64_t first_row = 0;
  int64_t length = 0;
};

/// One optimizer step over its micro-batches, queued. Fills the counts of the record.
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
                     models::has_dropout(training.model.decoder.config);
  std::vector<nn::MicroBatch> micro_batches;
  for (data::Batch& batch : batches) {
    micro_batches.push_back(
        as_micro_batch(batch, 1.0 / static_cast<double>(record.num_label_tokens), training));
    if (drops) {
      nn::MicroBatch& micro = micro_batches.back();
      const at::Tensor keys = ops::dropout_keys(
          static_cast<uint64_t>(training.recipe.seed), step, batch.rows, micro.input_ids_BT.size(1));
      micro.dropout_keys = tensor::upload(keys, training.device);
    }
  }
  const engine::Walk::Results results = training.walk.train(micro_batches);
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

/// Waits for a step's numbers. Throws Error(kInvalidArgument) when it diverged: it has changed no weight
/// then.
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
  record.figures = expert_metrics(split_loads(values, /*first=*/2, pending.num_experts), moe, record.step);
  return record;
}

/// nullopt: a signal came before its end.
std::optional<ValidationRecord> validate(Training& training,
                                         const std::string& name,
                                         data::Loader& loader,
                                         const SignalWatch& signals) {
  ValidationRecord record;
  record.name = name;
  at::Tensor sum = at::zeros({1}, at::device(training.device).dtype(at::kDouble));
  loader.start_epoch(0);
  const std::optional<int64_t> num_all = loader.num_micro_batches();
  const std::string of_all = num_all ? detail::join(" of ", *num_all) : "";
  for (int64_t done = 0; std::optional<data::Batch> batch = loader.next(); ++done) {
    if (signals.received() != 0) return std::nullopt;
    log::set_status(detail::join("validating on \"", name, "\": micro-batch ", done, of_all));
    record.num_label_tokens += batch->num_label_tokens;
    try {
      sum.add_(total_loss(training.walk.evaluate({as_micro_batch(*batch, 1.0, training)})));
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

/// "5.08%".
std::string percentage(int64_t part, int64_t whole) {
  std::array<char, 16> text{};
  std::snprintf(
      text.data(), text.size(), "%.2f%%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text.data();
}

void print_model(const Training& training) {
  const int64_t adapters = training.model.adapters ? training.model.adapters->num_parameters() : 0;
  const int64_t total = training.cost.parameters + adapters;
  const int64_t trainable = training.model.adapters ? adapters : total;
  double squares = 0;
  for (const tensor::Unit* unit : training.units) {
    squares += optim::sum_of_squares(unit->home()).item<double>();
  }
  log::info("Model summary: ",
            training.model.decoder.config.architecture,
            ", ",
            training.model.decoder.config.layers.size(),
            " layers, stored in ",
            torch_name(training.model.weights_dtype),
            ", computed in ",
            models::compute_types(training.model.decoder));
  const models::LayerConfig& layer = training.model.decoder.config.layers.front();
  const bool latent = layer.mixers == std::vector{models::MixerKind::kLatentAttention};
  const int64_t head_dim =
      latent ? std::max(layer.latent.qk_dim(), layer.latent.v_dim) : layer.attention.head_dim;
  const ops::AttentionOptions options{
      .softcap = layer.attention.softcap, .alibi = layer.attention.alibi, .dropout = layer.attention.dropout};
  log::info(
      "Device: ",
      training.device.str(),
      ", attention: ",
      ops::name_of(ops::choose_attention(
          training.device, models::compute_type_of_layer(training.model.decoder, 0), head_dim, options)));
  log::info("Trainable parameters: ", with_thousands(trainable));
  log::info("Total parameters: ", with_thousands(total));
  log::info("Trainable parameters percentage: ", percentage(trainable, total));
  log::info("Param L2 norm: ", std::sqrt(squares));
}

void print_schedule(const StepSchedule& schedule, const config::StepSchedulerConfig& config) {
  const auto or_none = [](const std::optional<int64_t>& value) {
    return value ? std::to_string(*value) : "None";
  };
  log::info("Step scheduler:");
  log::info("- Gradient accumulation steps: ", schedule.grad_accum_steps());
  log::info("- Checkpoint every steps: ", or_none(config.ckpt_every_steps));
  log::info("- Number of epochs: ", schedule.num_epochs());
  log::info("- Validation every steps: ", or_none(config.val_every_steps));
  log::info("- Max train steps: ", schedule.total_steps());
  log::info("- Threads: ", at::get_num_threads());
}

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

}  // namespace

int finetune(const config::Recipe& recipe, store::RunRecorder& run) {
  const auto begin = Clock::now();
  const SignalWatch signals(recipe.step_scheduler.preemption_signals);
  const dist::Mesh mesh = dist::Mesh::from_recipe(recipe.distributed, /*world_size=*/1, /*rank=*/0);

  checkpoint::refuse_folder_of_another_run(recipe, [&] { return kind_of_run(recipe); });
  Training training(recipe);
  print_model(training);
  if (recipe.moe_metrics.enabled && !training.has_experts)
    log::warning("moe_metrics: the model has no experts, nothing is written of them");

  const auto tokenizer = load_tokenizer(recipe, training.model.folder);
  if (!tokenizer && recipe.checkpoint.enabled && !recipe.benchmark)
    log::warning(
        "checkpoints will have no tokenizer, and `automodel generate` no text: "
        "tokenizer.pretrained_model_name_or_path: DIR adds the one that the data was made with");
  const models::DecoderConfig& model = training.model.decoder.config;
  const config::DatasetConfig dataset = training_set(recipe, model);
  const data::Loader::Options options = loader_options(
      recipe, recipe.dataloader, recipe.packing, mesh, limits_of(model, "dataset"), model.vocab_size);
  const auto loader = data::open_loader(dataset, tokenizer.get(), options);
  std::vector<std::unique_ptr<data::Loader>> validation_loaders;
  for (const config::DatasetConfig& set : recipe.validation_datasets) {
    const std::string section =
        set.name == "default" ? "validation_dataset" : "validation_dataset_" + set.name;
    data::Loader::Options of_set = loader_options(recipe,
                                                  recipe.validation_dataloader,
                                                  /*packing=*/{},
                                                  mesh,
                                                  limits_of(model, section),
                                                  model.vocab_size);
    of_set.one_pass = true;
    validation_loaders.push_back(data::open_loader(set, tokenizer.get(), of_set));
  }

  StepSchedule schedule(recipe.step_scheduler, loader->num_micro_batches(), mesh.dp_size());
  checkpoint::FutureInputs inputs;
  if (recipe.checkpoint.enabled)
    inputs = read_inputs(recipe, training.model.folder, dataset, options, *loader);
  checkpoint::Checkpointer checkpointer(
      recipe,
      training.model.decoder,
      training.optimizer,
      {training.model.weights_dtype,
       training.model.config_json,
       training.model.folder,
       tokenizer ? tokenizer->files() : std::vector<fs::path>(),
       recipe.dataset.chat_template.empty() ? "" : data::template_source(recipe.dataset.chat_template),
       training.model.adapters},
      inputs);
  Metrics metrics(recipe.checkpoint.checkpoint_dir, run);

  checkpoint::Position position;
  if (recipe.checkpoint.enabled) {
    if (const auto resumed = checkpointer.load()) {
      position = resumed->position;
      loader->restore(position.loader);
      schedule.resume(position.next_step, position.epoch, loader->micro_batches_left());
      run.resumed(resumed->folder);
      log::info("Resumed: ", position.next_step, " steps done, epoch ", position.epoch);
    }
  }
  optim::LrSchedule lr_schedule(recipe.lr_scheduler, recipe.optimizer, schedule.total_steps());
  if (recipe.lr_scheduler && position.lr_schedule)
    lr_schedule = optim::resumed_schedule(*recipe.lr_scheduler, lr_schedule, *position.lr_schedule);
  position.lr_schedule = recipe.lr_scheduler ? std::optional(lr_schedule.values()) : std::nullopt;
  print_schedule(schedule, recipe.step_scheduler);
  warn_of_large_step(recipe, *loader);
  if (position.next_step >= schedule.total_steps()) {
    log::info("All steps are done: nothing is left to do. More: step_scheduler.num_epochs or max_steps");
    run.forget();
    return 0;
  }

  const auto run_validation = [&](int64_t step, int64_t epoch) {
    checkpoint::Losses losses;
    for (size_t i = 0; i < validation_loaders.size(); ++i) {
      const auto start = Clock::now();
      auto record = validate(training, recipe.validation_datasets[i].name, *validation_loaders[i], signals);
      if (!record) {
        log::warning("the validation is broken off: nothing is written of it");
        return checkpoint::Losses();
      }
      record->step = step;
      record->epoch = epoch;
      record->lr = lr_schedule.lr(step + 1);
      record->mem_gib = training.take_peak_memory_gib();
      metrics.write(*record);
      log::info("Validated in ", duration_text(seconds_since(start)));
      if (record->val_loss) losses.val_loss[record->name] = *record->val_loss;
    }
    return losses;
  };

  const std::optional<double> peak_tflops = training.peak_tflops();
  std::optional<Benchmark> benchmark;
  if (recipe.benchmark) {
    benchmark.emplace(recipe,
                      training.cost.flops_per_token(recipe.dataset.mock.seq_len),
                      recipe.benchmark->peak_tflops ? recipe.benchmark->peak_tflops : peak_tflops,
                      seconds_since(begin),
                      mesh.dp_size());
  }
  Progress progress(position.next_step, schedule.total_steps());
  auto last_step_end = Clock::now();
  std::optional<tensor::Readback> last_ready;
  DivergenceWatch divergence(training.model.decoder.config.vocab_size);
  // Writes down a step once its numbers are here. On a GPU that is one step late, so that the device always
  // has work.
  const auto write_down = [&](PendingStep pending) {
    TrainRecord record = finish(pending, recipe.moe_metrics);
    const auto now = Clock::now();
    const bool timed = last_ready && pending.numbers;
    const double seconds = timed ? pending.numbers->seconds_after(*last_ready)
                                 : std::chrono::duration<double>(now - last_step_end).count();
    last_step_end = now;
    last_ready = std::move(pending.numbers);
    record.tps = static_cast<double>(record.num_tokens_per_step) / seconds;
    record.progress = progress.after(record.step, seconds);
    if (peak_tflops) {
      const double flops = training.cost.flops_per_token(pending.length) * record.tps;
      record.mfu_percent = 100 * flops / (*peak_tflops * 1e12);
    }
    metrics.write(record);
    divergence.look_at(record);
    if (benchmark) benchmark->add_step(seconds);
    progress.show(record);
    return record.loss;
  };

  StepProfiler profiler(recipe.profile, training.device);
  std::optional<PendingStep> previous;
  bool learnt = position.next_step > 0;  // before, if not now
  while (position.next_step < schedule.total_steps()) {
    std::vector<data::Batch> batches;
    while (static_cast<int64_t>(batches.size()) < schedule.grad_accum_steps()) {
      std::optional<data::Batch> batch = loader->next();
      if (!batch) break;
      batches.push_back(std::move(*batch));
    }
    if (batches.empty()) {
      ++position.epoch;
      loader->start_epoch(position.epoch);
      continue;
    }
    const int64_t step = position.next_step;
    const int64_t epoch = position.epoch;
    profiler.next_step();
    PendingStep current =
        train_step(training, batches, step, lr_schedule.lr(step), lr_schedule.weight_decay(step));
    learnt |= current.numbers.has_value();
    // The host hands memory out while it queues work: what the device does later changes nothing here.
    current.record.mem_gib = training.take_peak_memory_gib();
    current.record.step = step;
    current.record.epoch = epoch;
    current.record.lr = lr_schedule.lr(step + 1);
    if (previous) write_down(std::move(*previous));
    previous = std::move(current);

    ++position.next_step;
    position.loader = loader->state();
    const bool epoch_ends = loader->micro_batches_left() == 0;
    bool stop = signals.received() != 0;
    const bool validates = !stop && schedule.validates_after(step, epoch_ends);
    bool saves = recipe.checkpoint.enabled && (stop || schedule.saves_after(step, epoch_ends));
    if (!validates && !saves && !stop && !schedule.is_last(step) && !training.device.is_cpu()) continue;

    const std::optional<double> train_loss = write_down(*std::exchange(previous, std::nullopt));
    checkpoint::Losses losses;
    if (validates) losses = run_validation(step, epoch);
    losses.train_loss = train_loss;
    stop = signals.received() != 0;
    saves = saves || (stop && recipe.checkpoint.enabled);
    if (saves) {
      const auto start = Clock::now();
      run.checkpoint(checkpointer.save(epoch, step, position, losses, schedule.is_last(step)));
      log::info("Saved in ", duration_text(seconds_since(start)));
    }
    if (validates || saves) {  // the next step begins here
      last_step_end = Clock::now();
      last_ready.reset();
    }
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
  if (loader->num_skipped_rows() > 0) {
    log::warning(loader->num_skipped_rows(),
                 " rows drawn from the training set had no label or were invalid");
  }
  check(learnt || position.next_step == 0,
        ErrorCode::kData,
        "no token of any step had a label: nothing was learnt. `automodel data show -c RECIPE` shows what is "
        "learnt of each row; is dataset.seq_length too short for the prompts?");
  return 0;
}

}  // namespace automodel::recipes
