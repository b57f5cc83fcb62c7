#include "core/data/dataset_files.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include <glob.h>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::data {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kTextKinds = {".jsonl", ".ndjson", ".json", ".csv"};
constexpr std::array<std::string_view, 2> kColumnarKinds = {".parquet", ".arrow"};
// Descriptions that the datasets library writes beside the data.
constexpr std::array<std::string_view, 4> kNotData = {
    "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kSplitWords = {{
    {"train", "train"},
    {"training", "train"},
    {"validation", "validation"},
    {"valid", "validation"},
    {"dev", "validation"},
    {"val", "validation"},
    {"test", "test"},
    {"testing", "test"},
    {"eval", "test"},
    {"evaluation", "test"},
}};

template <class Kinds>
bool has_kind(fs::path path, const Kinds& kinds) {
  if (path.extension() == ".gz") path.replace_extension();
  return std::find(kinds.begin(), kinds.end(), path.extension().string()) != kinds.end();
}

/// ".jsonl, .json or .csv", for messages.
std::string endings_text(const std::vector<std::string>& more_endings) {
  std::string text;
  for (const std::string& ending : more_endings) text += ending + ", ";
  return text + ".jsonl, .json or .csv";
}

bool is_pattern(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos;
}

/// The split that a path inside the folder names, or empty.
std::string split_of(const std::string& relative_path) {
  std::string word;
  for (const char c : relative_path + "/") {
    if (std::string_view("-._ /0123456789").find(c) == std::string_view::npos) {
      word += c;
      continue;
    }
    for (const auto& [name, split] : kSplitWords) {
      if (word == name) return std::string(split);
    }
    word.clear();
  }
  return "";
}

[[noreturn]] void refuse_columnar(const fs::path& path) {
  fail(
      ErrorCode::kUnsupported,
      path.string(),
      ": Parquet and Arrow are not read yet; export the rows as JSON lines (pandas: df.to_json(\"train.jsonl\", orient=\"records\", lines=True)) and name that file");
}

std::vector<fs::path> data_files_of(const fs::path& folder, const std::vector<std::string>& more_endings) {
  std::vector<fs::path> files;
  fs::path columnar;
  for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator();
       ++entry) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.')) {
      if (entry->is_directory()) entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file() || std::find(kNotData.begin(), kNotData.end(), name) != kNotData.end())
      continue;
    if (has_kind(name, kTextKinds) || has_kind(name, more_endings)) files.push_back(entry->path());
    if (has_kind(name, kColumnarKinds)) columnar = entry->path();
  }
  if (files.empty() && !columnar.empty()) refuse_columnar(columnar);
  check(!files.empty(),
        ErrorCode::kData,
        folder.string(),
        ": no ",
        endings_text(more_endings),
        " file in this folder");
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> files_of_split(const fs::path& folder,
                                     const std::string& split,
                                     const std::vector<std::string>& more_endings) {
  const std::vector<fs::path> files = data_files_of(folder, more_endings);
  std::set<std::string> found;
  std::vector<fs::path> chosen;
  const std::string wanted = split.empty() ? "train" : split;
  for (const fs::path& file : files) {
    const std::string named = split_of(fs::relative(file, folder).string());
    if (!named.empty()) found.insert(named);
    if (named == wanted) chosen.push_back(file);
  }
  if (found.empty() && wanted == "train") return files;
  check(!chosen.empty(),
        ErrorCode::kData,
        folder.string(),
        ": no file of split \"",
        wanted,
        "\"; found: ",
        found.empty() ? "train (no file name says a split)" : join({found.begin(), found.end()}, ", "));
  return chosen;
}

std::vector<fs::path> find_files(const std::vector<std::string>& paths,
                                 const std::string& split,
                                 const std::vector<std::string>& more_endings) {
  check(!paths.empty(), ErrorCode::kData, "the dataset names no file; set dataset.path_or_dataset_id");
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    if (fs::is_directory(path)) {
      for (fs::path& file : files_of_split(path, split, more_endings)) files.push_back(std::move(file));
      continue;
    }
    if (is_pattern(path) && !fs::exists(path)) {
      std::vector<fs::path> matched = glob_files(path);
      std::erase_if(matched, [](const fs::path& one) { return fs::is_directory(one); });
      check(!matched.empty(),
            ErrorCode::kData,
            path,
            ": no file matches (from folder ",
            fs::current_path().string(),
            ")");
      files.insert(files.end(), matched.begin(), matched.end());
      continue;
    }
    check(fs::exists(path),
          ErrorCode::kData,
          path,
          ": no such file or folder (looked at ",
          fs::absolute(path).lexically_normal().string(),
          "); datasets are not downloaded: get its rows as ",
          endings_text(more_endings),
          " and name that file or folder in place of \"",
          path,
          "\"");
    if (has_kind(path, kColumnarKinds)) refuse_columnar(path);
    files.emplace_back(path);
  }
  return files;
}

}  // namespace

std::vector<fs::path> find_dataset_files(const std::vector<std::string>& paths,
                                         const std::string& split,
                                         const std::vector<std::string>& more_endings) {
  try {
    return find_files(paths, split, more_endings);
  } catch (const fs::filesystem_error& error) {
    fail(ErrorCode::kIo, error.path1().string(), ": cannot look into it: ", error.code().message());
  }
}

std::vector<fs::path> glob_files(const std::string& pattern) {
  std::vector<fs::path> files;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return files;
}

}  // namespace automodel::data
