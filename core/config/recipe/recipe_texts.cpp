#include "core/config/recipe/recipe_texts.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/error.h"
#include "core/config/recipe/sections.h"

namespace automodel::config {
namespace {

bool is_of_text(const Option& option) {
  constexpr std::array<std::string_view, 7> kTypes = {"text",
                                                      "text or null",
                                                      "list of texts",
                                                      "text or list of texts",
                                                      "map of texts",
                                                      "text or map",
                                                      "name or map"};
  return std::find(kTypes.begin(), kTypes.end(), option.type) != kTypes.end();
}

void make_text(Node& value) {
  const bool is_number_or_date = value.kind == Node::Kind::kInt || value.kind == Node::Kind::kFloat ||
                                 value.kind == Node::Kind::kTimestamp;
  if (is_number_or_date) {
    const int line = value.line;
    value = Node::of(value.text);
    value.line = line;
  }
  for (Node& item : value.items) make_text(item);
  for (Node::Entry& entry : value.entries) make_text(entry.value);
}

void walk(const Section& section, Node& map, void* object) {
  for (Node::Entry& entry : map.entries) {
    const Option* option = section.find(entry.key);
    if (option == nullptr || option->any_below || !option->refusal.empty()) continue;
    if (option->below && entry.value.is_map()) {
      try {
        const Below below = option->below(entry.key, entry.value, object);
        walk(*below.section, entry.value, below.object);
      } catch (const Error&) {
        // An unknown _target_: what the keys below it mean is not known; check_recipe says so.
      }
    } else if (is_of_text(*option)) {
      make_text(entry.value);
    }
  }
}

}  // namespace

void keep_texts(Node& recipe) {
  RecipeDraft draft;
  walk(recipe_section(), recipe, &draft);
}

}  // namespace automodel::config
