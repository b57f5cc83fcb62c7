// `automodel generate`: text from a model, to look at what was trained.
#include <algorithm>
#include <chrono>
#include <filesystem>

#include <nlohmann/json.hpp>

#include <ATen/ops/empty.h>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/engine/executor.h"
#include "core/families/family.h"
#include "core/families/generation_config.h"
#include "core/io/python_json.h"
#include "core/models/unit_types.h"
#include "core/ops/embedding.h"
#include "core/recipes/entry.h"
#include "core/recipes/sampling.h"
#include "core/tokenizer/text_stream.h"
#include "core/tokenizer/tokenizer.h"
#include "core/train/model_setup.h"

namespace automodel::recipes {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int64_t kDefaultNewTokens = 128;
constexpr int64_t kTopKOfTransformers = 50;  // what it samples with when nobody names top_k

fs::path find_folder(const std::string& model) {
  fs::path folder = families::find_model_folder(model);
  check(fs::is_directory(folder), ErrorCode::kData, model, ": expected a model's folder, found a file");
  return folder;
}

/// Everything that does not differ from prompt to prompt.
struct Settings {
  SamplingOptions sampling;
  int64_t max_new_tokens = kDefaultNewTokens;
  std::vector<int64_t> eos_ids;
};

void refuse(const families::GenerationConfig& config, const std::vector<std::string>& settings) {
  check(
      settings.empty(),
      ErrorCode::kUnsupported,
      config.origin,
      ": ",
      join(settings, ", "),
      " would change the text and is not implemented; --no-generation-config generates without this file's settings");
}

Settings make_settings(const GenerateRequest& request, const fs::path& folder) {
  const families::GenerationConfig config = request.use_generation_config
                                                ? families::read_generation_config(folder)
                                                : families::read_eos_only(folder);
  refuse(config, config.not_implemented);
  if (request.sample) refuse(config, config.not_implemented_sampling);
  const auto choose = [](const auto& asked, const auto& of_model, auto otherwise) {
    return asked ? *asked : of_model.value_or(otherwise);
  };
  Settings settings;
  settings.eos_ids = config.eos_token_ids;
  settings.max_new_tokens = choose(request.max_new_tokens, config.max_new_tokens, kDefaultNewTokens);
  SamplingOptions& sampling = settings.sampling;
  sampling.sample = request.sample;
  sampling.repetition_penalty = choose(request.repetition_penalty, config.repetition_penalty, 1.0);
  sampling.temperature = choose(request.temperature, config.temperature, 1.0);
  sampling.top_k = choose(request.top_k, config.top_k, kTopKOfTransformers);
  sampling.top_p = choose(request.top_p, config.top_p, 1.0);
  const bool temperature_fits = !sampling.sample || sampling.temperature > 0;
  check(
      sampling.repetition_penalty > 0 && temperature_fits && sampling.top_k >= 0 && sampling.top_p >= 0 &&
          sampling.top_p <= 1 && settings.max_new_tokens > 0,
      ErrorCode::kFormat,
      config.origin,
      ": expected max_new_tokens, temperature and repetition_penalty above 0, top_k at least 0, top_p from 0 to 1");
  const std::string penalty = sampling.repetition_penalty == 1.0
                                  ? ""
                                  : detail::join(", repetition_penalty ", sampling.repetition_penalty);
  if (request.sample) {
    log::info("sampling: temperature ",
              sampling.temperature,
              ", top_k ",
              sampling.top_k,
              ", top_p ",
              sampling.top_p,
              ", seed ",
              request.seed,
              penalty);
  } else {
    log::info("greedy", penalty);
  }
  return settings;
}

train::LoadedModel load(const GenerateRequest& request, const fs::path& folder) {
  config::Recipe recipe;
  recipe.model.path = folder.string();
  recipe.model.ignore_config_keys = request.ignore_config_keys;
  recipe.model.torch_dtype = train::compute_dtype_of(request.dtype, folder, request.ignore_config_keys);
  if (request.adapter.empty()) return train::load_model(recipe);
  return train::load_model(recipe, peft::read_adapter(request.adapter));
}

/// One model with its tokenizer, if any: continues prompts.
class Generator {
 public:
  Generator(const GenerateRequest& request, const fs::path& folder)
      : request_(request),
        settings_(make_settings(request, folder)),
        tokenizer_(load_tokenizer(request, folder)),
        model_(load(request, folder)),
        executor_(model_.decoder.segment_pointers(), model_.decoder.unit_pointers(), {}) {
    for (const std::string& stop : request.stops) {
      check(tokenizer_.has_value(), ErrorCode::kUsage, "--stop needs a tokenizer in ", folder.string());
      // The text of a special token is never decoded, so its id stops too.
      if (const auto id = tokenizer_->token_to_id(stop)) stop_ids_.push_back(*id);
    }
  }

