#include "core/data/text_source.h"

#include <nlohmann/json.hpp>

#include "tests/core/data/scratch.h"

namespace automodel::data {
namespace {

class TextSourceTest : public Scratch {
 protected:
  static std::vector<std::string> texts(const Source& source) {
    std::vector<std::string> found;
    for (int64_t i = 0; i < source.num_rows(); ++i) found.push_back(source.row(i).at("t").get<std::string>());
    return found;
  }

  std::vector<std::string> texts(const std::string& bytes, const std::string& separator) const {
    return texts(TextSource(put("a.txt", bytes), "t", separator));
  }
};

using Texts = std::vector<std::string>;

TEST_F(TextSourceTest, AFileIsADocumentAsItStands) {
  EXPECT_EQ(texts(" one\n\n\ntwo\n", ""), (Texts{" one\n\n\ntwo\n"}));
  EXPECT_EQ(texts("\xEF\xBB\xBFone", ""), (Texts{"one"}));  // without the byte order mark
  EXPECT_EQ(texts(" \n\t", ""), Texts());
  EXPECT_EQ(texts("", ""), Texts());
  EXPECT_EQ(texts(TextSource(put("a.txt.gz", gzip("one")), "t", "")), (Texts{"one"}));
}

TEST_F(TextSourceTest, ASeparatorPartsDocumentsAndBlankOnesAreLeftOut) {
  EXPECT_EQ(texts("one\n\ntwo\nlines\n\n\nthree\n\n \n\n", "\n\n"), (Texts{"one", "two\nlines", "\nthree"}));
  EXPECT_EQ(texts("a<|end|>b<|end|><|end|>c", "<|end|>"), (Texts{"a", "b", "c"}));
  const TextSource source(put("a.txt", "one\n\ntwo\n\nthree"), "t", "\n\n");
  EXPECT_EQ(source.place(2), (folder_ / "a.txt:5").string());
}

TEST_F(TextSourceTest, TextThatIsNotUtf8IsNamedByItsLine) {
  const TextSource source(put("a.txt", "one\n\ntwo \xFF"), "t", "\n\n");
  EXPECT_EQ(source.row(0).at("t"), "one");
  expect_has(message_of(ErrorCode::kData, [&] { source.row(1); }), "a.txt:3: not UTF-8");
}

}  // namespace
}  // namespace automodel::data
