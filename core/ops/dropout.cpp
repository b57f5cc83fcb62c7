#include "core/ops/dropout.h"

#include <algorithm>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/bitwise_xor.h>
#include <ATen/ops/empty.h>

namespace automodel::ops {
namespace {

constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
constexpr uint64_t kMix1 = 0xbf58476d1ce4e5b9;
constexpr uint64_t kMix2 = 0x94d049bb133111eb;

/// The finaliser of SplitMix64 (Steele, Lea & Flood 2014).
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * kMix1;
  x = (x ^ (x >> 27)) * kMix2;
  return x ^ (x >> 31);
}

int64_t as_signed(uint64_t x) {
  return static_cast<int64_t>(x);
}

void check_probability(double p) {
  check(p >= 0 && p < 1, ErrorCode::kInvalidArgument, "dropout of ", p, ": expected at least 0 and below 1");
}

/// The upper 53 bits of a draw, as a whole number, against p of their range: exact, so equal on every device.
int64_t threshold_of(double p) {
  return static_cast<int64_t>(p * static_cast<double>(int64_t{1} << 53));
}

/// x ^ (x >> bits) of an int64 tensor as if it were unsigned, in place.
void xor_shifted(at::Tensor& x, int64_t bits) {
  at::Tensor shifted = at::bitwise_right_shift(x, bits);
  shifted.bitwise_and_(as_signed(~uint64_t{0} >> bits));
  x.bitwise_xor_(shifted);
}

/// mix() of every element; integer products wrap around on every device.
void mix_(at::Tensor& x) {
  xor_shifted(x, 30);
  x.mul_(as_signed(kMix1));
  xor_shifted(x, 27);
  x.mul_(as_signed(kMix2));
  xor_shifted(x, 31);
}

}  // namespace

at::Tensor dropout_keys(uint64_t seed, int64_t step, const std::vector<int64_t>& rows, int64_t length) {
  at::Tensor keys = at::empty({static_cast<int64_t>(rows.size()) * length}, at::kLong);
  int64_t* key = keys.mutable_data_ptr<int64_t>();
  const uint64_t of_step = mix(mix(seed + kGolden) + static_cast<uint64_t>(step));
  for (const int64_t row : rows) {
    const uint64_t of_row = mix(of_step + kGolden * static_cast<uint64_t>(row));
    for (int64_t token = 0; token < length; ++token)
      *key++ = as_signed(mix(of_row + static_cast<uint64_t>(token)));
  }
  return keys;
}

at::Tensor dropout_mask(
    const at::Tensor& keys, uint64_t site, int64_t width, double p, const at::Tensor& like) {
  if (!like.is_cpu()) return dropout_mask_by_operators(keys, site, width, p, like);
  check_probability(p);
  at::Tensor mask = at::empty({keys.size(0), width}, like.options());
  const at::Tensor on_host = keys.contiguous();
  const int64_t* key = on_host.const_data_ptr<int64_t>();
  const uint64_t of_site = mix(site);
  const auto threshold = static_cast<uint64_t>(threshold_of(p));
  const double kept = 1 / (1 - p);
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, like.scalar_type(), "dropout_mask", [&] {
    auto* out = mask.mutable_data_ptr<scalar_t>();
    const auto value = static_cast<scalar_t>(kept);
    constexpr int64_t kElementsPerThread = 1 << 14;
    const int64_t rows_per_thread = std::max<int64_t>(1, kElementsPerThread / width);
    at::parallel_for(0, keys.size(0), rows_per_thread, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const uint64_t start = static_cast<uint64_t>(key[r]) ^ of_site;
        for (int64_t c = 0; c < width; ++c) {
          const uint64_t draw = mix(start + kGolden * static_cast<uint64_t>(c)) >> 11;
          out[r * width + c] = draw >= threshold ? value : scalar_t(0);
        }
      }
    });
  });
  return mask;
}

at::Tensor dropout_mask_by_operators(
    const at::Tensor& keys, uint64_t site, int64_t width, double p, const at::Tensor& like) {
  check_probability(p);
  constexpr int64_t kElementsAtOnce = int64_t{1} << 20;  // bounds the 8-byte scratch
  const int64_t rows = keys.size(0);
  const int64_t rows_at_once = std::max<int64_t>(1, kElementsAtOnce / width);
  const at::Tensor starts = keys.to(like.device()).bitwise_xor(as_signed(mix(site)));
  const at::Tensor channels =
      at::arange(width, at::device(like.device()).dtype(at::kLong)).mul_(as_signed(kGolden));
  at::Tensor mask = at::empty({rows, width}, like.options());
  const int64_t threshold = threshold_of(p);
  for (int64_t begin = 0; begin < rows; begin += rows_at_once) {
    const int64_t count = std::min(rows_at_once, rows - begin);
    at::Tensor draws = starts.narrow(0, begin, count).unsqueeze(1) + channels;
    mix_(draws);
    draws = at::bitwise_right_shift(draws, 11).bitwise_and_((int64_t{1} << 53) - 1);
    mask.narrow(0, begin, count).copy_(draws.ge(threshold));
  }
  return mask.mul_(1 / (1 - p));
}

uint64_t dropout_site(const std::string& place) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : place) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

at::Tensor dropout(const at::Tensor& x_BTD, double p, uint64_t site, const OpContext& context) {
  if (p == 0 || !context.dropout_keys.defined()) return x_BTD;
  const at::Tensor mask = dropout_mask(context.dropout_keys, site, x_BTD.size(-1), p, x_BTD);
  return x_BTD * mask.view(x_BTD.sizes());
}

}  // namespace automodel::ops
