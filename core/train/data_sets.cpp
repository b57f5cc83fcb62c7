#include "core/train/data_sets.h"

#include <filesystem>
#include <future>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "core/base/log.h"
#include "core/data/chat_encoder.h"
#include "core/data/order.h"
#include "core/io/safetensors.h"

namespace automodel::train {
namespace {

namespace fs = std::filesystem;

/// The tokenizer of the recipe or of the model's folder; null when the data are ids already and the folder
/// has none.
std::unique_ptr<tokenizer::Tokenizer> load_tokenizer(const config::Recipe& recipe,
                                                     const fs::path& model_folder) {
  const fs::path place = recipe.tokenizer.path.empty() ? model_folder : fs::path(recipe.tokenizer.path);
  std::optional<tokenizer::Tokenizer> found = config::kind_of(recipe.dataset).needs_tokenizer
                                                  ? tokenizer::Tokenizer::load(place)
                                                  : tokenizer::Tokenizer::load_if_present(place);
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
data::RowLimits limits_of(const arch::DecoderConfig& model, const std::string& section) {
  const int64_t learned = arch::learned_positions(model);
  const bool ends = learned < std::numeric_limits<int64_t>::max();
  return {.section = section,
          .max_positions = ends ? learned : model.max_position_embeddings,
          .positions_end = ends};
}

/// The recipe's training set; the benchmark recipe's random tokens are of the model's vocabulary.
config::DatasetConfig training_set(const config::Recipe& recipe, const arch::DecoderConfig& model) {
  config::DatasetConfig set = recipe.dataset;
  if (recipe.benchmark) std::get<config::MockSet>(set.kind).vocab_size = model.vocab_size;
  return set;
}

std::vector<ValidationSet> open_validation_sets(const Training& training,
                                                const dist::Mesh& mesh,
                                                const tokenizer::Tokenizer* tokenizer) {
  const config::Recipe& recipe = training.recipe;
  const arch::DecoderConfig& model = training.model.decoder.config;
  std::vector<ValidationSet> sets;
  for (const config::DatasetConfig& set : recipe.validation_datasets) {
    const std::string section =
        set.name == "default" ? "validation_dataset" : "validation_dataset_" + set.name;
    data::Loader::Options options = loader_options(recipe,
                                                   recipe.validation_dataloader,
                                                   /*packing=*/{},
                                                   mesh,
                                                   limits_of(model, section),
                                                   model.vocab_size);
    options.one_pass = true;
    sets.push_back({set.name, data::open_loader(set, tokenizer, options)});
  }
  return sets;
}

}  // namespace

DataSets open_data_sets(const Training& training) {
  const dist::Mesh& mesh = training.context.mesh;
  const config::Recipe& recipe = training.recipe;
  const arch::DecoderConfig& model = training.model.decoder.config;
  DataSets data;
  data.tokenizer = load_tokenizer(recipe, training.model.folder);
  if (!data.tokenizer && recipe.checkpoint.enabled && !recipe.benchmark)
    log::warning(
        "checkpoints will have no tokenizer, and `automodel generate` no text: tokenizer.pretrained_model_name_or_path: DIR adds the one that the data was made with");
  const config::DatasetConfig dataset = training_set(recipe, model);
  const data::Loader::Options options = loader_options(
      recipe, recipe.dataloader, recipe.packing, mesh, limits_of(model, "dataset"), model.vocab_size);
  data.training = data::open_loader(dataset, data.tokenizer.get(), options);
  data.validation = open_validation_sets(training, mesh, data.tokenizer.get());
  if (recipe.checkpoint.enabled)
    data.inputs = read_inputs(recipe, training.model.folder, dataset, options, *data.training);
  return data;
}

checkpoint::ModelSource source_of(const Training& training, const DataSets& data) {
  const config::Recipe& recipe = training.recipe;
  return {training.model.weights_dtype,
          training.model.config_json,
          training.model.folder,
          data.tokenizer ? data.tokenizer->files() : std::vector<fs::path>(),
          recipe.dataset.chat_template.empty() ? "" : data::template_source(recipe.dataset.chat_template),
          training.model.adapters};
}

}  // namespace automodel::train
