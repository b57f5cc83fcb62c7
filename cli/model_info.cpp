// automodel model info: what a config.json says, without weights.
#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/config_keys.h"
#include "cli/number_range.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/families/family.h"
#include "core/families/rope.h"
#include "core/families/stored_type.h"
#include "core/weights/cost.h"
#include "core/weights/model_block.h"

namespace automodel::cli {
namespace {

using arch::DecoderConfig;
using nlohmann::ordered_json;

constexpr int64_t kDefaultLength = 4096;

struct ModelInfoOptions {
  std::string model;
  std::string family_file;
  std::vector<std::string> ignored_keys;
  int64_t length = 0;
  bool strict = false;
  bool json = false;
};

DecoderConfig read(const ModelInfoOptions& options) {
  const std::filesystem::path place = families::find_model_folder(options.model);
  const std::filesystem::path file = std::filesystem::is_directory(place) ? place / "config.json" : place;
  families::KeyRules rules;
  rules.strict = options.strict;
  rules.ignored = options.ignored_keys;
  DecoderConfig config =
      families::read_decoder_config(read_file(file), file.string(), "", options.family_file, {}, rules);
  if (!config.stored_dtype && families::has_weights(file.parent_path()))
    config.stored_dtype = families::type_of_weights(file.parent_path(), io::open_weights(file.parent_path()));
  return config;
}

ordered_json rope_json(const arch::RopeConfig& rope, int64_t length) {
  ordered_json json = {{"theta", rope.theta},
                       {"rotary_dim", rope.rotary_dim},
                       {"attention_factor", rope.attention_factor},
                       {"inv_freq", rope.inv_freq}};
  json["inv_freq_at_length"] = families::rope_inv_freq(rope, length);
  if (rope.dynamic_factor > 0) json["dynamic_factor"] = rope.dynamic_factor;
  if (rope.original_max_position > 0) json["original_max_position"] = rope.original_max_position;
  return json;
}

ordered_json layers_json(const DecoderConfig& decoder) {
  ordered_json layers = ordered_json::array();
  for (const arch::LayerConfig& layer : decoder.layers) {
    const arch::AttentionConfig& attention = layer.attention;
    layers.push_back({{"num_heads", attention.num_heads},
                      {"num_kv_heads", attention.num_kv_heads},
                      {"head_dim", attention.head_dim},
                      {"sliding_window", attention.sliding_window},
                      {"intermediate_size", layer.mlp.intermediate_size}});
  }
  return layers;
}

struct Facts {
  weights::Cost cost;
  int64_t bytes = 0, length = 0;
  double flops = 0;
  DType dtype = DType::kFloat32;
};

Facts facts_of(const DecoderConfig& decoder, int64_t length) {
  Facts facts;
  facts.cost = weights::cost_of(decoder);
  facts.dtype = arch::dtype_in_files(decoder);
  facts.bytes = facts.cost.parameters * size_of(facts.dtype);
  facts.length = length > 0 ? length : std::min(kDefaultLength, decoder.max_position_embeddings);
  facts.flops = facts.cost.flops_per_token(facts.length);
  return facts;
}

/// Each part that the model has, with what `value` gives of it.
template <class Value>
ordered_json parts_json(const weights::Cost& cost, Value value) {
  ordered_json json = ordered_json::object();
  for (size_t i = 0; i < cost.parts.size(); ++i) {
    if (cost.parts[i].parameters > 0)
      json[std::string(weights::name_of(static_cast<weights::Part>(i)))] = value(cost.parts[i]);
  }
  return json;
}

int64_t rounded(double count) {
  return static_cast<int64_t>(std::llround(count));
}

std::string task_text(const DecoderConfig& decoder) {
  switch (decoder.task) {
    case arch::Task::kNextToken:
      return "the next token";
    case arch::Task::kMaskedToken:
      return "masked tokens";
    case arch::Task::kClassification:
      switch (decoder.classifier.label_kind.value_or(arch::LabelKind::kClass)) {
        case arch::LabelKind::kClass:
          return detail::join("the class of a row, one of ", decoder.classifier.num_labels);
        case arch::LabelKind::kNumbers:
          return detail::join("numbers for a row: ", decoder.classifier.num_labels);
        case arch::LabelKind::kSeveral:
          return detail::join("which of ", decoder.classifier.num_labels, " labels a row has");
      }
      break;
    case arch::Task::kEmbedding:
      return "a vector for a row";
  }
  fail(ErrorCode::kInternal, "task ", static_cast<int>(decoder.task));
}

void print_json(const DecoderConfig& decoder, const Facts& facts) {
  ordered_json ropes = ordered_json::array();
  for (const arch::RopeConfig& rope : decoder.ropes) ropes.push_back(rope_json(rope, facts.length));
  const ordered_json json = {
      {"architecture", decoder.architecture},
      {"family", decoder.family},
      {"predicts", task_text(decoder)},
      {"parameters", facts.cost.parameters},
      {"active_parameters", facts.cost.active_parameters},
      {"parameters_by_kind",
       parts_json(facts.cost, [](const weights::PartSize& part) { return part.parameters; })},
      {"active_parameters_by_kind",
       parts_json(facts.cost, [](const weights::PartSize& part) { return rounded(part.active); })},
      {"bytes", facts.bytes},
      {"checkpoint_bytes", facts.cost.file_bytes},
      {"dtype", torch_name(facts.dtype)},
      {"flops_per_token", facts.flops},
      {"flops_length", facts.length},
      {"vocab_size", decoder.vocab_size},
      {"hidden_size", decoder.hidden_size},
      {"max_position_embeddings", decoder.max_position_embeddings},
      {"tie_word_embeddings", decoder.head.tied},
      {"layers", layers_json(decoder)},
      {"ropes", ropes}};
  std::cout << json.dump(2) << "\n";
}

void row(const std::string& name, const std::string& value) {
  std::cout << std::left << std::setw(18) << name << value << "\n";
}

/// How many layers mix tokens in each way.
std::string mixers_text(const DecoderConfig& decoder) {
  std::map<std::string, int64_t> counts;
  for (const arch::LayerConfig& layer : decoder.layers) {
    std::vector<std::string> mixers;
    for (const arch::MixerKind mixer : layer.mixers) mixers.push_back(weights::block_of(mixer).text(layer));
    ++counts[mixers.empty() ? "without a mixer" : join(mixers, " beside ")];
  }
  std::vector<std::string> parts;
  for (const auto& [mixers, count] : counts) parts.push_back(detail::join(count, " ", mixers));
  return join(parts, ", ");
}

/// "46,702,792,704, a token passes 12,879,925,248".
std::string size_text(int64_t parameters, int64_t active) {
  const std::string passes = active < parameters ? ", a token passes " + with_thousands(active) : "";
  return with_thousands(parameters) + passes;
}

std::string quantization_text(const arch::QuantizationConfig& quantization) {
  switch (quantization.kind) {
    case arch::QuantizationConfig::Kind::kNone:
      return "";
    case arch::QuantizationConfig::Kind::kFp8Blocks:
      return detail::join(
          ", matrices in FP8 blocks of ", quantization.block_rows, " x ", quantization.block_columns);
    case arch::QuantizationConfig::Kind::kMxfp4:
      return ", experts in MXFP4";
  }
  fail(ErrorCode::kInternal, "quantization kind ", static_cast<int>(quantization.kind));
}

void print_table(const DecoderConfig& decoder, const Facts& facts) {
  const arch::AttentionConfig& attention = decoder.layers.front().attention;
  const bool large = facts.flops >= 1e9;
  std::ostringstream flops;
  flops << std::setprecision(4) << facts.flops / (large ? 1e9 : 1e6) << (large ? " GFLOP" : " MFLOP")
        << " forward and backward, in a sequence of " << with_thousands(facts.length);
  row("architecture", decoder.architecture + " (family " + decoder.family + ")");
  row("predicts", task_text(decoder));
  row("parameters", size_text(facts.cost.parameters, facts.cost.active_parameters));
  for (size_t i = 0; i < facts.cost.parts.size(); ++i) {
    const weights::PartSize& part = facts.cost.parts[i];
    if (part.parameters == 0) continue;
    std::string name(weights::name_of(static_cast<weights::Part>(i)));
    std::ranges::replace(name, '_', ' ');
    row("  " + name, size_text(part.parameters, rounded(part.active)));
  }
  row("bytes", human_bytes(facts.bytes) + " as " + std::string(torch_name(facts.dtype)));
  row("checkpoint", human_bytes(facts.cost.file_bytes) + quantization_text(decoder.quantization));
  row("per token", flops.str());
  row("layers", detail::join(decoder.layers.size(), " (", mixers_text(decoder), ")"));
  row("hidden size", with_thousands(decoder.hidden_size));
  row("MLP size", with_thousands(decoder.layers.front().mlp.intermediate_size));
  row("heads",
      detail::join(
          attention.num_heads, " query, ", attention.num_kv_heads, " key-value, of ", attention.head_dim));
  const bool tied = arch::predicts_tokens(decoder) && decoder.head.tied;
  row("vocabulary", with_thousands(decoder.vocab_size) + (tied ? ", head tied" : ""));
  row("positions", with_thousands(decoder.max_position_embeddings));
}

}  // namespace

void add_model_info(CLI::App& parent) {
  const auto options = std::make_shared<ModelInfoOptions>();
  CLI::App* command =
      parent.add_subcommand("info", "Show what a model's config.json says: size, shape, cost a token");
  command->add_option("model", options->model, "A folder, a config.json, or a Hub id that lies in the cache")
      ->required();
  command
      ->add_option("--length",
                   options->length,
                   "Sequence length for cost and rotary regime (default: 4096, or what the model allows)")
      ->check(positive_integer());
  command->add_option("--family-file", options->family_file, "Read it through this family file")
      ->type_name("FILE");
  add_ignored_keys(*command, options->ignored_keys);
  command->add_flag(
      "--strict", options->strict, "A key of config.json that its family does not know is an error");
  command->add_flag("--json", options->json, "As JSON, with each layer and the rotary frequencies");
  command->footer(
      "Reads no weights (their headers, where config.json does not say their type). Tied weights count once; the cost is 6 FLOP a parameter in a matrix product plus attention.\n"
      "Examples:\n"
      "  automodel model info ./SmolLM2-135M\n"
      "  automodel model info Qwen/Qwen3-0.6B --json\n"
      "  automodel model info config.json --length 8192");
  command->callback([options] {
    const DecoderConfig decoder = read(*options);
    const Facts facts = facts_of(decoder, options->length);
    options->json ? print_json(decoder, facts) : print_table(decoder, facts);
  });
}

}  // namespace automodel::cli
