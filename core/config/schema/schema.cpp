#include "core/config/schema/schema.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::config {
namespace {

bool is_same_scalar(const Node& a, const Node& b) {
  const auto number = [](const Node& node) {
    return node.kind == Node::Kind::kFloat ? node.number : static_cast<double>(node.integer);
  };
  const auto is_number = [](const Node& node) {
    return node.kind == Node::Kind::kInt || node.kind == Node::Kind::kFloat;
  };
  if (is_number(a) && is_number(b)) return number(a) == number(b);
  if (a.kind != b.kind) return false;
  if (a.kind == Node::Kind::kBool) return a.boolean == b.boolean;
  if (a.is_list()) return a.items.empty() && b.items.empty();
  return a.text == b.text;
}

}  // namespace

const Option* Section::find(std::string_view name) const {
  for (const Option& option : options) {
    const bool is_prefix = option.name.ends_with('*');
    if (is_prefix ? name.starts_with(option.name.substr(0, option.name.size() - 1)) : option.name == name)
      return &option;
  }
  return nullptr;
}

std::vector<std::string> Section::names() const {
  std::vector<std::string> names;
  for (const Option& option : options) {
    if (!option.name.ends_with('*')) names.push_back(option.name);
  }
  return names;
}

OptionBuilder& OptionBuilder::choices(std::vector<std::string> words) {
  option_.type = "one of " + join(words, ", ");
  option_.read = [words = std::move(words), read = option_.read](const Node& value, void* object) {
    const std::string word = read_as<std::string>(value);
    if (std::find(words.begin(), words.end(), word) == words.end()) {
      const std::string nearest = nearest_name(word, words);
      fail(ErrorCode::kConfig,
           "expected one of ",
           join(words, ", "),
           ", not \"",
           word,
           "\"",
           nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?");
    }
    if (read) read(value, object);
  };
  return *this;
}

OptionBuilder& OptionBuilder::off_by(const std::string& key) {
  option_.is_off = [key](const Node& value) {
    const Node* off = value.find(key);
    return off != nullptr && off->kind == Node::Kind::kBool && !off->boolean;
  };
  return *this;
}

OptionBuilder& OptionBuilder::off_by_false() {
  option_.is_off = [](const Node& value) { return value.kind == Node::Kind::kBool && !value.boolean; };
  return *this;
}

OptionBuilder& OptionBuilder::only(std::vector<Node> values, std::string sentence) {
  std::vector<std::string> shown;
  for (const Node& value : values) shown.push_back(value.text);
  option_.type = (values.size() > 1 ? "only " : "") + join(shown, " or ") + " for now";
  if (option_.doc.empty()) option_.doc = sentence;
  option_.read = [values = std::move(values), sentence = std::move(sentence), read = option_.read](
                     const Node& value, void* object) {
    if (value.is_null()) return;
    const bool known = std::any_of(
        values.begin(), values.end(), [&](const Node& allowed) { return is_same_scalar(allowed, value); });
    if (!known) fail(ErrorCode::kUnsupported, sentence, " (it is ", summary(value), ")");
    if (read) read(value, object);
  };
  return *this;
}

}  // namespace automodel::config
