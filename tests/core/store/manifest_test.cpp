#include "core/store/manifest.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/hash.h"
#include "tests/core/store/scratch_store.h"

namespace automodel::store {
namespace {

namespace fs = std::filesystem;

bool all(const std::string&) {
  return true;
}

class ManifestTest : public ScratchStore {
 protected:
  void put(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::trunc) << text;
  }

  std::string complaint() const {
    try {
      verify_manifest(folder_, all);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kFormat);
      return error.message();
    }
    return "";
  }
};

TEST_F(ManifestTest, ListsEveryFileWithSizeAndHash) {
  put("a/b.bin", "hello");
  put("c.json", "{}");
  fs::create_hard_link(folder_ / "c.json", folder_ / "d.json");
  write_manifest(folder_);
  const auto manifest = nlohmann::json::parse(read_file(folder_ / kManifestFile));
  EXPECT_EQ(manifest["files"].size(), 3U);
  EXPECT_EQ(manifest["files"]["a/b.bin"]["bytes"], 5);
  EXPECT_EQ(manifest["files"]["a/b.bin"]["xxh128"], hash_file(folder_ / "a/b.bin"));
  EXPECT_EQ(manifest["files"]["c.json"], manifest["files"]["d.json"]);
  EXPECT_EQ(verify_manifest(folder_, all)->num_files, 3);
}

TEST_F(ManifestTest, NamesTheFileThatIsNotAsWritten) {
  put("a/b.bin", "hello");
  write_manifest(folder_);
  put("a/b.bin", "hellp");
  EXPECT_NE(complaint().find("a/b.bin: its bytes are not those"), std::string::npos) << complaint();
  put("a/b.bin", "hell");
  EXPECT_NE(complaint().find("truncated"), std::string::npos) << complaint();
  fs::remove(folder_ / "a/b.bin");
  EXPECT_NE(complaint().find("missing"), std::string::npos) << complaint();
  EXPECT_EQ(verify_manifest(folder_, [](const std::string&) { return false; })->num_files, 0);
}

TEST_F(ManifestTest, OlderFoldersHaveNoneAndNewerOnesAreRefused) {
  EXPECT_FALSE(verify_manifest(folder_, all).has_value());
  put(kManifestFile, R"({"format_version": 2, "files": {}})");
  EXPECT_NE(complaint().find("format_version 2"), std::string::npos) << complaint();
  put(kManifestFile, R"({"format_version": 1})");
  EXPECT_NE(complaint().find("damaged"), std::string::npos) << complaint();
}

}  // namespace
}  // namespace automodel::store
