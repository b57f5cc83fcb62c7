#include "core/data/chat_encoder.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/data/assistant_mask.h"
#include "core/data/notices.h"
#include "core/data/turn_weight.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

bool is_assistant(const Json& message) {
  return message["role"] == "assistant";
}

bool learns_turn(const Json& messages, size_t index) {
  return is_learnt(messages[index], detail::join("messages[", index, "]"));
}

/// The name under which a message has its reasoning, as transformers looks for it; null when it has none.
const char* reasoning_name(const Json& message) {
  for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
    const auto found = message.find(name);
    if (found != message.end() && !found->is_null()) return *found == "" ? nullptr : name;
  }
  return nullptr;
}

/// The parts of generation blocks that belong to turns that are learnt.
std::vector<std::pair<int64_t, int64_t>> learnt_spans(const Json& messages,
                                                      const tokenizer::Rendered& rendered) {
  std::vector<int64_t> assistants;
  std::vector<bool> is_out(messages.size(), false);
  for (size_t i = 0; i < messages.size(); ++i) {
    if (!is_assistant(messages[i])) continue;
    assistants.push_back(static_cast<int64_t>(i));
    is_out[i] = !learns_turn(messages, i);
  }
  if (std::ranges::find(is_out, true) == is_out.end()) return rendered.assistant_spans;
  const auto& spans = rendered.assistant_spans;
  std::vector<int64_t> owners = rendered.span_messages;
  bool all_known = true;
  for (size_t i = 0; i < owners.size(); ++i) {
    const bool is_empty = spans[i].first == spans[i].second;  // it marks nothing
    all_known = all_known && (owners[i] >= 0 || is_empty);
  }
  if (!all_known) {
    check(
        owners.size() == assistants.size(),
        ErrorCode::kData,
        "the chat template writes ",
        owners.size(),
        " {% generation %} blocks for ",
        assistants.size(),
        " assistant turns, outside a loop over the messages: which of them is not to be learnt cannot be told; write {% for message in messages %} around them");
    owners = assistants;
  }
  std::vector<std::pair<int64_t, int64_t>> kept;
  for (size_t i = 0; i < owners.size(); ++i) {
    if (owners[i] >= 0 && !is_out[static_cast<size_t>(owners[i])]) kept.push_back(spans[i]);
  }
  return kept;
}

}  // namespace

std::string template_source(const std::string& text_or_path) {
  if (text_or_path.find("{%") != std::string::npos || text_or_path.find("{{") != std::string::npos)
    return text_or_path;
  check(std::filesystem::is_regular_file(text_or_path),
        ErrorCode::kConfig,
        "dataset.chat_template: \"",
        text_or_path,
        "\" is neither Jinja text nor a file");
  std::string source = read_file(text_or_path);
  const nlohmann::json parsed = nlohmann::json::parse(source, nullptr, false);
  if (parsed.is_object() && parsed.contains("chat_template") && parsed["chat_template"].is_string()) {
    return parsed["chat_template"].get<std::string>();
  }
  return source;
}

ChatEncoder::ChatEncoder(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer)
    : encoder_(dataset, tokenizer) {
  if (const auto* chat = std::get_if<config::ChatSet>(&dataset.kind)) {
    mask_reasoning_content_ = chat->mask_reasoning_content;
    mask_history_ = chat->mask_history;
  }
  if (!dataset.chat_template.empty()) {
    try {
      own_template_.emplace(template_source(dataset.chat_template));
    } catch (Error& error) {
      throw error.add_context("reading dataset.chat_template");
    }
  }
  const tokenizer::ChatTemplate* used = own_template_ ? &*own_template_ : tokenizer.chat_template();
  check(used != nullptr,
        ErrorCode::kConfig,
        "the tokenizer has no chat template; set dataset.chat_template to Jinja text or a file");
  has_generation_block_ = used->has_generation_block();
  for (const char* key : {"tool_calls", "function_call", "tools"}) {
    if (!used->names(key)) unnamed_.emplace_back(key);
  }
}

void ChatEncoder::notice_unread(const Json& messages, const Json& tools) const {
  for (const std::string& key : unnamed_) {
    const bool is_given =
        key == "tools" ? !tools.is_null() : std::ranges::any_of(messages, [&](const Json& message) {
          const auto value = message.find(key);
          return value != message.end() && !value->is_null() && !value->empty();
        });
    if (is_given)
      warn_once("dataset: the chat template does not name \"" + key +
                "\", which rows have: it is probably not in the text that is learnt");
  }
}

