#include "core/checkpoint/training_state.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include <ATen/ops/from_blob.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/checkpoint/tensor_to_write.h"
#include "core/io/safetensors.h"
#include "core/tensor/dtype.h"

namespace automodel::checkpoint {
namespace fs = std::filesystem;

namespace {

constexpr int kFormatVersion = 1;
constexpr const char* kShard = "shard-00001-of-00001.safetensors";
constexpr const char* kMaster = "master";

using HasMaster = std::function<bool(const tensor::FlatParameter&)>;

/// Every tensor that the folder holds, by its name in the file, as views into the buffers of the run.
/// `has_master` is asked of each trained unit: units may differ in type.
std::vector<std::pair<std::string, at::Tensor>> named_state(const models::Decoder& decoder,
                                                            const optim::Optimizer& optimizer,
                                                            const HasMaster& has_master) {
  std::vector<std::pair<std::string, at::Tensor>> named;
  const auto add =
      [&](const std::string& kind, const tensor::FlatParameter& unit, size_t index, at::Tensor value) {
        named.emplace_back(kind + "." + unit.parameters()[index].name, std::move(value));
      };
  for (const auto& [kind, range, values] : optimizer.state()) {
    for (size_t i = range.first_parameter; i < range.first_parameter + range.num_parameters; ++i)
      add(kind, *range.unit, i, range.view(values, i));
  }
  for (const tensor::FlatParameter* unit : decoder.unit_pointers()) {
    if (!unit->trainable() || !has_master(*unit)) continue;
    for (size_t i = 0; i < unit->parameters().size(); ++i) add(kMaster, *unit, i, unit->main_weight(i));
  }
  return named;
}

}  // namespace

void write_optimizer(const fs::path& folder,
                     const models::Decoder& decoder,
                     const optim::Optimizer& optimizer,
                     DType weights_dtype) {
  fs::create_directories(folder);
  bool with_master = false;
  const auto is_wider = [&](const tensor::FlatParameter& unit) {
    const bool wider = unit.main_weights().scalar_type() != tensor::to_torch(weights_dtype);
    with_master = with_master || wider;
    return wider;
  };
  std::vector<io::TensorToWrite> tensors;
  const auto state = named_state(decoder, optimizer, is_wider);
  for (const auto& [name, value] : state) tensors.push_back(to_write(name, value));
  io::write_safetensors(folder / kShard, tensors);
  nlohmann::ordered_json index;
  index["format_version"] = kFormatVersion;
  index["num_steps"] = optimizer.num_steps();
  index["master_weights"] = with_master;
  index["files"] = {kShard};
  write_file_atomically(folder / "index.json", index.dump(2) + "\n");
}

void read_optimizer(const fs::path& folder, models::Decoder& decoder, optim::Optimizer& optimizer) {
  const auto index = nlohmann::json::parse(read_file(folder / "index.json"));
  const int version = index.at("format_version").get<int>();
  check(version == kFormatVersion,
        ErrorCode::kFormat,
        (folder / "index.json").string(),
        ": format_version ",
        version,
        "; this program reads ",
        kFormatVersion);
  const io::SafetensorsFile file(folder / kShard);
  std::map<std::string, const io::TensorView*> stored;
  for (const io::TensorView& tensor : file.tensors()) stored[tensor.name] = &tensor;
  const bool with_master = index.at("master_weights").get<bool>();
  const auto has_stored = [&](const tensor::FlatParameter& unit) {
    return with_master &&
           std::any_of(unit.parameters().begin(), unit.parameters().end(), [&](const auto& parameter) {
             return stored.contains(std::string(kMaster) + "." + parameter.name);
           });
  };
  for (auto& [name, value] : named_state(decoder, optimizer, has_stored)) {
    const auto found = stored.find(name);
    check(found != stored.end(),
          ErrorCode::kFormat,
          file.path().string(),
          ": ",
          name,
          " is missing; the checkpoint was made with another optimizer or model");
    const io::TensorView& tensor = *found->second;
    check(tensor.shape == value.sizes().vec() && tensor.dtype == tensor::from_torch(value.scalar_type()),
          ErrorCode::kFormat,
          file.path().string(),
          ": ",
          name,
          " is ",
          safetensors_name(tensor.dtype),
          " ",
          at::IntArrayRef(tensor.shape),
          ", expected ",
          value.scalar_type(),
          " ",
          value.sizes());
    value.copy_(at::from_blob(
        const_cast<std::byte*>(tensor.data), tensor.shape, at::dtype(tensor::to_torch(tensor.dtype))));
    stored.erase(found);
  }
  check(stored.empty(),
        ErrorCode::kFormat,
        file.path().string(),
        ": ",
        stored.empty() ? "" : stored.begin()->first,
        " belongs to no parameter of this run; the checkpoint was made with another optimizer or model");
  for (tensor::FlatParameter* unit : decoder.unit_pointers()) unit->main_changed();
  optimizer.set_num_steps(index.at("num_steps").get<int64_t>());
}

}  // namespace automodel::checkpoint
