#include "core/config/recipe/reference_doc.h"

#include <algorithm>
#include <sstream>

#include "core/base/strings.h"
#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

constexpr const char* kIntroduction =
    "# Recipe reference\n\n"
    "Written by `automodel config reference` from the declarations in `core/config/recipe`; a test "
    "compares.\n\n"
    "A key has one of four fates, which `automodel config check -c recipe.yaml` shows: **used**; **built "
    "in**: it asks for what is always done here, or chooses how, not what, is computed; **inert**: it has no effect in the reference either; or it is refused: unknown, a wrong value, or right and not implemented yet.\n\n"
    "Any value can be set on the command line: `--section.key value`.\n";

/// A `|` would end a cell of a Markdown table.
std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

std::string code(const std::string& text) {
  return text.empty() ? "" : "`" + cell(text) + "`";
}

std::string range_of(const Option& option) {
  std::ostringstream out;
  if (option.min) out << "at least " << *option.min;
  if (option.max) out << (option.min ? ", " : "") << "at most " << *option.max;
  return out.str();
}

void write_used(std::ostringstream& out, const std::vector<const Option*>& options) {
  if (options.empty()) return;
  out << "\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n";
  for (const Option* option : options) {
    const std::string range = range_of(*option);
    out << "| `" << option->name << "` | " << cell(option->type.empty() ? "text" : option->type)
        << (option->unit.empty() ? "" : ", " + option->unit) << (range.empty() ? "" : ", " + range) << " | "
        << (option->required ? "required" : code(option->default_text)) << " | " << cell(option->doc)
        << " |\n";
  }
}

/// "Built in: `a`, `b` (why); `c` (why)."
void write_grouped(std::ostringstream& out,
                   const char* title,
                   const std::vector<std::pair<std::string, std::string>>& keys) {
  if (keys.empty()) return;
  out << "\n" << title << ": ";
  for (size_t i = 0; i < keys.size(); ++i) {
    const bool ends_group = i + 1 == keys.size() || keys[i + 1].second != keys[i].second;
    out << "`" << keys[i].first << "`";
    if (ends_group && !keys[i].second.empty()) out << " (" << keys[i].second << ")";
    out << (i + 1 == keys.size() ? ".\n" : ends_group ? "; " : ", ");
  }
}

void write_section(std::ostringstream& out, const Section& section) {
  out << "\n## " << (section.path.empty() ? "Top level" : "`" + section.path + "`");
  if (!section.target.empty())
    out << ": " << section.target.substr(section.target.rfind('.', section.target.rfind('.') - 1) + 1);
  out << "\n" << section.doc << "\n";
  if (!section.target.empty()) out << "\n`_target_: " << section.target << "`\n";
  std::vector<const Option*> used;
  std::vector<std::pair<std::string, std::string>> built_in, inert, refused, config_fields;
  for (const Option& option : section.options) {
    if (!option.refusal.empty()) {
      refused.emplace_back(option.name, option.refusal);
    } else if (option.fate == KeyStatus::kBuiltIn) {
      built_in.emplace_back(option.name, option.doc);
    } else if (option.fate == KeyStatus::kInert) {
      inert.emplace_back(option.name, option.doc);
    } else if (option.type == "as in config.json") {
      config_fields.emplace_back(option.name, "");
    } else {
      used.push_back(&option);
    }
  }
  write_used(out, used);
  write_grouped(out, "Fields of Hugging Face's config.json", config_fields);
  write_grouped(out, "Built in", built_in);
  write_grouped(out, "Inert", inert);
  write_grouped(out, "Not supported", refused);
}

void collect(const Section& section, std::vector<const Section*>& found) {
  if (std::find(found.begin(), found.end(), &section) != found.end()) return;
  found.push_back(&section);
  for (const Option& option : section.options) {
    for (const Section* below : option.sections) collect(*below, found);
  }
}

void write_targets(std::ostringstream& out) {
  out << "\n## Names\nThe `_target_` and `*_fn` names that are known. They are looked up, never executed.\n";
  out << "\n| name | |\n| --- | --- |\n";
  for (const Target& target : target_table()) {
    if (target.role == TargetRole::kOther) continue;
    out << "| `" << target.name << "` | "
        << (target.missing.empty() ? "supported" : cell(std::string(target.missing))) << " |\n";
  }
}

void collect_keys(const Section& section,
                  const std::string& prefix,
                  std::vector<std::string>& keys,
                  int depth) {
  constexpr int kDeepest = 4;
  for (const Option& option : section.options) {
    if (option.name.ends_with('*') || !option.refusal.empty()) continue;
    const std::string key = prefix.empty() ? option.name : prefix + "." + option.name;
    if (option.sections.empty() || option.read) keys.push_back(key);
    if (depth == kDeepest) continue;
    for (const Section* below : option.sections) collect_keys(*below, key, keys, depth + 1);
  }
}

}  // namespace

std::string recipe_reference() {
  std::ostringstream out;
  out << kIntroduction;
  std::vector<const Section*> sections;
  collect(recipe_section(), sections);
  for (const Section* section : sections) write_section(out, *section);
  write_targets(out);
  return out.str();
}

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  collect_keys(recipe_section(), "", keys, 0);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

}  // namespace automodel::config
