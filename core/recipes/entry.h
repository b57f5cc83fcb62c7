#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/convert.h"
#include "core/checkpoint/merge.h"
#include "core/config/recipe/recipe.h"
#include "core/store/run_recorder.h"

/// What the engine library offers to the command line. Torch-free: the library is opened with dlopen only
/// when one of these is needed, so that help, errors and `config check` never load LibTorch.
namespace automodel::recipes {

struct ForwardCase {
  std::string model;    ///< folder or Hub id
  std::string adapter;  ///< folder of a trained adapter; empty: none. With it, grads are the adapter's
  std::string ids;      ///< JSON file: list of lists of token ids
  std::string
      labels;  ///< JSON file of the same shape, aligned (not to be shifted); empty: ids shifted by one
  std::string token_types;     ///< rows of numbers aligned with ids (BERT's segments); empty: all 0
  std::string task;            ///< classification, embedding; empty: what the checkpoint's class says
  std::string pooling;         ///< first, last, mean: the vector of a row; empty: the family's
  bool bidirectional = false;  ///< a decoder's tokens also see those behind them
  std::string documents;  ///< rows of numbers aligned with ids: equal neighbours are one document; empty: a
                          ///< row is one
  std::string refused;    ///< where to write the message of a refusal, and go on; empty: a refusal ends all
  std::string output;     ///< safetensors file to write
  bool grads = false;     ///< also write grad.NAME for every parameter
  std::string dtype = "float32";                ///< compute and storage type, or auto
  std::vector<std::string> ignore_config_keys;  ///< of its config.json, as in a recipe
};

/// What a text is made to follow.
struct Prompt {
  enum class Kind {
    kText,  ///< `content` is plain text
    kChat,  ///< `content` is a JSON object: messages, tools and other variables of the chat template
    kIds,   ///< token ids; the folder needs no tokenizer
  } kind = Kind::kText;
  std::string content;
  std::vector<int64_t> ids;
};

/// `generate`. Unset options are those of the model's generation_config.json, else transformers' defaults.
struct GenerateRequest {
  std::string model;          ///< folder, checkpoint folder or Hub id
  std::string adapter;        ///< a LoRA adapter's folder, or a checkpoint's; empty: none
  std::string tokenizer;      ///< folder of one for a model without; empty: the model's own
  std::string chat_template;  ///< Jinja text in place of the tokenizer's; empty: that
  std::string dtype = "auto";
  std::vector<std::string> ignore_config_keys;  ///< of its config.json, as in a recipe
  std::vector<Prompt> prompts;
  std::optional<int64_t> max_new_tokens;
  bool sample = false;  ///< false: the most likely token each time
  std::optional<double> temperature;
  std::optional<int64_t> top_k;
  std::optional<double> top_p;
  std::optional<double> repetition_penalty;
  uint64_t seed = 0;                  ///< of the first prompt; the next one has seed + 1
  std::vector<std::string> stops;     ///< the text ends before the first of these
  bool use_cache = true;              ///< false: the whole sequence anew for each token
  bool use_generation_config = true;  ///< false: only its end-of-sequence ids
};

/// What one prompt gave.
struct Generated {
  std::string prompt;  ///< as text, a chat rendered; empty for ids
  std::string text;    ///< without special tokens and the stop text; empty without a tokenizer
  std::vector<int64_t> prompt_ids;
  std::vector<int64_t> ids;     ///< new ones, the end-of-sequence id included
  std::vector<float> logprobs;  ///< of each id in the distribution that it was chosen from
  std::string finish_reason;    ///< eos, stop or length
  double prompt_s = 0;          ///< until the first token
  double tokens_per_s = 0;      ///< of the tokens after the first; 0 when there is none
};

/// Called while a text grows.
struct GenerateEvents {
  std::function<void(std::string_view)> text;  ///< the next piece: whole characters
  std::function<void(const Generated&)> done;  ///< a prompt's text is complete
};

struct Engine {
  /// Fine-tunes or pretrains until done, and tells `run` of it. Returns the exit status (0, or 128 + n when
  /// signal n stopped it).
  int (*finetune)(const config::Recipe& recipe, store::RunRecorder& run);

  /// `model forward`.
  void (*forward)(const std::vector<ForwardCase>& cases);

  /// `generate`: the prompts one after the other.
  void (*generate)(const GenerateRequest& request, const GenerateEvents& events);

  /// `checkpoint merge`.
  void (*merge)(const checkpoint::MergeRequest& request);

  /// `checkpoint convert`.
  void (*convert)(const checkpoint::ConvertRequest& request);
};

/// The one symbol that the library exports for this purpose.
constexpr const char* kEngineSymbol = "automodel_engine";
using EngineFunction = const Engine* (*)();

}  // namespace automodel::recipes
