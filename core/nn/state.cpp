#include <algorithm>
#include <set>

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

std::vector<StateField> boundary(const std::vector<const Segment*>& segments,
                                 size_t at,
                                 const BatchShape& shape) {
  std::vector<StateField> fields;
  bool trained = false;
  for (size_t s = 0; s < at; ++s) {
    for (const tensor::FlatParameter* unit : segments[s]->units()) trained |= unit->trainable();
    for (StateField& field : segments[s]->writes(shape)) {
      std::erase_if(fields, [&](const StateField& earlier) { return earlier.name == field.name; });
      field.needs_grad &= trained;
      fields.push_back(std::move(field));
    }
  }
  std::vector<StateField> read;
  std::set<std::string> written;
  for (size_t s = at; s < segments.size(); ++s) {
    for (const std::string& name : segments[s]->reads()) {
      if (written.contains(name)) continue;
      const auto found = std::ranges::find(fields, name, &StateField::name);
      ensure(
          found != fields.end(), segments[s]->name(), " reads ", name, ", which no segment before it writes");
      if (std::ranges::find(read, name, &StateField::name) == read.end()) read.push_back(*found);
    }
    for (const StateField& field : segments[s]->writes(shape)) written.insert(field.name);
  }
  return read;
}

}  // namespace automodel::nn
