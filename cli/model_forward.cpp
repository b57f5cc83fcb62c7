// automodel model forward: logits, loss and gradients of a checkpoint to a file, to be compared with
// transformers.
#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/config_keys.h"
#include "cli/engine_library.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/families/config_json.h"
#include "core/io/json.h"

namespace automodel::cli {
namespace {

using recipes::ForwardCase;

constexpr const char* kModelForwardFooter =
    "IDS.json is a list of rows, each a list of token ids; rows may differ in length.\n"
    "LABELS.json has the same shape and is aligned: labels[r][t] is what position t should predict, -100 for "
    "nothing.\n"
    "Without --labels the label of a position is the next id, which is what transformers computes for\n"
    "model(ids, labels=ids): there the labels are shifted inside.\n"
    "Masked language models: the label of a position is its own id. Classification: LABELS.json has one "
    "number a row,\n"
    "or num_labels of them (problem_type regression or multi_label_classification).\n"
    "The file holds `logits` (float32, [rows, longest row, vocabulary], zeros after a row's end; of a "
    "classifier\n"
    "[rows, labels]), `embedding` [rows, width] of a model without a head, `loss` "
    "(mean over all\n"
    "labels) and, with --grads, `grad.NAME` for every parameter; with --adapter for those of the adapter "
    "alone.\n"
    "Examples:\n"
    "  automodel model forward -m ./SmolLM2-135M --ids ids.json --grads -o ours.safetensors\n"
    "  automodel model forward --cases cases.json\n"
    "      [{\"model\": DIR, \"ids\": FILE, \"labels\": FILE, \"grads\": true, \"dtype\": \"bfloat16\", "
    "\"output\": FILE}, ...]\n"
    "A case with \"refused\": FILE whose model or rows are refused writes the message there and goes on; "
    "\"documents\"\n"
    "is --documents; so are the other options, \"bidirectional\": true among them.\n"
    "  automodel model forward -m ./all-MiniLM-L6-v2 --ids ids.json --pooling mean -o vectors.safetensors\n"
    "The same in transformers (docs/parity.md has it with rows of several lengths):\n"
    "  model = AutoModelForCausalLM.from_pretrained(DIR, dtype=torch.float32, "
    "attn_implementation=\"eager\")\n"
    "  out = model(torch.tensor(ids), labels=torch.tensor(ids)); out.loss.backward()\n"
    "  out.logits, out.loss, {name: p.grad for name, p in model.named_parameters()}";

/// Keys of a case that hold text, and those that hold true or false.
constexpr std::array kTexts = {std::pair{"model", &ForwardCase::model},
                               std::pair{"adapter", &ForwardCase::adapter},
                               std::pair{"ids", &ForwardCase::ids},
                               std::pair{"labels", &ForwardCase::labels},
                               std::pair{"documents", &ForwardCase::documents},
                               std::pair{"token_types", &ForwardCase::token_types},
                               std::pair{"task", &ForwardCase::task},
                               std::pair{"pooling", &ForwardCase::pooling},
                               std::pair{"refused", &ForwardCase::refused},
                               std::pair{"output", &ForwardCase::output},
                               std::pair{"dtype", &ForwardCase::dtype}};
constexpr std::array kFlags = {std::pair{"grads", &ForwardCase::grads},
                               std::pair{"bidirectional", &ForwardCase::bidirectional}};

constexpr const char* kIgnoredKeys = "ignore_config_keys";  // a list

[[noreturn]] void refuse_key(const std::string& key, const std::string& where) {
  std::vector<std::string> known;
  for (const auto& [name, member] : kTexts) known.emplace_back(name);
  for (const auto& [name, member] : kFlags) known.emplace_back(name);
  known.emplace_back(kIgnoredKeys);
  const std::string nearest = nearest_name(key, known);
  fail(ErrorCode::kData,
       where,
       ": unknown key \"",
       key,
       "\"",
       nearest.empty() ? "; known: " + join(known, ", ") : "; did you mean \"" + nearest + "\"?");
}

/// One object of --cases.
ForwardCase case_of(const nlohmann::json& object, const std::string& where) {
  check(object.is_object(), ErrorCode::kData, where, ": expected an object");
  ForwardCase request;
  for (const auto& [key, value] : object.items()) {
    const auto is_key = [&](const auto& entry) { return key == entry.first; };
    const auto text = std::ranges::find_if(kTexts, is_key);
    const auto flag = std::ranges::find_if(kFlags, is_key);
    if (text != kTexts.end()) {
      check(value.is_string(), ErrorCode::kData, where, ": \"", key, "\": expected a string");
      request.*(text->second) = value.get<std::string>();
    } else if (flag != kFlags.end()) {
      check(value.is_boolean(), ErrorCode::kData, where, ": \"", key, "\": expected true or false");
      request.*(flag->second) = value.get<bool>();
    } else if (key == kIgnoredKeys) {
      request.ignore_config_keys = families::words_of(value, where + ": \"" + key + "\"");
    } else {
      refuse_key(key, where);
    }
  }
  check(!request.model.empty() && !request.ids.empty() && !request.output.empty(),
        ErrorCode::kData,
        where,
        ": expected \"model\", \"ids\" and \"output\"");
  return request;
}

std::vector<ForwardCase> read_cases(const std::string& path) {
  const nlohmann::json list = io::read_json(path);
  check(list.is_array() && !list.empty(), ErrorCode::kData, path, ": expected a list of cases");
  std::vector<ForwardCase> cases;
  std::set<std::string> outputs;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string where = detail::join(path, ": case ", i);
    cases.push_back(case_of(list[i], where));
    check(outputs.insert(cases.back().output).second,
          ErrorCode::kData,
          where,
          ": \"",
          cases.back().output,
          "\" is the output of another case too");
  }
  return cases;
}

}  // namespace

