#include "core/tensor/flat_layout.h"

#include <functional>
#include <numeric>
#include <utility>

namespace automodel::tensor {

std::vector<int64_t> local_shape(const std::vector<int64_t>& shape, const Cut& cut, int64_t num_ranks) {
  if (cut.dim < 0 || num_ranks == 1) return shape;
  std::vector<int64_t> local = shape;
  int64_t& size = local.at(static_cast<size_t>(cut.dim));
  ensure(size % (cut.granule * cut.parts * num_ranks) == 0,
         size,
         " in ",
         cut.parts,
         " parts of granules of ",
         cut.granule,
         " do not divide among ",
         num_ranks,
         " ranks");
  size /= num_ranks;
  return local;
}

FlatLayout::FlatLayout(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {
  for (Parameter& parameter : parameters_) {
    if (parameter.local_shape.empty()) parameter.local_shape = parameter.shape;
    parameter.numel = std::accumulate(
        parameter.local_shape.begin(), parameter.local_shape.end(), int64_t{1}, std::multiplies<>());
    parameter.offset = size_;
    size_ += (parameter.numel + kAlignment - 1) / kAlignment * kAlignment;
  }
}

at::Tensor FlatLayout::view(const at::Tensor& flat, size_t index) const {
  const Parameter& parameter = parameters_.at(index);
  return flat.narrow(0, parameter.offset, parameter.numel).view(parameter.local_shape);
}

at::Tensor FlatLayout::joined(const at::Tensor& flat, size_t first, size_t count) const {
  ensure(contiguous(first, count), "parameters from ", parameters_.at(first).name, " have gaps");
  int64_t numel = 0;
  for (size_t i = first; i < first + count; ++i) numel += parameters_[i].numel;
  const at::Tensor all = flat.narrow(0, parameters_[first].offset, numel);
  if (parameters_[first].local_shape.size() == 1) return all;
  const int64_t columns = parameters_[first].local_shape[1];
  return all.view({numel / columns, columns});
}

bool FlatLayout::contiguous(size_t first, size_t count) const {
  const std::vector<int64_t>& shape = parameters_.at(first).local_shape;
  for (size_t i = first; i < first + count; ++i) {
    const Parameter& parameter = parameters_.at(i);
    if (parameter.local_shape.size() != shape.size() || shape.empty() || shape.size() > 2) return false;
    if (shape.size() == 2 && parameter.local_shape[1] != shape[1]) return false;
    if (i + 1 < first + count && parameter.numel % kAlignment != 0) return false;
  }
  return true;
}

}  // namespace automodel::tensor
