#include <algorithm>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/recipe_commands.h"
#include "core/base/error.h"
#include "core/config/recipe/load.h"
#include "core/config/schema/report.h"

namespace automodel::cli {
namespace {

using config::KeyEntry;
using config::KeyStatus;
using config::Report;
using config::Why;

constexpr int kRefusedStatus = 2;

void print_json(const Report& report) {
  nlohmann::ordered_json out;
  out["accepted"] = report.accepted();
  out["keys"] = nlohmann::ordered_json::object();
  for (const KeyEntry& key : report.keys) out["keys"][key.path] = name_of(key.fate);
  out["refused"] = nlohmann::ordered_json::array();
  for (const config::Refusal& refusal : report.refused) {
    out["refused"].push_back(
        {{"path", refusal.path}, {"why", name_of(refusal.why)}, {"message", refusal.message}});
  }
  std::cout << out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

size_t count(const Report& report, KeyStatus fate) {
  return static_cast<size_t>(std::count_if(
      report.keys.begin(), report.keys.end(), [fate](const KeyEntry& key) { return key.fate == fate; }));
}

void print_status(const Report& report, KeyStatus fate, const char* title) {
  if (count(report, fate) == 0) return;
  size_t width = 0;
  for (const KeyEntry& key : report.keys) {
    if (key.fate == fate) width = std::max(width, key.path.size());
  }
  std::cout << '\n' << title << '\n';
  for (const KeyEntry& key : report.keys) {
    if (key.fate != fate) continue;
    std::cout << "  " << std::left << std::setw(static_cast<int>(width + 2)) << key.path << key.note << '\n';
  }
}

void print_refusals(const Report& report, Why why, const char* title) {
  bool is_first = true;
  for (const config::Refusal& refusal : report.refused) {
    if (refusal.why != why) continue;
    if (is_first) std::cout << '\n' << title << '\n';
    is_first = false;
    std::cout << "  " << refusal.message << '\n';
  }
}

void print_text(const Report& report, const std::string& file) {
  std::cout << file << ": " << (report.accepted() ? "accepted" : "refused") << "; "
            << count(report, KeyStatus::kUsed) << " keys used, " << count(report, KeyStatus::kBuiltIn)
            << " built in, " << count(report, KeyStatus::kInert) << " inert, " << report.refused.size()
            << " refused\n";
  print_refusals(report, Why::kUnknownKey, "Unknown keys:");
  print_refusals(report, Why::kBadValue, "Wrong values:");
  print_refusals(report, Why::kNotSupported, "Right, but not implemented yet:");
  print_status(report,
               KeyStatus::kBuiltIn,
               "Built in (asks for what is always done here, or only how it is computed):");
  print_status(report, KeyStatus::kInert, "Inert (no effect here, nor in NeMo AutoModel):");
}

}  // namespace

int run_config_check(const RecipeArguments& arguments) {
  Report report;
  try {
    report = config::check_recipe(config::load_document(arguments.config_path, arguments.overrides)).report;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConfig || !arguments.has("json")) throw;
    report.refused.push_back({"", Why::kBadValue, error.message()});
  }
  arguments.has("json") ? print_json(report) : print_text(report, arguments.config_path);
  return report.accepted() ? 0 : kRefusedStatus;
}

}  // namespace automodel::cli
