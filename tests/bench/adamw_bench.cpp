// Time of one AdamW update over a flat buffer, on the CPU and, where there is one, on a CUDA device.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <vector>

#include "core/kernels/adamw.h"
#include "tests/core/kernels/cases.h"
#include "tests/core/kernels/cuda/device_buffer.h"

namespace automodel::kernels {
namespace {

constexpr int kRuns = 15;
constexpr int64_t kLargest = 100'000'000;
constexpr double kBytesAnElement = 7 * sizeof(float);  // reads p, grad, m, v; writes p, m, v

double median_us(const std::function<void()>& run) {
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return times[kRuns / 2];
}

void print(const char* device, int64_t n, double us, double copy_us) {
  const double copy_gb_s = 2.0 * sizeof(float) * static_cast<double>(n) / copy_us / 1e3;
  const double gb_s = kBytesAnElement * static_cast<double>(n) / us / 1e3;
  std::printf("%-5s %10lld elements  %10.1f us  %8.1f GB/s  %5.1f %% of a copy's\n",
              device,
              static_cast<long long>(n),
              us,
              gb_s,
              100 * gb_s / copy_gb_s);
}

void bench_cpu(int64_t n) {
  std::vector<float> p(static_cast<size_t>(n), 1), grad(p), m(p), v(p);
  const double us = median_us([&] { adamw_f32(p.data(), grad.data(), m.data(), v.data(), n, {1e-3}); });
  const double copy = median_us([&] { std::memcpy(m.data(), v.data(), p.size() * sizeof(float)); });
  print("cpu", n, us, copy);
}

void bench_cuda(int64_t n) {
  const std::vector<float> ones(static_cast<size_t>(n), 1);
  testing::DeviceBuffer p(ones), grad(ones), m(ones), v(ones);
  const double us = median_us([&] {
    adamw_f32_cuda(p.data(), grad.data(), m.data(), v.data(), n, {1e-3}, nullptr, nullptr);
    testing::check_cuda(cudaDeviceSynchronize());
  });
  const double copy = median_us([&] {
    testing::check_cuda(
        cudaMemcpy(m.data(), v.data(), ones.size() * sizeof(float), cudaMemcpyDeviceToDevice));
    testing::check_cuda(cudaDeviceSynchronize());
  });
  print("cuda", n, us, copy);
}

}  // namespace
}  // namespace automodel::kernels

int main() {
  namespace kernels = automodel::kernels;
  std::vector<int64_t> sizes = kernels::testing::flat_sizes();
  sizes.push_back(kernels::kLargest);
  for (const int64_t n : sizes) kernels::bench_cpu(n);
  if (!kernels::testing::has_cuda_device()) {
    std::puts("cuda  no CUDA device");
    return 0;
  }
  for (const int64_t n : sizes) kernels::bench_cuda(n);
}
