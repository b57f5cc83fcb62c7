#include "core/train/peak_rate.h"

#include <array>
#include <cctype>
#include <utility>

namespace automodel::train {

std::optional<double> stated_peak_tflops(std::string_view device_name) {
  // NVIDIA's data sheets; a name stands before another that it holds.
  using Peak = std::pair<std::string_view, double>;
  static constexpr std::array kPeaks = {Peak{"GB200", 2500},
                                        Peak{"B200", 2250},
                                        Peak{"H200 NVL", 835},
                                        Peak{"H200", 989},
                                        Peak{"H100 NVL", 835},
                                        Peak{"H100 PCIe", 756},
                                        Peak{"H100", 989},
                                        Peak{"A100", 312}};
  if (device_name.find(" MIG ") != std::string_view::npos) return {};  // a part of one
  for (const auto& [name, peak] : kPeaks) {
    const size_t at = device_name.find(name);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = device_name.substr(at + name.size());
    if (rest.empty() || !std::isalnum(static_cast<unsigned char>(rest.front()))) return peak;
  }
  return {};
}

}  // namespace automodel::train
