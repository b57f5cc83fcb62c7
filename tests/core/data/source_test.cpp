#include "core/data/source.h"

#include <nlohmann/json.hpp>

#include "tests/core/data/scratch.h"

namespace automodel::data {
namespace {

using config::DatasetConfig;
using Json = nlohmann::ordered_json;

class SourceTest : public Scratch {
 protected:
  std::unique_ptr<Source> open(const std::string& name, const std::string& bytes) const {
    return open_file_source(put(name, bytes), false);
  }

  /// What goes wrong between opening a file and reading all its rows.
  std::string refusal(const std::string& name, const std::string& bytes) const {
    return message_of(ErrorCode::kData, [&] {
      const auto source = open(name, bytes);
      for (int64_t i = 0; i < source->num_rows(); ++i) source->row(i);
    });
  }

  std::unique_ptr<Source> open_set(std::vector<std::string> paths, const std::string& split = "") const {
    DatasetConfig dataset;
    for (std::string& path : paths) dataset.paths.push_back((folder_ / path).string());
    dataset.split = split;
    return open_source(dataset);
  }
};

std::vector<int64_t> numbers(const Source& source) {
  std::vector<int64_t> found;
  for (int64_t i = 0; i < source.num_rows(); ++i) found.push_back(source.row(i)["n"].get<int64_t>());
  return found;
}

std::string lines(int64_t first, int64_t last) {
  std::string text;
  for (int64_t i = first; i < last; ++i) text += "{\"n\": " + std::to_string(i) + "}\n";
  return text;
}

using Numbers = std::vector<int64_t>;

TEST_F(SourceTest, ReadsTheSameRowsFromEveryFormat) {
  const std::string array = "[{\"n\": 0}, {\"n\": 1},\n {\"n\":\n2}]";
  EXPECT_EQ(numbers(*open("a.jsonl", lines(0, 3))), (Numbers{0, 1, 2}));
  EXPECT_EQ(numbers(*open("a.ndjson", "\xef\xbb\xbf{\"n\": 0}\r\n\r\n  \n{\"n\": 1}\n{\"n\": 2}")),
            (Numbers{0, 1, 2}));
  EXPECT_EQ(numbers(*open("a.json", array)), (Numbers{0, 1, 2}));
  EXPECT_EQ(numbers(*open("lines.json", lines(0, 3))), (Numbers{0, 1, 2}));
  EXPECT_EQ(numbers(*open("one.json", "{\n\"n\": 7\n}")), (Numbers{7}));
  EXPECT_EQ(numbers(*open("a.jsonl.gz", gzip(lines(0, 3)))), (Numbers{0, 1, 2}));
  EXPECT_EQ(numbers(*open("a.json.gz", gzip(array))), (Numbers{0, 1, 2}));
  EXPECT_EQ(open("a.csv", "q,n\r\nx,1\r\n\"y,\"\"z\"\"\",\r\n")->row(1),
            (Json{{"q", "y,\"z\""}, {"n", nullptr}}));
}

TEST_F(SourceTest, KeepsTheOrderOfKeysAndTheLastOfTwoEqualOnes) {
  EXPECT_EQ(open("a.jsonl", "{\"z\":1,\"a\":{\"y\":1,\"b\":2},\"z\":3}\n")->row(0).dump(),
            R"({"z":3,"a":{"y":1,"b":2}})");
}

TEST_F(SourceTest, NumbersThatOnlyPythonsJsonKnowsAreNoFault) {
  const std::string row = R"({"n": 7, "a": NaN, "b": [Infinity, -Infinity], "c": 1e400, "d": 1)" +
                          std::string(300, '0') + R"(, "e": "\ud800"})" + "\n";
  for (const std::string name : {"a.jsonl", "a.json"}) {
    EXPECT_EQ(numbers(*open(name, row)), (Numbers{7})) << name;
    EXPECT_EQ(numbers(*open_file_source(put(name, row + "{\"n\": nan}\n" + row), true)), (Numbers{7, 7}))
        << name;
  }
}

TEST_F(SourceTest, ABadRowIsNamedWhenItIsRead) {
  const auto source = open("a.jsonl", "{\"n\": 0}\n\n{\"n\": 1\n{\"n\": 2}\n");
  EXPECT_EQ(source->num_rows(), 3);
  EXPECT_EQ(source->row(2)["n"], 2);
  const std::string message = message_of(ErrorCode::kData, [&] { source->row(1); });
  EXPECT_EQ(message.rfind((folder_ / "a.jsonl:3: not JSON").string(), 0), 0U) << message;
  EXPECT_EQ(source->place(2), (folder_ / "a.jsonl:4").string());
}

TEST_F(SourceTest, HostileFilesEndInAMessage) {
  expect_has(refusal("a.jsonl", "{\"n\": \"\xff\xfe\"}\n"), "a.jsonl:1: not JSON");
  expect_has(refusal("a.jsonl", std::string("{\"n\": \"\0\"}\n", 11)), "a.jsonl:1: not JSON");
  expect_has(refusal("a.jsonl", std::string(100000, '[') + "\n"), "nested more than 256 levels deep");
  expect_has(refusal("a.json", "{\"n\": " + std::string(100000, '[') + std::string(100000, ']') + "}"),
             "levels deep");
  expect_has(refusal("a.jsonl", "[1, 2]\n"), "a.jsonl:1: the row is a list; expected an object");
  expect_has(refusal("a.jsonl", "17"), "a.jsonl:1: the row is a number");
  expect_has(refusal("a.json", "[{\"n\": 1}, {\"n\""), "cut off");
  expect_has(refusal("a.csv", "n\n1\n\"2\n"), "a.csv:3: the double quote opened here is never closed");
  expect_has(refusal("a.csv", "a,b\n1,2\n1,2,3\n"),
             "a.csv:3: 3 cells; the header row names 2 columns (a, b)");
  expect_has(refusal("a.csv", "a,a\n1,2\n"), "a.csv:1: column \"a\" stands twice");
  expect_has(refusal("a.csv", "a\n\xff\n"), "a.csv:2: column 1: not UTF-8");
  const std::string cut = gzip(lines(0, 1000));
  expect_has(refusal("a.jsonl.gz", cut.substr(0, cut.size() / 2)), "truncated gzip");
  expect_has(refusal("a.txt", "text"), "unknown kind of file");
}

TEST_F(SourceTest, ALineOfAHundredMegabytesIsRefusedByItsSize) {
  const std::string line = "{\"n\": \"" + std::string(100'000'000, 'x') + "\"}\n";
  expect_has(refusal("a.jsonl", lines(0, 1) + line), "a.jsonl:2: the row takes 95.4 MiB; at most 64.0 MiB");
}

TEST_F(SourceTest, LeavesInvalidLinesOutWhenAsked) {
  const auto path = put("a.jsonl", "{\"n\": 0}\n{\"n\": \n[]\n{\"n\": 1}\n");
  const auto source = open_file_source(path, true);
  EXPECT_EQ(numbers(*source), (Numbers{0, 1}));
  EXPECT_EQ(source->num_skipped(), 2);
}

TEST_F(SourceTest, JoinsPathsAndTakesSlices) {
  put("a.jsonl", lines(0, 4));
  put("b.json", "[{\"n\": 4}, {\"n\": 5}]");
  EXPECT_EQ(numbers(*open_set({"a.jsonl", "b.json"})), (Numbers{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(numbers(*open_set({"a.jsonl", "b.json"}, "train[3:5]")), (Numbers{3, 4}));
  EXPECT_EQ(numbers(*open_set({"a.jsonl", "b.json"}, "validation")), (Numbers{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(open_set({"a.jsonl", "b.json"}, "train[3:5]")->place(1), (folder_ / "b.json:1").string());
}

TEST_F(SourceTest, LimitComesBehindTheSliceAndShuffleBeforeIt) {
  DatasetConfig dataset;
  dataset.paths = {put("a.jsonl", lines(0, 10)).string()};
  dataset.split = "train[2:]";
  dataset.limit_dataset_samples = 3;
  EXPECT_EQ(numbers(*open_source(dataset)), (Numbers{2, 3, 4}));
  dataset.shuffle_seed = 42;  // CPython: r = list(range(10)); random.Random(42).shuffle(r); r[2:5]
  EXPECT_EQ(numbers(*open_source(dataset)), (Numbers{2, 8, 5}));
  dataset.shuffle_seed.reset();
  dataset.kind = config::SquadSet();  // there a slice rules out the limit
  EXPECT_EQ(open_source(dataset)->num_rows(), 8);
}

TEST_F(SourceTest, AFolderGivesTheFilesOfASplit) {
  put("set/train-00001.jsonl", lines(1, 2));
  put("set/train-00000.jsonl", lines(0, 1));
  put("set/data/dev.json", "[{\"n\": 9}]");
  put("set/dataset_info.json", "{\"n\": -1}");
  put("set/.cache/train.jsonl", "{\"n\": -2}");
  put("set/README.md", "text");
  EXPECT_EQ(numbers(*open_set({"set"}, "train")), (Numbers{0, 1}));
  EXPECT_EQ(numbers(*open_set({"set"})), (Numbers{0, 1}));
  EXPECT_EQ(numbers(*open_set({"set"}, "validation[:1]")), (Numbers{9}));
  expect_has(message_of(ErrorCode::kData, [&] { open_set({"set"}, "test"); }),
             "no file of split \"test\"; found: train, validation");
  put("plain/b.jsonl", lines(1, 2));
  put("plain/a.jsonl", lines(0, 1));
  EXPECT_EQ(numbers(*open_set({"plain"}, "train")), (Numbers{0, 1}));
  expect_has(message_of(ErrorCode::kData, [&] { open_set({"plain"}, "test"); }), "no file name says a split");
}

TEST_F(SourceTest, APatternGivesTheFilesThatItMatches) {
  put("many/b.jsonl", lines(2, 4));
  put("many/a.jsonl", lines(0, 2));
  put("many/c.json", "[{\"n\": 9}]");
  put("many/below.jsonl/d.jsonl", lines(5, 6));  // a folder whose name matches
  put("many/[x].jsonl", lines(7, 8));
  EXPECT_EQ(numbers(*open_set({"many/[ab].jsonl", "many/c.json"})), (Numbers{0, 1, 2, 3, 9}));
  EXPECT_EQ(numbers(*open_set({"many/?.jsonl"}, "train[1:3]")), (Numbers{1, 2}));
  EXPECT_EQ(numbers(*open_set({"many/*.jsonl"})), (Numbers{7, 0, 1, 2, 3}));
  EXPECT_EQ(numbers(*open_set({"many/[x].jsonl"})), (Numbers{7}));  // a file of this name is there
  expect_has(message_of(ErrorCode::kData, [&] { open_set({"many/*.csv"}); }), "many/*.csv: no file matches");
}

TEST_F(SourceTest, SaysWhereItLookedForWhatIsMissing) {
  DatasetConfig dataset;
  dataset.paths = {"rajpurkar/squad"};
  const std::string message = message_of(ErrorCode::kData, [&] { open_source(dataset); });
  expect_has(message, (std::filesystem::current_path() / "rajpurkar/squad").string());
  expect_has(message, "datasets are not downloaded");
  put("columns/train.parquet", "PAR1");
  expect_has(message_of(ErrorCode::kUnsupported, [&] { open_set({"columns"}); }), "Parquet");
  put("empty.jsonl", "\n\n");
  expect_has(message_of(ErrorCode::kData, [&] { open_set({"empty.jsonl"}); }), "no rows");
  put("a.jsonl", lines(0, 3));
  expect_has(message_of(ErrorCode::kData, [&] { open_set({"a.jsonl"}, "train[5:]"); }),
             "leaves no row of the 3");
}

}  // namespace
}  // namespace automodel::data
