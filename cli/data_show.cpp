// automodel data show: rows of a recipe's sets as they are trained.
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/data_set_facts.h"
#include "cli/recipe_commands.h"
#include "core/base/error.h"
#include "core/base/plural.h"
#include "core/config/recipe/load.h"
#include "core/data/row_view.h"

namespace automodel::cli {
namespace {

using nlohmann::ordered_json;

/// Which rows: `count` from `first`.
struct Choice {
  int64_t first = 0, count = 3;
};

int64_t number_of(const RecipeArguments& arguments, const std::string& option, int64_t least) {
  const std::string& text = arguments.options.at(option);
  int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  check(failure == std::errc() && end == text.data() + text.size() && number >= least,
        ErrorCode::kUsage,
        "data show --",
        option,
        ": expected a whole number from ",
        least,
        ", not \"",
        text,
        "\"");
  return number;
}

Choice read_choice(const RecipeArguments& arguments) {
  check(!arguments.has("row") || !arguments.has("rows"),
        ErrorCode::kUsage,
        "data show: expected one of --rows N, --row K");
  if (arguments.has("row")) return {number_of(arguments, "row", 0), 1};
  if (arguments.has("rows")) return {0, number_of(arguments, "rows", 0)};
  return {};
}

/// How learnt text is set off.
struct Marks {
  const char *begin, *end, *meaning;
};

Marks choose_marks() {
  const char* no_color = std::getenv("NO_COLOR");
  if (isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0'))
    return {"\x1b[32m", "\x1b[0m", "what is learnt is green"};
  return {"[[", "]]", "what is learnt stands in [[ ]]"};
}

void print_row(const ShownRow& row, const Marks& marks) {
  std::cout << "\nrow " << row.index << (row.place.empty() ? "" : ", " + row.place) << ": "
            << counted(row.view.num_tokens, "token") << ", " << row.view.num_learnt << " learnt";
  if (row.view.num_padding > 0) std::cout << ", " << row.view.num_padding << " of padding behind them";
  std::cout << '\n';
  for (const data::RowView::Piece& piece : row.view.pieces)
    std::cout << (piece.learnt ? marks.begin : "") << piece.text << (piece.learnt ? marks.end : "");
  std::cout << '\n';
}

ordered_json json_of(const ShownRow& row) {
  ordered_json pieces = ordered_json::array();
  for (const data::RowView::Piece& piece : row.view.pieces)
    pieces.push_back({{"text", piece.text}, {"learnt", piece.learnt}});
  return {{"row", row.index},
          {"place", row.place},
          {"input_ids", row.sample.input_ids},
          {"labels", row.sample.labels},
          {"num_learnt", row.view.num_learnt},
          {"num_padding", row.view.num_padding},
          {"pieces", pieces}};
}

/// "validation_dataset_NAME", or "dataset" for the training set.
std::string section_of(const config::DatasetConfig& set, bool validation) {
  if (!validation) return "dataset";
  return set.name == "default" ? "validation_dataset" : "validation_dataset_" + set.name;
}

}  // namespace

int run_data_show(const RecipeArguments& arguments) {
  const Choice choice = read_choice(arguments);
  const config::Recipe recipe = config::load_recipe(arguments.config_path, arguments.overrides);
  const bool validation = arguments.has("validation");
  check(!validation || !recipe.validation_datasets.empty(),
        ErrorCode::kUsage,
        "data show --validation: the recipe has no validation_dataset");
  const std::vector<config::DatasetConfig> sets =
      validation ? recipe.validation_datasets : std::vector{recipe.dataset};
  const Marks marks = choose_marks();
  ordered_json all = ordered_json::array();
  for (const config::DatasetConfig& config : sets) {
    const ShownSet set(recipe, config, section_of(config, validation));
    ordered_json shown = set.facts();
    if (!arguments.has("json")) {
      std::cout << (&config == &sets.front() ? "" : "\n") << set.summary();
      if (choice.count > 0) std::cout << marks.meaning << '\n';
    }
    shown["rows"] = ordered_json::array();
    for (const ShownRow& row : set.rows(choice.first, choice.count))
      arguments.has("json") ? shown["rows"].push_back(json_of(row)) : print_row(row, marks);
    all.push_back(std::move(shown));
  }
  if (arguments.has("json"))
    std::cout << ordered_json({{"sets", all}}).dump(-1, ' ', false, ordered_json::error_handler_t::replace)
              << '\n';
  return 0;
}

}  // namespace automodel::cli
