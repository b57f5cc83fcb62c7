#include "core/families/families.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>

#include "core/base/embedded.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/families/family.h"

namespace automodel::families {
namespace {

namespace fs = std::filesystem;

/// The built-in family files whose text holds `word` ("": all), as they stand.
std::vector<Family> parse_built_in(const std::string& word) {
  constexpr std::string_view kFolder = "share/models/";
  std::vector<Family> families;
  for (const auto& [path, text] : embedded_texts()) {
    const bool is_family = path.starts_with(kFolder) && path.ends_with(".yaml");
    if (is_family && text.find(word) != std::string::npos)
      families.push_back(parse_family(text, fs::path(path).stem().string(), "built in"));
  }
  return families;
}

/// Nothing when there is no such file.
std::optional<Family> built_in_base(const std::string& name) {
  const auto found = embedded_texts().find("share/models/" + name + ".yaml");
  if (found == embedded_texts().end()) return std::nullopt;
  return parse_family(found->second, name, "built in");
}

std::vector<Family> parse_folder(const fs::path& folder) {
  check(fs::is_directory(folder),
        ErrorCode::kConfig,
        "AUTOMODEL_MODELS: ",
        folder.string(),
        " is not a folder");
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  std::vector<Family> families;
  for (const fs::path& path : paths) {
    families.push_back(parse_family(read_file(path), path.stem().string(), path.string()));
  }
  return families;
}

/// Fills in the base, and that one's: a neighbour first, then a built-in one. `depth`: bases on the way here.
Family whole(const Family& family, const std::vector<Family>& neighbours, int depth = 0) {
  constexpr int kMostBases = 8;
  if (family.like.empty()) return family;
  check(depth < kMostBases,
        ErrorCode::kConfig,
        family.origin,
        ": `like: ",
        family.like,
        "`: more than ",
        kMostBases,
        " families are like one another, maybe in a circle");
  for (const Family& base : neighbours) {
    if (base.name == family.like && base.origin != family.origin)
      return inherit(family, whole(base, neighbours, depth + 1));
  }
  const bool is_itself = family.origin == "built in" && family.like == family.name;
  if (const std::optional<Family> base = built_in_base(family.like); base && !is_itself)
    return inherit(family, whole(*base, {}, depth + 1));
  std::vector<std::string> names;
  for (const Family& base : neighbours) names.push_back(base.name);
  for (const Family& base : parse_built_in("")) names.push_back(base.name);
  fail(ErrorCode::kConfig,
       family.origin,
       ": `like: ",
       family.like,
       "`: no such family; known: ",
       join(names, ", "));
}

void add(std::vector<Family>& all, const Family& added) {
  for (Family& family : all) {
    for (const std::string& architecture : added.architectures) {
      const bool shared = std::ranges::count(family.architectures, architecture) > 0;
      check(!shared || family.origin == "built in",
            ErrorCode::kConfig,
            added.origin,
            ": ",
            architecture,
            " is claimed by ",
            family.origin,
            " too");
      if (shared) std::erase(family.architectures, architecture);
    }
    if (family.origin != "built in") continue;
    for (const std::string& type : added.model_types) std::erase(family.model_types, type);
  }
  all.push_back(added);
}

}  // namespace

std::vector<Family> load_families(const std::string& word) {
  std::vector<Family> all;
  for (const Family& family : parse_built_in(word)) all.push_back(whole(family, {}));
  const char* folders = std::getenv("AUTOMODEL_MODELS");
  if (!folders) return all;
  for (const std::string& folder : split(folders, ':')) {
    if (folder.empty()) continue;
    const std::vector<Family> users = parse_folder(folder);
    for (const Family& family : users) add(all, whole(family, users));
  }
  return all;
}

Family load_family_file(const std::string& path) {
  const Family family = parse_family(read_file(path), fs::path(path).stem().string(), path);
  std::vector<Family> neighbours;
  std::set<std::string> seen = {family.name};
  for (std::string like = family.like; !like.empty() && seen.insert(like).second;) {
    const fs::path beside = fs::path(path).parent_path() / (like + ".yaml");
    if (!fs::exists(beside)) break;
    neighbours.push_back(parse_family(read_file(beside), like, beside.string()));
    like = neighbours.back().like;
  }
  return whole(family, neighbours);
}

std::vector<FamilyEntry> list_families() {
  std::vector<FamilyEntry> entries;
  for (const Family& family : load_families()) {
    entries.push_back({family.name, family.architectures, family.origin});
  }
  return entries;
}

std::string resolved_family(const std::string& name) {
  std::vector<std::string> names;
  const std::vector<Family> families = load_families();
  for (auto family = families.rbegin(); family != families.rend();
       ++family) {  // a user's before a built-in one
    if (family->name == name) return to_yaml(*family);
    names.push_back(family->name);
  }
  const std::string nearest = nearest_name(name, names);
  fail(ErrorCode::kUsage,
       "no model family is called \"",
       name,
       "\"; ",
       nearest.empty() ? "known: " + join(names, ", ") : "did you mean \"" + nearest + "\"?");
}

}  // namespace automodel::families
