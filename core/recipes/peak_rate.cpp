#include "core/recipes/peak_rate.h"

#include <array>
#include <utility>

namespace automodel::recipes {

std::optional<double> stated_peak_tflops(std::string_view device_name) {
  // NVIDIA's data sheets; a name stands before another that it holds.
  static constexpr std::array<std::pair<std::string_view, double>, 6> kPeaks = {
      {{"GB200", 2500}, {"B200", 2250}, {"H200", 989}, {"H100 PCIe", 756}, {"H100", 989}, {"A100", 312}}};
  for (const auto& [name, peak] : kPeaks) {
    if (device_name.find(name) != std::string_view::npos) return peak;
  }
  return {};
}

}  // namespace automodel::recipes
