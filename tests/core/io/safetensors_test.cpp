#include "core/io/safetensors.h"

#include <cstring>
#include <fstream>
#include <random>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/files.h"

namespace automodel::io {
namespace {

namespace fs = std::filesystem;

class Safetensors : public ::testing::Test {
 protected:
  Safetensors() : folder_(fs::temp_directory_path() / ("safetensors_test." + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }

  ~Safetensors() override { fs::remove_all(folder_); }

  void put(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary | std::ios::trunc) << bytes;
  }

  /// A file with this header text, its true length, and `data_bytes` zeros.
  static std::string with_header(const std::string& header, size_t data_bytes) {
    std::string bytes(8, '\0');
    const uint64_t size = header.size();
    std::memcpy(bytes.data(), &size, 8);
    return bytes + header + std::string(data_bytes, '\0');
  }

  /// The message that opening these bytes ends in; "" when they open.
  std::string refusal(const std::string& bytes) {
    put("a.safetensors", bytes);
    try {
      SafetensorsFile file(folder_ / "a.safetensors");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kFormat) << error.what();
      EXPECT_NE(error.message().find("a.safetensors"), std::string::npos) << error.what();
      return error.message();
    }
    return "";
  }

  void expect_refused(const std::string& header, size_t data_bytes, const std::string& says) {
    const std::string message = refusal(with_header(header, data_bytes));
    EXPECT_NE(message.find(says), std::string::npos) << header << "\n-> " << message;
  }

  fs::path folder_;
};

TEST_F(Safetensors, WhatIsWrittenIsReadBack) {
  const float f32[6] = {1, 2, 3, 4, 5, 6};
  const uint16_t bf16[3] = {0x3f80, 0x4000, 0x4040};
  const int64_t scalar = -7;
  write_safetensors(folder_ / "a.safetensors",
                    {{"half", DType::kBFloat16, {3}, bf16},
                     {"weight", DType::kFloat32, {2, 3}, f32},
                     {"nothing", DType::kFloat32, {0, 4}, f32},
                     {"count", DType::kInt64, {}, &scalar}},
                    {{"format", "pt"}, {"note", "\"quoted\"\n"}});
  const SafetensorsFile file(folder_ / "a.safetensors");
  ASSERT_EQ(file.tensors().size(), 4u);
  EXPECT_EQ(file.metadata().at("note"), "\"quoted\"\n");
  // Wide elements stand first so that every tensor is aligned to its element size.
  EXPECT_EQ(file.tensors()[0].name, "count");
  EXPECT_EQ(std::memcmp(file.tensors()[0].data, &scalar, 8), 0);
  const TensorView& half = file.tensors()[3];
  EXPECT_EQ(half.name, "half");
  EXPECT_EQ(half.shape, std::vector<int64_t>{3});
  EXPECT_EQ(std::memcmp(half.data, bf16, sizeof bf16), 0);
  for (const TensorView& tensor : file.tensors()) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data) % static_cast<uintptr_t>(size_of(tensor.dtype)), 0u);
    file.drop_pages(tensor);
  }
  EXPECT_EQ(std::memcmp(half.data, bf16, sizeof bf16), 0) << "dropped pages come back from the file";
}

TEST_F(Safetensors, AFileWithoutTensorsOpens) {
  EXPECT_EQ(refusal(with_header("{}", 0)), "");
  EXPECT_EQ(refusal(with_header("{\"__metadata__\":{}}      ", 0)), "");
}

TEST_F(Safetensors, AFailedWriteLeavesNoFile) {
  const float value = 1;
  EXPECT_THROW(write_safetensors(folder_ / "a",
                                 {{"x", DType::kFloat32, {1}, &value}, {"x", DType::kFloat32, {1}, &value}}),
               Error);
  EXPECT_THROW(write_safetensors("/dev/full/a", {{"x", DType::kFloat32, {1}, &value}}), Error);
  fs::create_directories(folder_ / "b" / "c");  // a folder that is not empty cannot be replaced by the file
  EXPECT_THROW(write_safetensors(folder_ / "b", {{"x", DType::kFloat32, {1}, &value}}), Error);
  size_t num_entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_)) ++num_entries;
  EXPECT_EQ(num_entries, 1u);
}

TEST_F(Safetensors, LyingLengthsAreRefused) {
  EXPECT_NE(refusal("").find("truncated"), std::string::npos);
  EXPECT_NE(refusal("1234567").find("truncated"), std::string::npos);
  std::string bytes = with_header("{}", 0);
  bytes[0] = 100;
  EXPECT_NE(refusal(bytes).find("truncated"), std::string::npos);
  bytes[7] = '\x7f';
  EXPECT_NE(refusal(bytes).find("over the limit"), std::string::npos);
  bytes = with_header("{}", 0);
  const uint64_t over = 100'000'001;
  std::memcpy(bytes.data(), &over, 8);
  EXPECT_NE(refusal(bytes).find("over the limit"), std::string::npos);
}

