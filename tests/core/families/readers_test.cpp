#include "core/families/readers.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/families/rope.h"

namespace automodel::families {
namespace {

using nlohmann::json;

Draft draft_of(int64_t num_layers = 2) {
  Draft draft;
  draft.config.hidden_size = 64;
  draft.config.max_position_embeddings = 128;
  draft.layer.attention.num_heads = 4;
  draft.layer.attention.head_dim = 8;
  draft.config.layers.assign(static_cast<size_t>(num_layers), draft.layer);
  return draft;
}

arch::RopeConfig rope_of(const json& object) {
  ConfigJson config(object, "config.json");
  Draft draft = draft_of();
  read_rope(config, draft);
  EXPECT_TRUE(config.unknown().empty());
  return draft.config.ropes.at(0);
}

void expect_rope_refused(const json& object, ErrorCode code, const std::string& says) {
  try {
    rope_of(object);
    ADD_FAILURE() << "read: " << object;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(error.message().find(says), std::string::npos) << error.what();
  }
}

TEST(ReadHeadDim, ZeroIsFilledInAndAnExplicitOneIsKept) {
  ConfigJson config(json::object(), "config.json");
  Draft draft = draft_of();
  draft.config.layers[0].attention.head_dim = 0;
  read_head_dim(config, draft);
  EXPECT_EQ(draft.config.layers[0].attention.head_dim, 16);
  EXPECT_EQ(draft.config.layers[1].attention.head_dim, 8);
}

TEST(ReadRope, DefaultFrequenciesAreThetaToTheMinusTwoIOverDim) {
  const arch::RopeConfig rope = rope_of({{"rope_theta", 10000.0}});
  ASSERT_EQ(rope.inv_freq.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(rope.inv_freq[i],
                std::pow(10.0, -static_cast<double>(i)),
                1e-7 * std::pow(10.0, -static_cast<double>(i)));
  }
  EXPECT_EQ(rope.inv_freq, rope_of(json::object()).inv_freq);
  EXPECT_EQ(rope.inv_freq,
            rope_of({{"rope_scaling", nullptr}, {"rope_parameters", json::object()}}).inv_freq);
}

TEST(ReadRope, OldAndNewFormsGiveTheSame) {
  const json llama3 = {{"factor", 8.0},
                       {"low_freq_factor", 1.0},
                       {"high_freq_factor", 4.0},
                       {"original_max_position_embeddings", 64}};
  json old_form = llama3, new_form = llama3;
  old_form["type"] = "llama3";
  new_form["rope_type"] = "llama3";
  new_form["rope_theta"] = 500000.0;
  EXPECT_EQ(rope_of({{"rope_theta", 500000.0}, {"rope_scaling", old_form}}).inv_freq,
            rope_of({{"rope_parameters", new_form}}).inv_freq);
  // Within the parameters has priority over beside them.
  EXPECT_EQ(rope_of({{"rope_theta", 7.0}, {"rope_parameters", new_form}}).theta, 500000.0);
}

TEST(ReadRope, TheOriginalLengthBesideTheParametersHasPriority) {
  const json yarn = {{"rope_type", "yarn"},
                     {"factor", 4.0},
                     {"truncate", false},
                     {"original_max_position_embeddings", 1024}};
  json shorter = yarn;
  shorter["original_max_position_embeddings"] = 8;
  EXPECT_EQ(rope_of({{"original_max_position_embeddings", 8}, {"rope_parameters", yarn}}).inv_freq,
            rope_of({{"rope_parameters", shorter}}).inv_freq);
  EXPECT_NE(rope_of({{"rope_parameters", yarn}}).inv_freq, rope_of({{"rope_parameters", shorter}}).inv_freq);
  // None at all: max_position_embeddings.
  json none = yarn;
  none.erase("original_max_position_embeddings");
  json longest = yarn;
  longest["original_max_position_embeddings"] = 128;
  EXPECT_EQ(rope_of({{"rope_parameters", none}}).inv_freq, rope_of({{"rope_parameters", longest}}).inv_freq);
}

TEST(ReadRope, RegimesChangeOnePositionBeyondTheOriginal) {
  const arch::RopeConfig dynamic = rope_of({{"rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}}});
  EXPECT_EQ(rope_inv_freq(dynamic, 128), dynamic.inv_freq);
  EXPECT_NE(rope_inv_freq(dynamic, 129), dynamic.inv_freq);
  const arch::RopeConfig longrope = rope_of({{"rope_scaling",
                                              {{"type", "longrope"},
                                               {"short_factor", {1, 1, 1, 1}},
                                               {"long_factor", {2, 3, 4, 5}},
                                               {"original_max_position_embeddings", 64}}}});
  EXPECT_EQ(rope_inv_freq(longrope, 64), longrope.inv_freq);
  EXPECT_EQ(rope_inv_freq(longrope, 65), longrope.long_inv_freq);
  EXPECT_DOUBLE_EQ(longrope.attention_factor, std::sqrt(1 + std::log(2.0) / std::log(64.0)));
}

TEST(ReadRope, WhatItCannotDoIsRefused) {
  const auto scaling = [](const json& object) { return json{{"rope_scaling", object}}; };
  expect_rope_refused(scaling({{"type", "linear"}}), ErrorCode::kFormat, "factor\" is missing");
  expect_rope_refused(scaling({{"type", "linear"}, {"factor", nullptr}}), ErrorCode::kFormat, "found null");
  expect_rope_refused(scaling({{"type", "linear"}, {"factor", -1}}), ErrorCode::kFormat, "above 0");
  expect_rope_refused(scaling({{"type", "linear"}, {"factr", 2}}), ErrorCode::kFormat, "factor\" is missing");
  expect_rope_refused(scaling({{"type", "mrope"}, {"factor", 2}}), ErrorCode::kUnsupported, "\"mrope\"");
  expect_rope_refused(scaling({{"type", 3}}), ErrorCode::kFormat, "expected a string");
  expect_rope_refused(json{{"rope_scaling", "linear"}}, ErrorCode::kFormat, "a JSON object");
  expect_rope_refused(scaling({{"type", "longrope"}, {"short_factor", {1, 2}}, {"long_factor", {1, 2}}}),
                      ErrorCode::kFormat,
                      "expected 4 numbers");
  expect_rope_refused(json{{"partial_rotary_factor", 0.5}}, ErrorCode::kUnsupported, "partial_rotary_factor");
  expect_rope_refused(json{{"rope_theta", 0}}, ErrorCode::kFormat, "above 1");
  expect_rope_refused({{"rope_scaling", {{"type", "linear"}, {"factor", 2}}},
                       {"rope_parameters", {{"rope_type", "linear"}, {"factor", 4}}}},
                      ErrorCode::kFormat,
                      "keep one");
}

TEST(ReadRope, KeysThatNoTypeHasAreCollected) {
  ConfigJson config(json{{"rope_scaling", {{"type", "linear"}, {"factor", 2}, {"alpha", 2}}}}, "config.json");
  Draft draft = draft_of();
  read_rope(config, draft);
  ASSERT_EQ(draft.unknown_keys.size(), 1u);
  EXPECT_EQ(draft.unknown_keys[0].path, "rope_scaling.alpha");
  EXPECT_FALSE(draft.unknown_keys[0].neutral);
}

TEST(ReadRope, AnOddHeadIsRefused) {
  ConfigJson config(json::object(), "config.json");
  Draft draft = draft_of();
  draft.config.layers[0].attention.head_dim = 7;
  EXPECT_THROW(read_rope(config, draft), Error);
}

}  // namespace
}  // namespace automodel::families
