#include "core/base/hash.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel {
namespace {

TEST(Hash, OfNothingIsThePublishedValue) {
  // xxHash's own sanity checks: XSUM_XXH128_testdata, length 0, seed 0.
  EXPECT_EQ(Hash().hex(), "99aa06d3014798d86001c324468d497f");
}

TEST(Hash, DoesNotDependOnThePiecesThatBytesComeIn) {
  const std::string text(1'000'003, 'x');
  Hash whole, pieces;
  whole.add(text);
  for (size_t at = 0; at < text.size(); at += 777) pieces.add(std::string_view(text).substr(at, 777));
  EXPECT_EQ(whole.hex(), pieces.hex());
}

TEST(Hash, OfAFileIsThatOfItsBytes) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "automodel_hash_test";
  const std::string text(700'000, 'y');
  std::ofstream(path) << text;
  Hash hash;
  hash.add(text);
  EXPECT_EQ(hash_file(path), hash.hex());
  std::filesystem::remove(path);
  EXPECT_THROW(hash_file(path), Error);
}

}  // namespace
}  // namespace automodel
