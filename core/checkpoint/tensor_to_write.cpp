#include "core/checkpoint/tensor_to_write.h"

#include <memory>
#include <utility>

#include "core/models/decoder.h"
#include "core/tensor/dtype.h"

namespace automodel::checkpoint {

io::TensorToWrite to_write(std::string name, const at::Tensor& value) {
  ensure(value.is_contiguous(), name, " is written while it is not contiguous");
  io::TensorToWrite entry{
      std::move(name), tensor::from_torch(value.scalar_type()), value.sizes().vec(), nullptr, {}};
  if (value.is_cpu()) {
    entry.data = value.const_data_ptr();
    return entry;
  }
  entry.fetch = [value, on_host = std::make_shared<at::Tensor>()] {
    *on_host = value.cpu();
    return on_host->const_data_ptr();
  };
  return entry;
}

io::TensorToWrite to_write(const weights::FileTensor& file, const at::Tensor& parameter) {
  if (file.blocks.empty()) return to_write(file.name, parameter);
  io::TensorToWrite entry{file.name, tensor::from_torch(parameter.scalar_type()), file.shape, nullptr, {}};
  entry.fetch = [file, parameter, on_host = std::make_shared<at::Tensor>()] {
    *on_host = models::as_in_file(file, parameter).cpu();
    return on_host->const_data_ptr();
  };
  return entry;
}

}  // namespace automodel::checkpoint