TEST_F(Safetensors, WrongHeadersAreRefusedByName) {
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  EXPECT_EQ(refusal(with_header("{\"w\":{" + good + "}}", 8)), "");
  expect_refused("", 0, "not JSON");
  expect_refused("[]", 0, "an object of tensors");
  expect_refused("7", 0, "an object of tensors");
  expect_refused("{\"w\":{" + good + "}", 8, "not JSON");
  expect_refused("{\"w\":{" + good + "}} {}", 8, "not JSON");
  expect_refused("{\"w\":" + std::string(200000, '['), 8, "\"w\"");
  expect_refused("{\"w\":{\"shape\":" + std::string(200000, '['), 8, "\"w\"");
  expect_refused("{\"w\":{" + good + "},\"w\":{" + good + "}}", 8, "\"w\" stands twice");
  expect_refused("{\"w\":{" + good + ",\"dtype\":\"F32\"}}", 8, "\"dtype\" stands twice");
  expect_refused("{\"w\":{" + good + ",\"other\":1}}", 8, "unknown field");
  expect_refused(R"({"w":{"shape":[2],"data_offsets":[0,8]}})", 8, "\"w\": dtype is missing");
  expect_refused(R"({"w":{"dtype":"F32","shape":[2]}})", 8, "\"w\": data_offsets is missing");
  expect_refused(R"({"w":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}})", 8, "\"Q4\"");
  expect_refused(R"({"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "\"w\": shape: found -2");
  expect_refused(R"({"w":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8, "\"w\": shape: found 2.0");
  expect_refused(
      R"({"w":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", 8, "too large");
  expect_refused(
      R"({"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8, "larger than any");
  expect_refused(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "not [begin, end]");
  expect_refused(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}})", 8, "not [begin, end]");
  expect_refused("{\"w\":{" + good + "}}", 4, "\"w\": its bytes end at 8");
  expect_refused("{\"w\":{" + good + "}}", 12, "4 bytes after the last tensor");
  expect_refused(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                 12,
                 "\"w\": its bytes begin at 4, leaving");
  expect_refused(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "shape and type need 12");
  expect_refused("{\"w\":{" + good + R"(},"v":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                 12,
                 "\"v\": its bytes begin at 4, inside");
  expect_refused(R"({"__metadata__":{"a":1}})", 0, "found 1");
  expect_refused("{\"w\xff\":{" + good + "}}", 8, "not JSON");
}

TEST_F(Safetensors, MutatedFilesOpenOrAreRefusedButNeverCrash) {
  const float values[12] = {};
  write_safetensors(folder_ / "good",
                    {{"model.embed.weight", DType::kFloat32, {3, 2}, values},
                     {"model.norm.weight", DType::kFloat32, {2}, values},
                     {"head", DType::kBFloat16, {2, 4}, values}});
  const std::string good = read_file(folder_ / "good");
  std::mt19937_64 random(20261120);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  const std::string alphabet = "0123456789-[]{}\":,.eF32BU\\ \n";
  int num_refused = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string bytes = good;
    for (size_t edits = 1 + below(4); edits > 0; --edits) {
      // Most edits hit the length and the JSON: a changed payload byte is always valid.
      const size_t at = below(std::min(bytes.size(), good.size() - 40));
      switch (below(5)) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes[at] = alphabet[below(alphabet.size())];
          break;
        case 2:
          bytes.erase(at, 1 + below(8));
          break;
        case 3:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(24)));
          break;
        case 4:
          bytes.resize(below(bytes.size()) + 1);
          break;
      }
      if (bytes.size() < 16) break;
    }
    put("a.safetensors", bytes);
    try {
      const SafetensorsFile file(folder_ / "a.safetensors");
      // What opens must be safe to read to its last byte.
      unsigned sum = 0;
      for (const TensorView& tensor : file.tensors()) {
        for (int64_t i = 0; i < tensor.size_bytes; ++i) sum += std::to_integer<unsigned>(tensor.data[i]);
      }
      EXPECT_LT(sum, 255u * bytes.size());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kFormat) << error.what();
      ++num_refused;
    }
  }
  EXPECT_GT(num_refused, 3000);
}

TEST_F(Safetensors, ShardsAreFoundThroughTheIndex) {
  const float values[2] = {1, 2};
  write_safetensors(folder_ / "x-1.safetensors", {{"a", DType::kFloat32, {2}, values}});
  write_safetensors(folder_ / "x-2.safetensors", {{"b", DType::kFloat32, {1}, values}});
  put("model.safetensors.index.json", R"({"weight_map":{"b":"x-2.safetensors","a":"x-1.safetensors"}})");
  const WeightFiles weights = open_weights(folder_);
  EXPECT_EQ(weights.files.size(), 2u);
  EXPECT_EQ(weights.at("a").shape, std::vector<int64_t>{2});
  EXPECT_EQ(weights.at("b").size_bytes, 4);
  EXPECT_THROW(weights.at("c"), Error);
}

TEST_F(Safetensors, BrokenFoldersAreRefusedByName) {
  const auto refused = [&](const std::string& says) {
    try {
      open_weights(folder_);
      ADD_FAILURE() << "opened; expected: " << says;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kFormat);
      EXPECT_NE(error.message().find(says), std::string::npos) << error.what();
    }
  };
  refused("the folder is empty");
  put("pytorch_model.bin", "x");
  refused("it holds pytorch_model.bin");
  const std::string index = "model.safetensors.index.json";
  put(index, "{");
  refused("not JSON");
  put(index, "{\"metadata\":{}}");
  refused("weight_map");
  put(index, R"({"weight_map":{"a":"../../etc/passwd"}})");
  refused("is not the name of a file in this folder");
  put(index, R"({"weight_map":{"a":"x-1.safetensors"}})");
  refused("x-1.safetensors: missing");
  const float value = 1;
  write_safetensors(folder_ / "x-1.safetensors", {{"b", DType::kFloat32, {1}, &value}});
  refused("tensor \"a\" is missing");
  write_safetensors(folder_ / "x-2.safetensors",
                    {{"a", DType::kFloat32, {1}, &value}, {"b", DType::kFloat32, {1}, &value}});
  put(index, R"({"weight_map":{"a":"x-2.safetensors","b":"x-1.safetensors"}})");
  refused("tensor \"b\" stands also in");
}

}  // namespace
}  // namespace automodel::io
