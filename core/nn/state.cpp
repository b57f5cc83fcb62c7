#include <algorithm>

#include "core/nn/segment.h"

namespace automodel::nn {

bool State::has(const std::string& name) const {
  return std::any_of(fields_.begin(), fields_.end(), [&](const auto& field) { return field.first == name; });
}

const at::Tensor& State::at(const std::string& name) const {
  for (const auto& [key, value] : fields_) {
    if (key == name) return value;
  }
  fail(ErrorCode::kInternal, "the state has no field \"", name, "\"");
}

void State::set(const std::string& name, at::Tensor value) {
  for (auto& [key, existing] : fields_) {
    if (key == name) {
      existing = std::move(value);
      return;
    }
  }
  fields_.emplace_back(name, std::move(value));
}

void State::drop(const std::string& name) {
  std::erase_if(fields_, [&](const auto& field) { return field.first == name; });
}

}  // namespace automodel::nn
