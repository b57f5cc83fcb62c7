#include <random>

#include <nlohmann/json.hpp>

#include "core/data/loader.h"
#include "core/data/messages.h"
#include "core/data/source.h"
#include "tests/core/data/scratch.h"

namespace automodel::data {
namespace {

/// Files that were right, with bytes flipped, cut, doubled and inserted: read to the end or refused, never
/// worse.
class Hostile : public Scratch {
 protected:
  static constexpr int kRounds = 1500;

  std::string mutate(std::string bytes) {
    const int edits = 1 + static_cast<int>(random_() % 4);
    for (int i = 0; i < edits && !bytes.empty(); ++i) {
      const size_t at = random_() % bytes.size();
      const size_t length = random_() % 40;
      switch (random_() % 5) {
        case 0:
          bytes[at] = static_cast<char>(random_());
          break;
        case 1:
          bytes.erase(at, length);
          break;
        case 2:
          bytes.insert(at, bytes.substr(random_() % bytes.size(), length));
          break;
        case 3:
          bytes.insert(at, 1, "\"\\[]{},:\n\0\xff"[random_() % 11]);
          break;
        default:
          bytes.resize(at);
      }
    }
    return bytes;
  }

  /// Runs `read` on mutations; anything but an Error of the user's data escapes. Both outcomes must occur.
  template <class Read>
  void run(const std::string& good, const Read& read) {
    int refused = 0;
    for (int i = 0; i < kRounds; ++i) {
      const std::string bytes = mutate(good);
      try {
        read(bytes);
      } catch (const Error& error) {
        ++refused;
        EXPECT_EQ(error.code(), ErrorCode::kData) << error.what();
        EXPECT_LT(error.message().size(), 2000U);
      }
    }
    EXPECT_GT(refused, 0);
    EXPECT_LT(refused, kRounds);
  }

  void read_rows(const std::string& name, const std::string& bytes, bool skip_invalid = false) {
    const auto source = open_file_source(put(name, bytes), skip_invalid);
    for (int64_t i = 0; i < source->num_rows(); ++i) {
      const auto row = source->row(i);
      source->place(i);
      read_messages(row);
      read_tools(row);
    }
  }

  std::mt19937 random_{1234};
};

const std::string kRow =
    R"({"messages": [{"role": "user", "content": "a\"\u00e4"}, {"role": "assistant", "content": [{"text": "b"}], )"
    R"("tool_calls": [{"function": {"name": "f", "arguments": {"x": [1, 2.5e3, null]}}}]}], "tools": "[{}]"})";

TEST_F(Hostile, JsonLines) {
  run(kRow + "\n" + kRow + "\n", [&](const std::string& bytes) { read_rows("a.jsonl", bytes); });
}

TEST_F(Hostile, JsonLinesThatAreSkipped) {
  run(kRow + "\n" + kRow + "\n", [&](const std::string& bytes) { read_rows("a.jsonl", bytes, true); });
}

TEST_F(Hostile, JsonArray) {
  run("[" + kRow + ",\n" + kRow + "]", [&](const std::string& bytes) { read_rows("a.json", bytes); });
}

TEST_F(Hostile, Gzip) {
  run(gzip(kRow + "\n"), [&](const std::string& bytes) { read_rows("a.jsonl.gz", bytes); });
}

TEST_F(Hostile, Csv) {
  run("q,\"a\"\r\n1,\"x \"\"y\"\"\nz\"\r\n2,\r\n", [&](const std::string& bytes) {
    const auto source = open_file_source(put("a.csv", bytes), false);
    for (int64_t i = 0; i < source->num_rows(); ++i) source->row(i);
  });
}

TEST_F(Hostile, NanogptShard) {
  std::vector<uint32_t> tokens(64);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<uint32_t>(i * i);
  const std::string good = shard_of(tokens);
  run(good, [&](std::string bytes) {
    if (random_() % 2 == 0)
      bytes = good.substr(0, 16 + random_() % good.size());  // hit the header more often
    if (bytes.size() > 16) bytes[random_() % 16] = static_cast<char>(random_());
    config::DatasetConfig dataset;
    dataset.paths = {put("a.bin", bytes).string()};
    dataset.kind = config::NanogptSet{.seq_len = 7, .bos_token = {}};
    const auto loader = open_loader(dataset, nullptr, {});
    for (int i = 0; i < 20; ++i) loader->next();
  });
}

}  // namespace
}  // namespace automodel::data
