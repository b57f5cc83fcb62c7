#include "core/io/csv.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::io {
namespace {

std::vector<std::vector<std::string>> parse(const std::string& text) {
  std::vector<std::vector<std::string>> records;
  for (const size_t begin : index_csv(text, "a.csv")) {
    std::vector<std::string> cells;
    for (const CsvField& field : parse_csv_record(text, begin)) cells.push_back(field.text);
    records.push_back(cells);
  }
  return records;
}

using Records = std::vector<std::vector<std::string>>;

TEST(Csv, ReadsTheExamplesOfRfc4180) {
  EXPECT_EQ(parse("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n"), (Records{{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}}));
  EXPECT_EQ(parse("aaa,bbb,ccc\r\nzzz,yyy,xxx"), (Records{{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}}));
  EXPECT_EQ(parse("\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx"),
            (Records{{"aaa", "b\r\nbb", "ccc"}, {"zzz", "yyy", "xxx"}}));
  EXPECT_EQ(parse("\"aaa\",\"b\"\"bb\",\"ccc\""), (Records{{"aaa", "b\"bb", "ccc"}}));
}

TEST(Csv, KeepsEmptyCellsAndLeavesOutEmptyLines) {
  EXPECT_EQ(parse("a,,\n\n,\"\",b\n\r\n"), (Records{{"a", "", ""}, {"", "", "b"}}));
  const auto fields = parse_csv_record(",\"\"", 0);
  EXPECT_FALSE(fields[0].quoted);
  EXPECT_TRUE(fields[1].quoted);
}

TEST(Csv, AQuoteThatStaysOpenNamesItsLine) {
  try {
    index_csv("a,b\n1,\"2\n3,4\n", "dir/a.csv");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kData);
    EXPECT_EQ(error.message().rfind("dir/a.csv:2: ", 0), 0U) << error.message();
  }
}

TEST(Csv, RefusesQuotesWhereTheyMeanNothing) {
  EXPECT_THROW(parse("\"a\"b,c\n"), Error);
  EXPECT_THROW(parse("a\"b\",c\n"), Error);
  EXPECT_THROW(parse(std::string("a\0b,c\n", 6)), Error);
}

}  // namespace
}  // namespace automodel::io