  Generated run(size_t index, const std::function<void(std::string_view)>& on_text) {
    const Prompt& prompt = request_.prompts[index];
    Generated result;
    read_prompt(prompt, result);
    Sampler sampler(settings_.sampling, request_.seed + index);
    std::optional<tokenizer::TextStream> stream;
    if (tokenizer_) stream.emplace(*tokenizer_, request_.stops);
    const auto add_text = [&](const std::string& piece) {
      if (piece.empty()) return;
      result.text += piece;
      on_text(piece);
    };

    const int64_t most = most_new_tokens(result.prompt_ids);
    nn::SequenceCache cache;
    std::vector<int64_t> ids = result.prompt_ids;
    const Clock::time_point start = Clock::now();
    Clock::time_point first = start;
    while (result.finish_reason.empty()) {
      const Sampler::Choice next = sampler.choose(next_logits(ids, cache), tensor_of(ids));
      ids.push_back(next.id);
      result.ids.push_back(next.id);
      result.logprobs.push_back(next.logprob);
      if (result.ids.size() == 1) first = Clock::now();
      result.finish_reason = finish_reason(result.ids, most);
      if (!stream || result.finish_reason == "eos" || result.finish_reason == "stop") continue;
      add_text(stream->push(static_cast<int32_t>(next.id)));
      if (stream->stopped()) result.finish_reason = "stop";
    }
    const std::chrono::duration<double> steps = Clock::now() - first;
    if (stream) add_text(stream->finish());
    result.prompt_s = std::chrono::duration<double>(first - start).count();
    const auto later = static_cast<double>(result.ids.size() - 1);
    result.tokens_per_s = later > 0 && steps.count() > 0 ? later / steps.count() : 0;
    return result;
  }

 private:
  static std::optional<tokenizer::Tokenizer> load_tokenizer(const GenerateRequest& request,
                                                            const fs::path& folder) {
    const auto has = [&](Prompt::Kind kind) {
      return std::any_of(request.prompts.begin(), request.prompts.end(), [kind](const Prompt& prompt) {
        return prompt.kind == kind;
      });
    };
    const bool needed = has(Prompt::Kind::kText) || has(Prompt::Kind::kChat);
    const fs::path place = request.tokenizer.empty() ? folder : find_folder(request.tokenizer);
    if (request.tokenizer.empty() && !needed) return tokenizer::Tokenizer::load_if_present(folder);
    if (request.tokenizer.empty() && !has_tokenizer(folder)) refuse_without_tokenizer(folder);
    auto loaded = tokenizer::Tokenizer::load(place);
    if (!request.chat_template.empty()) loaded.set_chat_template(request.chat_template);
    check(
        !has(Prompt::Kind::kChat) || loaded.chat_template() != nullptr,
        ErrorCode::kConfig,
        place.string(),
        ": no chat template (a base model has none); give one with --chat-template FILE, or continue plain text with --prompt");
    if (has(Prompt::Kind::kText) && loaded.chat_template() != nullptr)
      log::info("--prompt is continued as it stands; --chat FILE puts messages through the chat template");
    return loaded;
  }

  /// Of any kind: the loader says which it does not read.
  static bool has_tokenizer(const fs::path& folder) {
    for (const char* file : {"tokenizer.json", "vocab.json", "tokenizer.model", "tekken.json", "vocab.txt"}) {
      if (fs::exists(folder / file)) return true;
    }
    return false;
  }

  [[noreturn]] static void refuse_without_tokenizer(const fs::path& folder) {
    fail(
        ErrorCode::kFormat,
        folder.string(),
        ": no tokenizer (expected tokenizer.json, or vocab.json with merges.txt); name the one that its data was made with: --tokenizer DIR here, or tokenizer.pretrained_model_name_or_path: DIR in the recipe, which puts it into every checkpoint; --ids FILE needs none");
  }

