#include "cli/loss_chart.h"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/base/chart.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strings.h"

namespace automodel::cli {

bool loss_chart_wanted() {
  const char* setting = std::getenv("AUTOMODEL_CHART");
  if (setting && *setting) return std::string_view(setting) != "0";
  return isatty(STDERR_FILENO) == 1;
}

std::string loss_chart(const std::filesystem::path& training_jsonl) {
  std::map<int64_t, double> loss_of_step;
  int64_t line_number = 0;
  for (const std::string& line : split(read_file(training_jsonl), '\n')) {
    ++line_number;
    if (trim(line).empty()) continue;
    const auto record = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    check(record.is_object(),
          ErrorCode::kData,
          training_jsonl.string(),
          ":",
          line_number,
          ": not a JSON object");
    if (record.contains("step") && record.contains("loss") && record["loss"].is_number()) {
      loss_of_step[record["step"].get<int64_t>()] = record["loss"].get<double>();
    }
  }
  if (loss_of_step.size() < 2) return "";

  std::vector<double> losses;
  for (const auto& [step, loss] : loss_of_step) losses.push_back(loss);
  ChartOptions options;
  options.first_x = static_cast<double>(loss_of_step.begin()->first);
  options.last_x = static_cast<double>(loss_of_step.rbegin()->first);
  return "\nloss by step (" + training_jsonl.string() + ")\n" + draw_chart(losses, options);
}

}  // namespace automodel::cli
