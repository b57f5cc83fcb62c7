#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
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

/// Called while texts grow.
struct GenerateEvents {
  std::function<void(std::string_view)> text;  ///< the next piece: whole characters
  std::function<void(const Generated&)> done;  ///< a prompt's text is complete
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
  GenerateEvents events;
};

/// What a recipe does, until it is done.
struct RecipeRun {
  const config::Recipe& recipe;
  store::RunRecorder& recorder;  ///< told of every record and checkpoint
  int status = 0;                ///< the exit status: 128 + n when signal n stopped it
};

/// Runs the function of the recipe's kind (recipe_table.cpp) and sets the status.
void run_recipe(RecipeRun& run);

/// Runs each case and writes its file: logits [rows, longest, V] f32 (zeros after a row's end) or [rows,
/// labels], loss (mean over labels), embedding [rows, D] and, when asked, grad.NAME of every parameter.
/// Throws Error naming the case that failed; earlier files stay.
void forward(const std::vector<ForwardCase>& cases);

/// Continues each prompt, one after the other: the prompt in one pass, then a token a step, with what
/// attention keeps of the tokens before in a cache. Greedy and sampled texts are those of transformers'
/// generate (docs/generate.md). Throws Error(kUnsupported) naming a setting of generation_config.json that
/// would change the text and is not implemented.
void generate(const GenerateRequest& request);

/// The functions of the engine library, each by the type of its request: those above, and
/// checkpoint::merge_adapter() and checkpoint::convert_model(). engine_entry.cpp has a row for each.
struct Engine {
  void (*call)(const std::type_info& type, void* request);

  /// Throws what the function does; Error(kInternal) for a request that no row takes.
  template <class Request>
  void operator()(Request&& request) const {
    call(typeid(Request), const_cast<std::remove_cvref_t<Request>*>(&request));
  }
};

/// The one symbol that the library exports for this purpose.
constexpr const char* kEngineSymbol = "automodel_engine";
using EngineFunction = const Engine* (*)();

}  // namespace automodel::recipes
