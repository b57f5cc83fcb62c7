#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/dtype.h"

namespace automodel::io {

/// One tensor of an open safetensors file. `data` points into the memory map and lives as long as the file
/// object.
struct TensorView {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;
  int64_t size_bytes = 0;
};

/// A safetensors file, memory-mapped and fully checked on opening: header length, JSON, known types, shape
/// times element size equal to the range, ranges in bounds, no overlap, no hole. Throws Error(kFormat) naming
/// file and tensor. Format: huggingface.co/docs/safetensors.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  const std::filesystem::path& path() const;

  /// In the order of their bytes in the file.
  const std::vector<TensorView>& tensors() const;

  /// "__metadata__" of the header.
  const std::map<std::string, std::string>& metadata() const;

  /// Tells the kernel that the pages of this tensor are not needed any more.
  void drop_pages(const TensorView& tensor) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What to write: name, type, shape, and the bytes (contiguous, little endian, alive until written).
struct TensorToWrite {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  const void* data;
  std::function<const void*()> fetch =
      {};  ///< instead of data: called in its turn, valid until the next is called
};

/// Writes a safetensors file in the given order, header padded to 8 bytes, and fsyncs it.
/// Throws Error(kIo) (a full disk for example), leaving no file.
void write_safetensors(const std::filesystem::path& path,
                       const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

/// The weights of a Hugging Face folder: model.safetensors, or the shards that model.safetensors.index.json
/// names.
struct WeightFiles {
  std::vector<SafetensorsFile> files;
  std::map<std::string, std::pair<size_t, size_t>> index;  ///< tensor name -> (file, tensor in that file)

  const TensorView& at(const std::string& name) const;
};

/// "291 tensors, xxh128 ...": equal for equal tensors, however they are divided into files. Names, types and
/// shapes of all are hashed, and 4 KiB from the front and from the middle of up to 1,024, evenly spread by
/// name.
std::string fingerprint(const WeightFiles& weights);

/// Throws Error(kFormat) when the folder has no safetensors weights (naming what is there instead), a shard
/// is missing, the index names a tensor that its file lacks, or a tensor stands twice.
WeightFiles open_weights(const std::filesystem::path& folder);

/// The weights of these files together. Throws Error(kFormat) when a tensor stands twice.
WeightFiles open_weight_files(const std::vector<std::filesystem::path>& paths);

}  // namespace automodel::io
