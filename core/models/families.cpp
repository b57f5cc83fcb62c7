#include "core/models/families.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/base/embedded.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/models/family.h"

namespace automodel::models {
namespace {

namespace fs = std::filesystem;

std::vector<Family> parse_built_in() {
  constexpr std::string_view kFolder = "share/models/";
  std::vector<Family> families;
  for (const auto& [path, text] : embedded_texts()) {
    if (!path.starts_with(kFolder) || !path.ends_with(".yaml")) continue;
    families.push_back(parse_family(text, fs::path(path).stem().string(), "built in"));
  }
  return families;
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

/// Fills in the base: a neighbour first, then a built-in one.
Family whole(const Family& family,
             const std::vector<Family>& neighbours,
             const std::vector<Family>& built_in) {
  if (family.like.empty()) return family;
  std::vector<std::string> names;
  for (const std::vector<Family>* set : {&neighbours, &built_in}) {
    for (const Family& base : *set) {
      if (base.name == family.like && base.origin != family.origin) return inherit(family, base);
      if (base.name == family.like && base.origin == "built in" && base.name != family.name)
        return inherit(family, base);
      names.push_back(base.name);
    }
  }
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

std::vector<Family> load_families() {
  const std::vector<Family> built_in = parse_built_in();
  std::vector<Family> all;
  for (const Family& family : built_in) all.push_back(whole(family, built_in, built_in));
  const char* folders = std::getenv("AUTOMODEL_MODELS");
  if (!folders) return all;
  for (const std::string& folder : split(folders, ':')) {
    if (folder.empty()) continue;
    const std::vector<Family> users = parse_folder(folder);
    for (const Family& family : users) add(all, whole(family, users, built_in));
  }
  return all;
}

Family load_family_file(const std::string& path) {
  const Family family = parse_family(read_file(path), fs::path(path).stem().string(), path);
  if (family.like.empty()) return family;
  const fs::path beside = fs::path(path).parent_path() / (family.like + ".yaml");
  std::vector<Family> neighbours;
  if (fs::exists(beside) && beside != fs::path(path)) {
    neighbours.push_back(parse_family(read_file(beside), family.like, beside.string()));
  }
  return whole(family, neighbours, parse_built_in());
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

}  // namespace automodel::models
