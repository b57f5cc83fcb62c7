#include "core/config/schema/section_walk.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/schema/other_tools.h"
#include "core/config/text/placeholders.h"

namespace automodel::config {
namespace {

std::string child(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

void check_range(const Option& option, const Node& value) {
  const bool is_number = value.kind == Node::Kind::kInt || value.kind == Node::Kind::kFloat;
  if (!is_number) return;
  const double number = value.kind == Node::Kind::kInt ? static_cast<double>(value.integer) : value.number;
  check(!option.min || number >= *option.min,
        ErrorCode::kConfig,
        "must be at least ",
        *option.min,
        ", not ",
        value.text);
  check(!option.max || number <= *option.max,
        ErrorCode::kConfig,
        "must be at most ",
        *option.max,
        ", not ",
        value.text);
}

/// The section below that has an option of this name; null when there is none.
const Section* find_owner(const Section& section, const std::string& name) {
  for (const Option& option : section.options) {
    for (const Section* below : option.sections) {
      if (const Option* found = below->find(name); found != nullptr && found->name == name) return below;
      if (const Section* deeper = find_owner(*below, name)) return deeper;
    }
  }
  return nullptr;
}

/// "dataset has: split, seq_length, ...": the keys that do something, for a word that nothing is near to.
std::string keys_of(const Section& section, const std::string& path) {
  std::vector<std::string> names;
  for (const Option& option : section.options) {
    const bool does_something = option.fate == KeyStatus::kUsed && option.refusal.empty();
    if (does_something && option.name != "_target_" && !option.name.ends_with('*'))
      names.push_back(option.name);
  }
  if (names.empty()) return "";
  return "; " + (path.empty() ? "the recipe" : path) + " has: " + join(names, ", ");
}

/// What a word of another trainer is called here; empty when `key` is none.
std::string foreign_hint(const std::string& key, const std::string& full) {
  const ForeignWord* word = find_foreign_word(key);
  if (word == nullptr || word->here == full) return "";
  std::string hint = "; ";
  if (!word->here.empty()) hint.append("here it is ").append(word->here);
  if (word->note.empty()) return hint;
  return word->here.empty() ? hint.append(word->note) : hint.append(" (").append(word->note).append(")");
}

/// Whether a sentence goes on from the key that it is about: "optimizer.lrr is not a known option".
bool begins_with_verb(const std::string& message) {
  constexpr std::string_view kVerbs[] = {"is ", "must ", "needs ", "cannot "};
  return std::any_of(
      std::begin(kVerbs), std::end(kVerbs), [&](std::string_view verb) { return message.starts_with(verb); });
}

Why why_of(ErrorCode code) {
  return code == ErrorCode::kUnsupported ? Why::kNotSupported : Why::kBadValue;
}

}  // namespace

void SectionWalk::read(const Section& section, const Node& map, const std::string& path, void* object) {
  for (const Option& option : section.options) {
    if (option.required && map.find(option.name) == nullptr) {
      refuse(child(path, option.name), map.line, Why::kBadValue, "is missing; " + option.doc);
    }
  }
  for (const Node::Entry& entry : map.entries) read_entry(section, entry, path, object);
}

void SectionWalk::read_entry(const Section& section,
                             const Node::Entry& entry,
                             const std::string& path,
                             void* object) {
  const Option* option = section.find(entry.key);
  if (option == nullptr) return refuse_unknown(section, entry, path);
  const std::string full = child(path, entry.key);
  if (option->any_below) return mark(full, entry.value, option->fate, option->doc);
  if (!option->refusal.empty()) {
    if (entry.value.is_null()) return mark(full, entry.value, KeyStatus::kUsed);
    if (option->is_off && option->is_off(entry.value))
      return mark(full, entry.value, KeyStatus::kInert, "switched off");
    return refuse(full, entry.line, Why::kNotSupported, option->refusal);
  }
  try {
    const Node value = option->below && entry.value.is_map() ? entry.value : expanded_value(entry.value);
    read_value(*option, entry.key, value, full, object);
  } catch (const Error& error) {
    refuse(full, entry.value.line, why_of(error.code()), error.message());
  }
}

void SectionWalk::read_value(
    const Option& option, const std::string& key, const Node& value, const std::string& path, void* object) {
  if (value.is_null() && (option.null_is_unset || option.below)) return mark(path, value, KeyStatus::kUsed);
  if (option.below && value.is_map()) {
    Below below;
    try {
      below = option.below(key, value, object);
    } catch (const Error& error) {
      const Node* target = value.find("_target_");
      return refuse(target ? path + "._target_" : path,
                    target ? target->line : value.line,
                    why_of(error.code()),
                    error.message());
    }
    return read(*below.section, value, path, below.object);
  }
  check(!option.below || option.read,
        ErrorCode::kConfig,
        "expected ",
        option.sections.size() == 1 ? "a map" : "a map with a _target_",
        ", not ",
        summary(value),
        option.sections.size() == 1 ? keys_of(*option.sections.front(), path) : "");
  check_range(option, value);
  if (option.read) option.read(value, object);
  mark(path, value, option.fate, option.fate == KeyStatus::kUsed ? "" : option.doc);
}

void SectionWalk::refuse_unknown(const Section& section, const Node::Entry& entry, const std::string& path) {
  const std::string nearest = nearest_name(entry.key, section.names());
  std::string hint = foreign_hint(entry.key, child(path, entry.key));
  if (!hint.empty()) {
    // A word that is known beats one that only looks like it.
  } else if (!nearest.empty()) {
    hint = "; did you mean " + child(path, nearest) + "?";
  } else if (const Section* owner = find_owner(root_, entry.key)) {
    hint = owner->path == path ? "; it is one of " + owner->target
                               : "; did you mean " + child(owner->path, entry.key) + "?";
  } else {
    hint = keys_of(section, path);
  }
  const std::string of_target = section.target.empty() ? "" : " of " + section.target;
  refuse(child(path, entry.key), entry.line, Why::kUnknownKey, "is not a known option" + of_target + hint);
}

void SectionWalk::refuse(const std::string& path, int line, Why why, const std::string& message) {
  const std::string place = line > 0 ? file_ + ":" + std::to_string(line) : "command line";
  const std::string subject = place + ": " + path + (begins_with_verb(message) ? " " : ": ");
  report_.refused.push_back({path, why, subject + message});
}

void SectionWalk::ignore(const std::string& path, const std::string& note) {
  for (KeyEntry& key : report_.keys) {
    if (key.path == path || key.path.starts_with(path + ".")) key = {key.path, KeyStatus::kInert, note};
  }
}

void SectionWalk::mark(const std::string& path, const Node& value, KeyStatus fate, const std::string& note) {
  if (!value.is_map() || value.entries.empty()) {
    report_.keys.push_back({path, fate, note});
    return;
  }
  for (const Node::Entry& entry : value.entries) mark(child(path, entry.key), entry.value, fate, note);
}

}  // namespace automodel::config
