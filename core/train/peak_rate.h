#pragma once

#include <optional>
#include <string_view>

namespace automodel::train {

/// TFLOP/s of dense bfloat16 products that a GPU's maker states, by the name that its driver gives
/// ("NVIDIA H200"); none: not known here.
std::optional<double> stated_peak_tflops(std::string_view device_name);

}  // namespace automodel::train
