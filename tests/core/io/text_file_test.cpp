#include "core/io/text_file.h"

#include "core/io/utf8.h"
#include "tests/core/data/scratch.h"

namespace automodel::io {
namespace {

using data::expect_has;
using data::gzip;
using data::message_of;

class TextFileTest : public data::Scratch {};

TEST_F(TextFileTest, ReadsPlainAndGzippedBytesAlike) {
  const std::string bytes = "one\ntwo\n" + std::string(1 << 20, 'x');
  EXPECT_EQ(TextFile(put("a.txt", bytes)).text(), bytes);
  EXPECT_EQ(TextFile(put("a.txt.gz", gzip(bytes))).text(), bytes);
  EXPECT_EQ(TextFile(put("named.txt", gzip("in disguise"))).text(), "in disguise");
  EXPECT_EQ(TextFile(put("members.gz", gzip("one") + gzip("") + gzip("two") + std::string(512, '\0'))).text(),
            "onetwo");
  EXPECT_EQ(TextFile(put("empty", "")).text(), "");
}

TEST_F(TextFileTest, SaysWhatIsWrongWithAGzipFile) {
  const std::string whole = gzip(std::string(100000, 'x') + "end");
  const auto open = [&](const std::string& bytes) {
    return message_of(ErrorCode::kData, [&] { TextFile file(put("a.gz", bytes)); });
  };
  expect_has(open(whole.substr(0, whole.size() - 9)), "a.gz: truncated gzip file");
  expect_has(open(whole.substr(0, 12)), "a.gz: truncated gzip file");
  std::string flipped = whole;
  flipped[whole.size() - 6] ^= 1;  // in the checksum
  expect_has(open(flipped), "a.gz: broken gzip data");
  expect_has(open(whole + "tail"), "4 bytes behind the gzip data are not gzip");
  expect_has(open("plain text"), "not a gzip file");
}

TEST_F(TextFileTest, DropsAByteOrderMarkAndRefusesUtf16) {
  EXPECT_EQ(TextFile(put("a", "\xef\xbb\xbftext")).text(), "text");
  expect_has(message_of(ErrorCode::kData, [&] { TextFile file(put("a", std::string("\xff\xfet\0", 4))); }),
             "UTF-16");
}

TEST_F(TextFileTest, CountsLinesFromOne) {
  const TextFile file(put("a.txt", "a\nb\nc"));
  EXPECT_EQ(file.place(0), (folder_ / "a.txt:1").string());
  EXPECT_EQ(file.place(4), (folder_ / "a.txt:3").string());
}

TEST(Utf8, FindsTheFirstByteThatIsNotWellFormed) {
  EXPECT_EQ(find_invalid_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), std::nullopt);
  for (const char* bad : {"\x80",
                          "\xc0\xaf",
                          "\xe0\x80\x80",
                          "\xed\xa0\x80",
                          "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80",
                          "\xf5",
                          "\xe2\x82",
                          "\xc3"}) {
    EXPECT_EQ(find_invalid_utf8(std::string("ok") + bad), 2U) << ::testing::PrintToString(bad);
  }
}

}  // namespace
}  // namespace automodel::io
