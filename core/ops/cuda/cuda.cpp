#include "core/ops/cuda/cuda.h"

#include <filesystem>

#include <dlfcn.h>

namespace automodel::ops {
namespace {

/// Lies beside the engine's own library.
std::filesystem::path library_path() {
  Dl_info info{};
  ensure(dladdr(reinterpret_cast<const void*>(&cuda), &info) != 0, "the engine's library has no path");
  return std::filesystem::path(info.dli_fname).parent_path() / "libautomodel_cuda.so";
}

const CudaLibrary* open_library() {
  const std::string path = library_path().string();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  check(library != nullptr, ErrorCode::kDevice, "cannot open the CUDA library: ", dlerror());
  const auto function = reinterpret_cast<CudaFunction>(dlsym(library, kCudaSymbol));
  check(function != nullptr, ErrorCode::kDevice, path, " is not automodel's: ", kCudaSymbol, " is missing");
  return function();
}

}  // namespace

const CudaLibrary& cuda() {
  static const CudaLibrary* const kLibrary = open_library();
  return *kLibrary;
}

int num_cuda_devices() {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) return 0;
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get_count = reinterpret_cast<int (*)(int*)>(dlsym(driver, "cuDeviceGetCount"));
  int count = 0;
  if (init == nullptr || get_count == nullptr || init(0) != 0 || get_count(&count) != 0) return 0;
  return count;
}

at::Device find_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  const int count = num_cuda_devices();
  if (name == "auto" && count == 0) return at::kCPU;
  const at::Device device = name == "auto" ? at::Device(at::kCUDA, 0) : at::Device(name);
  const int index = std::max<int>(device.index(), 0);
  check(
      index < count,
      ErrorCode::kDevice,
      "device ",
      name,
      " is not there: the driver shows ",
      count,
      " GPUs to this process (nvidia-smi and CUDA_VISIBLE_DEVICES say which); use device: cpu to train without");
  cuda().set_device(index);
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

}  // namespace automodel::ops
