// automodel generate: text from a model, to look at what was trained.
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/config_keys.h"
#include "cli/conversation.h"
#include "cli/engine_library.h"
#include "cli/number_range.h"
#include "cli/text_input.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/data/chat_encoder.h"
#include "core/io/json.h"
#include "core/io/python_json.h"

namespace automodel::cli {
namespace {

using nlohmann::ordered_json;
using recipes::Generated;
using recipes::GenerateRequest;
using recipes::Prompt;

constexpr const char* kGenerateFooter =
    "The text goes to standard output as it grows, the log to standard error. Each prompt is continued on "
    "its "
    "own, greedily\n"
    "unless sampling is asked for with --sample, --temperature, --top-k or --top-p; temperature 0 is "
    "greedy.\n"
    "Sampling takes what is not given from the model's generation_config.json, else transformers' defaults:\n"
    "temperature 1, top_k 50, top_p 1; filters apply in that order. repetition_penalty and max_new_tokens of "
    "that file\n"
    "count always; a setting that would change the text and is not implemented is an error.\n"
    "It ends at the file's (or config.json's) eos_token_id, at --stop or after --max-new-tokens.\n"
    "The same seed gives the same text, with or without the cache, and the tokens that transformers gives "
    "after\n"
    "torch.manual_seed(SEED) on a CPU; the second prompt has SEED + 1.\n"
    "--json prints one object a line for each prompt: prompt, text, prompt_ids, ids, logprobs (of each id, "
    "in "
    "the\n"
    "distribution that it was chosen from), finish_reason (eos, stop, length), prompt_s, tokens_per_s.\n"
    "\n"
    "Examples:\n"
    "  automodel generate -m ./SmolLM2-135M -p 'The capital of France is'\n"
    "  automodel generate -m checkpoints/LATEST --chat chat.json --max-new-tokens 200\n"
    "  automodel generate -m ./gemma-3-270m --chat chat.json --chat-template chat.jinja --system 'Be "
    "brief.'\n"
    "  automodel generate -m ./SmolLM2-135M --adapter checkpoints/LATEST -p 'Once upon a time'\n"
    "  automodel generate -m DIR -p 'Once' -p 'Twice' --temperature 0.7 --top-p 0.9 --seed 3\n"
    "  automodel generate -m DIR -p 'Q: 1 + 1?' --stop $'\\n' --json\n"
    "  git diff | automodel generate -m DIR -p -\n"
    "where chat.json is what the model's chat template renders, with the prompt for an answer:\n"
    "  [{\"role\": \"user\", \"content\": \"Hi\"}]   or   {\"messages\": [...], \"tools\": [...]}";

struct GenerateOptions {
  GenerateRequest request;
  std::vector<std::string> prompts;
  std::string chat, ids, chat_template;
  std::optional<std::string> system;
  bool no_cache = false;
  bool no_generation_config = false;
  bool json = false;
};

Prompt read_text(const std::string& words) {
  const bool piped = words == "-";
  return {
      Prompt::Kind::kText, check_utf8(piped ? read_input(words) : words, piped ? "stdin" : "--prompt"), {}};
}

Prompt read_chat(const std::string& file, const std::optional<std::string>& system) {
  const std::string text = read_input(file);
  refuse_data_set(file, text);
  ordered_json chat = io::parse_python_json(text, file);
  if (chat.is_array()) chat = {{"messages", std::move(chat)}};
  const auto messages = chat.is_object() ? chat.find("messages") : chat.end();
  check(messages != chat.end() && messages->is_array() && !messages->empty(),
        ErrorCode::kData,
        file,
        ": expected a list of {\"role\", \"content\"} or an object with \"messages\"");
  if (system) {
    check((*messages)[0].value("role", "") != "system",
          ErrorCode::kUsage,
          "generate --system: ",
          file,
          " begins with a system turn already; leave one of them out");
    messages->insert(messages->begin(), ordered_json({{"role", "system"}, {"content", *system}}));
  }
  if (!chat.contains("add_generation_prompt")) chat["add_generation_prompt"] = true;
  return {Prompt::Kind::kChat, io::write_python_json(chat), {}};
}

std::vector<Prompt> read_ids(const std::string& file) {
  std::vector<Prompt> prompts;
  for (auto& ids : io::whole_number_rows(io::parse_json(read_input(file), file), file))
    prompts.push_back({Prompt::Kind::kIds, {}, std::move(ids)});
  return prompts;
}

std::vector<Prompt> read_prompts(const GenerateOptions& options) {
  const int kinds = int{!options.prompts.empty()} + int{!options.chat.empty()} + int{!options.ids.empty()};
  check(kinds == 1, ErrorCode::kUsage, "generate: expected one of --prompt TEXT, --chat FILE, --ids FILE");
  check(!options.chat.empty() || (options.chat_template.empty() && !options.system),
        ErrorCode::kUsage,
        "generate: --chat-template and --system go with --chat FILE; --prompt and --ids are continued as "
        "they stand");
  if (!options.ids.empty()) return read_ids(options.ids);
  if (!options.chat.empty()) return {read_chat(options.chat, options.system)};
  std::vector<Prompt> prompts;
  for (const std::string& words : options.prompts) prompts.push_back(read_text(words));
  return prompts;
}

/// Jinja text, of a file unless it is text already.
std::string read_template(const std::string& text_or_file) {
  const bool is_text =
      text_or_file.find("{%") != std::string::npos || text_or_file.find("{{") != std::string::npos;
  check(text_or_file.empty() || is_text || std::filesystem::is_regular_file(text_or_file),
        ErrorCode::kUsage,
        "generate --chat-template: \"",
        text_or_file,
        "\" is neither Jinja text nor a file");
  return text_or_file.empty() ? "" : data::template_source(text_or_file);
}

/// Whether to sample, from what was said on the command line.
bool wants_sampling(const GenerateRequest& request) {
  if (request.temperature == 0.0) {
    check(!request.sample, ErrorCode::kUsage, "generate: --temperature 0 is greedy, --sample is not");
    return false;
  }
  return request.sample || request.temperature || request.top_k || request.top_p;
}

void print_json(const Generated& result) {
  std::cout << ordered_json({{"prompt", result.prompt},
                             {"text", result.text},
                             {"prompt_ids", result.prompt_ids},
                             {"ids", result.ids},
                             {"logprobs", result.logprobs},
                             {"finish_reason", result.finish_reason},
                             {"prompt_s", result.prompt_s},
                             {"tokens_per_s", result.tokens_per_s}})
                   .dump()
            << std::endl;
}

void log_speed(const Generated& result) {
  log::info(result.ids.size(),
            " tokens (ended by ",
            result.finish_reason,
            "), prompt of ",
            result.prompt_ids.size(),
            " in ",
            std::round(result.prompt_s * 1000) / 1000,
            " s, then ",
            std::round(result.tokens_per_s * 10) / 10,
            " tokens/s");
}

void run(GenerateOptions& options) {
  GenerateRequest& request = options.request;
  request.prompts = read_prompts(options);
  request.chat_template = read_template(options.chat_template);
  request.sample = wants_sampling(request);
  if (!request.sample) request.temperature.reset();
  for (const std::string& stop : request.stops) {
    check(!check_utf8(stop, "--stop").empty(), ErrorCode::kUsage, "generate --stop: expected a text");
  }
  request.use_cache = !options.no_cache;
  request.use_generation_config = !options.no_generation_config;

  size_t current = 1;  // prompt
  size_t number = 0;   // prompt whose number was printed last
  const auto print = [&](std::string_view piece) {
    if (options.json) return;
    if (const size_t before = std::exchange(number, current);
        before != number && request.prompts.size() > 1) {
      std::cout << "[" << number << "] ";
    }
    std::cout << piece << std::flush;
  };
  request.events.text = print;
  request.events.done = [&](const Generated& result) {
    log_speed(result);
    if (options.json) return print_json(result);
    print("\n");
    ++current;
  };
  load_engine()(request);
}

void add_sampling(CLI::App& command, GenerateOptions& options) {
  GenerateRequest& request = options.request;
  command.add_flag("--sample", request.sample, "Draw each token instead of taking the most likely one")
      ->group("Sampling");
  command.add_option("--temperature", request.temperature, "Divides the logits; 0 is greedy")
      ->check(number_from(1e-6, 1e6, "0, or a number from 0.000001 to 1000000", /*or_zero=*/true))
      ->group("Sampling");
  command.add_option("--top-k", request.top_k, "Draw among the K most likely; 0: all")
      ->check(number_from(0, kMostOfAnything, "a whole number from 0"))
      ->group("Sampling");
  command.add_option("--top-p", request.top_p, "Draw among the most likely that together reach P")
      ->check(number_from(0, 1, "a number from 0 to 1"))
      ->group("Sampling");
  command.add_option("--seed", request.seed, "Of the draws")->capture_default_str()->group("Sampling");
}

}  // namespace

void add_generate(CLI::App& parent) {
  const auto options = std::make_shared<GenerateOptions>();
  GenerateRequest& request = options->request;
  CLI::App* command = parent.add_subcommand("generate", "Continue a prompt or answer a chat with a model");
  command
      ->add_option(
          "-m,--model", request.model, "A model's folder, a checkpoint's folder, or a Hub id in the cache")
      ->type_name("DIR")
      ->required();
  command->add_option("--adapter", request.adapter, "A LoRA adapter on it: its folder, or a checkpoint's")
      ->type_name("DIR");
  command->add_option("-p,--prompt", options->prompts, "Text to continue; again for several; - reads stdin")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  command->add_option("--chat", options->chat, "JSON messages to answer; - reads stdin")->type_name("FILE");
  command
      ->add_option("--chat-template",
                   options->chat_template,
                   "Jinja text or a file of it for --chat, in place of the tokenizer's")
      ->type_name("FILE_OR_TEXT");
  command->add_option("--system", options->system, "A system turn before those of --chat")->type_name("TEXT");
  command
      ->add_option("--tokenizer", request.tokenizer, "A folder with the tokenizer, for a model without one")
      ->type_name("DIR");
  command
      ->add_option("--ids", options->ids, "JSON list of lists of token ids to continue, without a tokenizer")
      ->type_name("FILE");
  command
      ->add_option(
          "--max-new-tokens", request.max_new_tokens, "Most tokens to add (default: the model's, else 128)")
      ->check(positive_integer());
  command->add_option("--stop", request.stops, "End before this text; again for several")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  command
      ->add_option("--repetition-penalty",
                   request.repetition_penalty,
                   "Above 1: tokens that were there are less likely")
      ->check(number_from(1e-6, 1e6, "a number from 0.000001 to 1000000"));
  add_sampling(*command, *options);
  command->add_option("--dtype", request.dtype, "float32, bfloat16, or auto: as stored, float16 as float32")
      ->check(CLI::IsMember({"float32", "bfloat16", "auto"}))
      ->option_text("TYPE");
  add_ignored_keys(*command, request.ignore_config_keys);
  command->add_flag("--no-cache", options->no_cache, "Compute the whole sequence for each token, to compare");
  command->add_flag("--no-generation-config",
                    options->no_generation_config,
                    "Of the model's generation_config.json read only the end-of-sequence ids");
  command->add_flag("--json", options->json, "One JSON object a prompt instead of text");
  command->footer(kGenerateFooter);
  command->callback([options] { run(*options); });
}

}  // namespace automodel::cli