tokenizer::Rendered ChatEncoder::render(const Json& messages, const Json& tools) const {
  Json variables = {
      {"messages", messages}, {"tools", tools}, {"documents", nullptr}, {"add_generation_prompt", false}};
  if (!own_template_) return encoder_.tokenizer().render_chat(variables);
  // The reference gives a tokenizer without a pad token the eos token before it renders.
  const tokenizer::Tokenizer& tokenizer = encoder_.tokenizer();
  const auto define = [&variables](const char* name, std::string token) {
    if (!token.empty()) variables[name] = std::move(token);
  };
  define("bos_token", tokenizer.bos_token());
  define("eos_token", tokenizer.eos_token());
  define("pad_token", tokenizer.pad_token());
  return tokenizer.render_chat(variables, &*own_template_);
}

Sample ChatEncoder::encode(const Json& messages, const Json& tools, bool answer_only) const {
  notice_unread(messages, tools);
  const tokenizer::Rendered rendered = render(messages, tools);
  tokenizer::Encoding encoding = encoder_.encode_rendered(rendered.text);
  MarkedTokens tokens;
  if (has_generation_block_) {
    tokens.learnt = mask_of_spans(encoding.offsets, learnt_spans(messages, rendered));
  } else if (answer_only) {
    tokens.learnt = mask_turns(messages, tools, encoding.ids);
  } else {
    tokens.learnt.assign(encoding.ids.size(), 1);
  }
  tokens.ids = std::move(encoding.ids);
  if (mask_reasoning_content_) unmark_reasoning(messages, tools, rendered.text, tokens);
  Sample sample = encoder_.package(std::move(tokens));
  if (mask_history_) keep_last_run(sample.labels);
  return sample;
}

std::vector<uint8_t> ChatEncoder::mask_turns(const Json& messages,
                                             const Json& tools,
                                             const std::vector<int32_t>& ids) const {
  check(std::any_of(messages.begin(), messages.end(), is_assistant),
        ErrorCode::kData,
        "\"messages\" has no assistant turn: nothing to learn");
  // Where the first k messages end, rendered alone; -1: not looked at yet. Neighbouring turns share a border.
  std::vector<int64_t> ends(messages.size() + 1, -1);
  ends.front() = 0;
  ends.back() = static_cast<int64_t>(ids.size());
  const auto end_of = [&](size_t count) {
    if (ends[count] >= 0) return ends[count];
    const Json head(Json::array_t(messages.begin(), messages.begin() + static_cast<int64_t>(count)));
    const std::vector<int32_t> prefix = encoder_.encode_rendered(render(head, tools).text).ids;
    check(
        is_rendered_prefix(prefix, ids, encoder_.tokenizer().eos_token_id()),
        ErrorCode::kData,
        "the chat template renders the first ",
        count,
        " messages alone in another way than as the beginning of all ",
        messages.size(),
        " (Qwen3's drops earlier thinking, for instance), so the answers cannot be found; set dataset.chat_template to one that has {% generation %} around assistant turns");
    ends[count] = static_cast<int64_t>(prefix.size());
    return ends[count];
  };
  std::vector<uint8_t> mask(ids.size(), 0);
  for (size_t i = 0; i < messages.size(); ++i) {
    if (!is_assistant(messages[i]) || !learns_turn(messages, i)) continue;
    const int64_t begin = end_of(i);
    const int64_t end = end_of(i + 1);
    for (int64_t at = begin; at < end; ++at) mask[static_cast<size_t>(at)] = 1;
  }
  return mask;
}

void ChatEncoder::unmark_reasoning(const Json& messages,
                                   const Json& tools,
                                   const std::string& text,
                                   MarkedTokens& tokens) const {
  std::vector<int32_t> whole;
  for (size_t i = 0; i < messages.size(); ++i) {
    const char* name = is_assistant(messages[i]) ? reasoning_name(messages[i]) : nullptr;
    if (name == nullptr) continue;
    if (whole.empty()) whole = encoder_.encode_rendered_whole(text);
    Json without = messages;
    without[i][name] = "";
    const auto span = differing_span(whole, encoder_.encode_rendered_whole(render(without, tools).text));
    if (!span) {
      log::warning("messages[", i, "].", name, " does not show in the rendered text: nothing to mask");
      continue;
    }
    const auto end = std::min(span->second, static_cast<int64_t>(tokens.learnt.size()));
    for (int64_t at = span->first; at < end; ++at) tokens.learnt[static_cast<size_t>(at)] = 0;
  }
}

}  // namespace automodel::data