  void read_prompt(const Prompt& prompt, Generated& result) const {
    if (prompt.kind == Prompt::Kind::kIds) {
      result.prompt_ids = prompt.ids;
    } else {
      const bool chat = prompt.kind == Prompt::Kind::kChat;
      result.prompt = chat ? tokenizer_->render_chat(io::parse_python_json(prompt.content, "--chat")).text
                           : prompt.content;
      // A template writes the special tokens itself.
      const std::vector<int32_t> ids = tokenizer_->encode(result.prompt, !chat);
      result.prompt_ids.assign(ids.begin(), ids.end());
    }
    check(!result.prompt_ids.empty(),
          ErrorCode::kData,
          "the prompt has no token and this tokenizer puts none before it: there is nothing to continue");
    ops::check_token_ids(tensor_of(result.prompt_ids), model_.decoder.config.vocab_size);
    arch::check_positions(model_.decoder.config, std::ssize(result.prompt_ids));
  }

  /// What the model has positions for: the last token of a text needs none.
  int64_t most_new_tokens(const std::vector<int64_t>& prompt_ids) const {
    const arch::DecoderConfig& config = model_.decoder.config;
    const int64_t learned = arch::learned_positions(config) - std::ssize(prompt_ids);
    if (learned < settings_.max_new_tokens - 1) {
      log::warning(
          "after ", learned + 1, " new tokens the model has learnt no more positions: it ends there");
      return learned + 1;
    }
    if (settings_.max_new_tokens > config.max_position_embeddings - std::ssize(prompt_ids)) {
      log::warning("the prompt of ",
                   prompt_ids.size(),
                   " tokens with up to ",
                   settings_.max_new_tokens,
                   " new ones may pass the ",
                   config.max_position_embeddings,
                   " positions that the model was made for (max_position_embeddings)");
    }
    return settings_.max_new_tokens;
  }

  static at::Tensor tensor_of(const std::vector<int64_t>& ids) {
    at::Tensor tensor = at::empty({static_cast<int64_t>(ids.size())}, at::kLong);
    std::copy(ids.begin(), ids.end(), tensor.mutable_data_ptr<int64_t>());
    return tensor;
  }

  /// What the model expects after `ids` [V]: of the last id alone once the cache holds those before it.
  at::Tensor next_logits(const std::vector<int64_t>& ids, nn::SequenceCache& cache) {
    const bool continues = request_.use_cache && cache.length() > 0;
    const std::vector<int64_t> fresh(continues ? ids.end() - 1 : ids.begin(), ids.end());
    nn::MicroBatch batch;
    const at::Device device = models::device_of(model_.decoder);
    batch.input_ids_BT = tensor_of(fresh).unsqueeze(0).to(device);
    batch.want_logits = batch.last_logits_only = true;
    batch.cache = request_.use_cache ? &cache : nullptr;
    const at::Tensor logits = executor_.evaluate({batch}).front().at(nn::kLogits);
    return logits[0][0].to(at::Device(at::kCPU), at::kFloat);
  }

  std::string finish_reason(const std::vector<int64_t>& ids, int64_t most) const {
    const auto holds = [&](const std::vector<int64_t>& list) {
      return std::find(list.begin(), list.end(), ids.back()) != list.end();
    };
    if (holds(settings_.eos_ids)) return "eos";
    if (holds(stop_ids_)) return "stop";
    return std::ssize(ids) >= most ? "length" : "";
  }

  const GenerateRequest& request_;
  Settings settings_;
  std::optional<tokenizer::Tokenizer> tokenizer_;
  train::LoadedModel model_;
  engine::Executor executor_;
  std::vector<int64_t> stop_ids_;
};

}  // namespace

void generate(const GenerateRequest& request) {
  Generator generator(request, find_folder(request.model));
  for (size_t i = 0; i < request.prompts.size(); ++i) {
    try {
      request.events.done(generator.run(i, request.events.text));
    } catch (Error& error) {
      if (request.prompts.size() > 1) error.add_context(detail::join("continuing prompt ", i + 1));
      throw;
    }
  }
}

}  // namespace automodel::recipes