void add_model_forward(CLI::App& parent) {
  struct Options {
    ForwardCase request;
    std::string cases;
  };

  const auto options = std::make_shared<Options>();
  ForwardCase& request = options->request;
  CLI::App* command = parent.add_subcommand(
      "forward", "Write a model's logits, loss and gradients on given token ids to a file");
  command
      ->add_option(
          "-m,--model", request.model, "Folder with config.json and weights, or a Hub id in the cache")
      ->type_name("DIR");
  command
      ->add_option("-a,--adapter",
                   request.adapter,
                   "Adapter on the model: a PEFT folder, or a training checkpoint that holds one")
      ->type_name("DIR");
  command->add_option("--ids", request.ids, "Rows of token ids")->type_name("FILE");
  command->add_option("--labels", request.labels, "Rows of labels, aligned with positions")
      ->type_name("FILE");
  command
      ->add_option(
          "--documents",
          request.documents,
          "Rows of numbers aligned with ids: equal neighbours are one document, which sees itself alone")
      ->type_name("FILE");
  command
      ->add_option(
          "--token-types", request.token_types, "Rows of numbers aligned with ids (segments of BERT)")
      ->type_name("FILE");
  command
      ->add_option(
          "--task", request.task, "classification or embedding, in place of what the model's class says")
      ->check(CLI::IsMember({"classification", "embedding"}))
      ->option_text("TASK");
  command->add_option("--pooling", request.pooling, "first, last or mean: the vector that stands for a row")
      ->check(CLI::IsMember({"first", "last", "mean"}))
      ->option_text("POOLING");
  command->add_flag(
      "--bidirectional", request.bidirectional, "A decoder's tokens also see those behind them");
  command->add_flag("--grads", request.grads, "Also the gradient of the loss by every parameter");
  command
      ->add_option(
          "--dtype", request.dtype, "float32 (default), bfloat16, or auto: as stored, float16 as float32")
      ->check(CLI::IsMember({"float32", "bfloat16", "auto"}))
      ->option_text("TYPE");
  add_ignored_keys(*command, request.ignore_config_keys);
  command->add_option("-o,--output", request.output, "Safetensors file to write")->type_name("FILE");
  command
      ->add_option(
          "--cases", options->cases, "JSON list of many of these, in one process, instead of the rest")
      ->type_name("FILE");
  command->footer(kModelForwardFooter);
  command->callback([options, command] {
    if (!options->cases.empty()) {
      for (const CLI::Option* option : command->get_options()) {
        check(option->count() == 0 || option->get_name() == "--cases",
              ErrorCode::kUsage,
              "model forward: --cases says all; leave out ",
              option->get_name());
      }
      const std::vector<ForwardCase> list = read_cases(options->cases);
      load_engine()(list);
      return;
    }
    const ForwardCase& one = options->request;
    check(!one.model.empty() && !one.ids.empty() && !one.output.empty(),
          ErrorCode::kUsage,
          "model forward: expected --model DIR --ids FILE --output FILE, or --cases FILE");
    load_engine()(std::vector{one});
  });
}

}  // namespace automodel::cli
