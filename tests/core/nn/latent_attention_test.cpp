#include "core/nn/latent_attention.h"

#include <gtest/gtest.h>

#include "tests/core/nn/mixer_check.h"

namespace automodel::nn {
namespace {

constexpr int64_t kD = 10, kN = 3, kQRank = 7, kRank = 6, kNope = 4, kRope = 4, kV = 5;

struct Block {
  std::unique_ptr<tensor::FlatParameter> unit;
  LatentAttention attention;

  Block(int64_t q_lora_rank, bool interleaved) {
    arch::LatentAttentionConfig& config = attention.config;
    config.num_heads = kN;
    config.q_lora_rank = q_lora_rank;
    config.kv_lora_rank = kRank;
    config.qk_nope_head_dim = kNope;
    config.qk_rope_head_dim = kRope;
    config.v_head_dim = kV;
    const int64_t q_in = q_lora_rank > 0 ? q_lora_rank : kD;
    std::vector<tensor::Parameter> parameters = {{"q_up", {kN * (kNope + kRope), q_in}},
                                                 {"kv_down", {kRank + kRope, kD}},
                                                 {"kv_up", {kN * (kNope + kV), kRank}},
                                                 {"o", {kD, kN * kV}},
                                                 {"kv_norm", {kRank}},
                                                 {"norm", {kD}}};
    if (q_lora_rank > 0) {
      parameters.push_back({"q_down", {q_lora_rank, kD}});
      parameters.push_back({"q_norm", {q_lora_rank}});
    }
    unit = ops::testing::random_unit(parameters, 1);
    const auto linear = [&](size_t index) {
      return ops::Linear{{unit.get(), index}, {}, {parameters[index].shape[0]}};
    };
    attention.q_up = linear(0);
    attention.kv_down = linear(1);
    attention.kv_up = linear(2);
    attention.output = linear(3);
    attention.kv_norm = {.weight = {unit.get(), 4}};
    attention.input_norm = {.weight = {unit.get(), 5}};
    if (q_lora_rank > 0) {
      attention.q_down = linear(6);
      attention.q_norm = {.weight = {unit.get(), 7}};
    }
    attention.rope = testing::small_rope(kRope, interleaved);
  }
};

TEST(LatentAttention, WithAndWithoutALatentOfQueries) {
  for (const int64_t q_lora_rank : {int64_t{0}, kQRank}) {
    for (const bool interleaved : {false, true}) {
      const Block block(q_lora_rank, interleaved);
      testing::check_mixer(block.attention, kD, {block.unit.get()}, "rank " + std::to_string(q_lora_rank));
    }
  }
}

}  // namespace
}  // namespace automodel::nn
