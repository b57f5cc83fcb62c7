#include "core/families/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace automodel::families {
namespace {

using Floats = std::vector<float>;

/// base ^ (2 i / dim) for each pair of dims.
Floats powers(double base, int64_t dim) {
  Floats values;
  for (int64_t i = 0; i < dim; i += 2) {
    values.push_back(std::pow(static_cast<float>(base), static_cast<float>(i) / static_cast<float>(dim)));
  }
  return values;
}

Floats default_inv_freq(double base, int64_t dim) {
  Floats values = powers(base, dim);
  for (float& value : values) value = 1.0f / value;
  return values;
}

/// theta that dynamic NTK scaling uses at a length; in single precision as soon as the length is beyond the
/// original.
double dynamic_theta(double theta, double factor, int64_t dim, int64_t max_position, int64_t length) {
  const double exponent = static_cast<double>(dim) / static_cast<double>(dim - 2);
  const auto position = static_cast<double>(max_position);
  if (length <= max_position) return theta * std::pow(factor * position / position - (factor - 1), exponent);
  const float stretched =
      static_cast<float>(factor) * static_cast<float>(length) / static_cast<float>(position);
  const float grown = std::pow(stretched - static_cast<float>(factor - 1), static_cast<float>(exponent));
  return static_cast<float>(theta) * grown;
}

/// The attention scale that yarn's authors found, as a function of the stretch.
double yarn_mscale(double scale, double mscale) {
  return scale <= 1 ? 1.0 : 0.1 * mscale * std::log(scale) + 1.0;
}

double yarn_attention_factor(const RopeSettings& s, double factor) {
  if (s.attention_factor) return *s.attention_factor;
  const double mscale = s.mscale.value_or(0), mscale_all_dim = s.mscale_all_dim.value_or(0);
  if (mscale != 0 && mscale_all_dim != 0)
    return yarn_mscale(factor, mscale) / yarn_mscale(factor, mscale_all_dim);
  return yarn_mscale(factor, 1.0);
}

/// The (fractional) pair of dims that turns `rotations` times over the original context.
double yarn_correction_dim(const RopeSettings& s, double rotations) {
  const auto dim = static_cast<double>(s.head_dim);
  const auto context = static_cast<double>(s.original_max_position_embeddings);
  return dim * std::log(context / (rotations * 2 * std::numbers::pi)) / (2 * std::log(s.rope_theta));
}

Floats yarn_inv_freq(const RopeSettings& s, double factor) {
  double low = yarn_correction_dim(s, s.beta_fast.value_or(32));
  double high = yarn_correction_dim(s, s.beta_slow.value_or(1));
  if (s.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(s.head_dim - 1));
  if (low == high) high += 0.001;  // no division by zero

  Floats values = powers(s.rope_theta, s.head_dim);
  for (size_t i = 0; i < values.size(); ++i) {
    const float ramp = (static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low);
    const float extrapolated = 1.0f - std::clamp(ramp, 0.0f, 1.0f);
    const float inside = 1.0f / (static_cast<float>(factor) * values[i]) * (1.0f - extrapolated);
    values[i] = inside + 1.0f / values[i] * extrapolated;
  }
  return values;
}

Floats longrope_inv_freq(const RopeSettings& s, const std::vector<double>& factors) {
  Floats values = powers(s.rope_theta, s.head_dim);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 1.0f / (static_cast<float>(factors[i]) * values[i]);
  return values;
}

double longrope_attention_factor(const RopeSettings& s) {
  if (s.attention_factor) return *s.attention_factor;
  const auto original = static_cast<double>(s.original_max_position_embeddings);
  const double factor = s.factor.value_or(static_cast<double>(s.max_position_embeddings) / original);
  return factor <= 1.0 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(original));
}

Floats llama3_inv_freq(const RopeSettings& s) {
  const auto factor = static_cast<float>(*s.factor);
  const auto context = static_cast<double>(s.original_max_position_embeddings);
  const auto longest = static_cast<float>(context / s.low_freq_factor);
  const auto shortest = static_cast<float>(context / s.high_freq_factor);
  Floats values = default_inv_freq(s.rope_theta, s.head_dim);
  for (float& value : values) {
    const float wavelength = 1.0f / value * static_cast<float>(2 * std::numbers::pi);
    if (wavelength > longest) {
      value = value / factor;
    } else if (wavelength >= shortest) {
      const float turns = 1.0f / wavelength * static_cast<float>(context);
      const float smooth = (turns - static_cast<float>(s.low_freq_factor)) /
                           static_cast<float>(s.high_freq_factor - s.low_freq_factor);
      value = (1.0f - smooth) * value / factor + smooth * value;
    }
  }
  return values;
}

std::vector<double> to_double(const Floats& values) {
  return {values.begin(), values.end()};
}

}  // namespace

arch::RopeConfig make_rope(const RopeSettings& s) {
  arch::RopeConfig rope;
  rope.theta = s.rope_theta;
  rope.rotary_dim = s.head_dim;
  if (s.rope_type == "default") {
    rope.inv_freq = to_double(default_inv_freq(s.rope_theta, s.head_dim));
  } else if (s.rope_type == "linear") {
    Floats values = default_inv_freq(s.rope_theta, s.head_dim);
    for (float& value : values) value /= static_cast<float>(*s.factor);
    rope.inv_freq = to_double(values);
  } else if (s.rope_type == "dynamic") {
    rope.dynamic_factor = *s.factor;
    rope.original_max_position = s.max_position_embeddings;
    rope.inv_freq = rope_inv_freq(rope, 0);
  } else if (s.rope_type == "yarn") {
    const double stretch = static_cast<double>(s.max_position_embeddings) /
                           static_cast<double>(s.original_max_position_embeddings);
    const double factor = s.factor.value_or(stretch);
    rope.inv_freq = to_double(yarn_inv_freq(s, factor));
    rope.attention_factor = yarn_attention_factor(s, factor);
  } else if (s.rope_type == "longrope") {
    rope.original_max_position = s.original_max_position_embeddings;
    rope.inv_freq = to_double(longrope_inv_freq(s, s.short_factor));
    rope.long_inv_freq = to_double(longrope_inv_freq(s, s.long_factor));
    rope.attention_factor = rope.long_attention_factor = longrope_attention_factor(s);
  } else if (s.rope_type == "llama3") {
    rope.inv_freq = to_double(llama3_inv_freq(s));
  } else {
    fail(ErrorCode::kUnsupported,
         "rope_type \"",
         s.rope_type,
         "\" is not one of default, linear, dynamic, yarn, longrope, llama3");
  }
  return rope;
}

std::vector<double> rope_inv_freq(const arch::RopeConfig& rope, int64_t length) {
  if (rope.dynamic_factor > 0) {
    const double theta =
        dynamic_theta(rope.theta, rope.dynamic_factor, rope.rotary_dim, rope.original_max_position, length);
    return to_double(default_inv_freq(theta, rope.rotary_dim));
  }
  if (!rope.long_inv_freq.empty() && length > rope.original_max_position) return rope.long_inv_freq;
  return rope.inv_freq;
}

}  // namespace automodel::families
