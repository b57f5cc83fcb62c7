#include "core/families/unknown_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <mutex>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/families/families.h"
#include "core/families/readers.h"

namespace automodel::families {
namespace {

/// Which families have a key that matters to what they compute.
const std::map<std::string, std::set<std::string>>& computing_families() {
  static const auto kFamilies = [] {
    std::map<std::string, std::set<std::string>> families;
    for (const Family& family : load_families()) {
      for (const auto& [name, source] : family.fields) {
        for (const FieldSource* one = &source; one; one = one->if_null.get()) {
          if (!one->key.empty()) families[one->key].insert(family.name);
        }
      }
      for (const auto& [key, values] : family.only) families[key].insert(family.name);
      for (const std::string& name : family.readers) {
        for (const std::string& key : split(find_reader(name)->keys, ' ')) families[key].insert(family.name);
      }
    }
    return families;
  }();
  return kFamilies;
}

/// "qwen2_moe", "gemma, gemma2, llama and 12 more".
std::string some_of(const std::set<std::string>& names) {
  constexpr size_t kShown = 3;
  std::vector<std::string> shown(names.begin(), names.end());
  if (shown.size() <= kShown + 1) return join(shown, ", ");
  const size_t more = shown.size() - kShown;
  shown.resize(kShown);
  return detail::join(join(shown, ", "), " and ", more, " more");
}

std::string quoted(const std::vector<UnknownKey>& keys) {
  std::vector<std::string> paths;
  for (const UnknownKey& key : keys) paths.push_back('"' + key.path + '"');
  return join(paths, ", ");
}

std::string suggestions(const std::vector<UnknownKey>& keys) {
  std::string text;
  for (const UnknownKey& key : keys) {
    if (!key.nearest.empty())
      text += detail::join("; did you mean \"", key.nearest, "\" by \"", key.path, "\"?");
  }
  return text;
}

/// Each text once in a process: a run reads its config.json several times.
void warn_once(const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string> said;
  const std::lock_guard lock(mutex);
  if (said.insert(text).second) log::warning(text);
}

void warn(const ConfigJson& config, const std::vector<UnknownKey>& keys, const Family& family) {
  std::string loud;
  for (const UnknownKey& key : keys) {
    const auto found = computing_families().find(key.path);
    if (found == computing_families().end()) continue;
    loud += detail::join("; TAKE NOTE: other families compute with \"",
                         key.path,
                         "\" (",
                         some_of(found->second),
                         "), this one does not");
  }
  warn_once(detail::join(config.origin(),
                         ": unknown key",
                         keys.size() > 1 ? "s " : " ",
                         quoted(keys),
                         ": ",
                         family.name,
                         " reads no such key, nor does its class in transformers ",
                         family.checked_with,
                         ": without effect",
                         suggestions(keys),
                         loud));
}

[[noreturn]] void refuse(const ConfigJson& config,
                         const std::vector<UnknownKey>& keys,
                         const std::string& reason) {
  std::vector<std::string> paths, options;
  for (const UnknownKey& key : keys) {
    paths.push_back(key.path);
    options.push_back("--ignore-config-key " + key.path);
  }
  fail(ErrorCode::kFormat,
       config.origin(),
       ": unknown key",
       keys.size() > 1 ? "s " : " ",
       quoted(keys),
       reason,
       suggestions(keys),
       "; if it does not change the mathematics: model.ignore_config_keys: [",
       join(paths, ", "),
       "] in a recipe, ",
       join(options, " "),
       " on the command line, or `inert:` of a family file (docs/model-families.md)");
}

/// Takes the keys that the user ignores out of `unknown`.
void take_ignored(ConfigJson& config,
                  std::vector<UnknownKey>& unknown,
                  const Family& family,
                  const KeyRules& rules) {
  for (const std::string& ignored : rules.ignored) {
    const auto is_it = [&](const UnknownKey& key) { return key.path == ignored; };
    if (std::erase_if(unknown, is_it) > 0) {
      if (!rules.quiet)
        warn_once(config.origin() + ": \"" + ignored + "\" is ignored, as asked (ignore_config_keys)");
      continue;
    }
    check(!config.find(ignored),
          ErrorCode::kConfig,
          "ignore_config_keys: ",
          family.name,
          " reads \"",
          ignored,
          "\" of ",
          config.origin(),
          "; only keys that nobody reads can be ignored");
    if (!rules.quiet)
      warn_once(config.origin() + ": ignore_config_keys: there is no key \"" + ignored + "\" in it");
  }
}

/// The numbers that a release begins with.
std::array<int, 3> numbers_of(const std::string& release) {
  std::array<int, 3> numbers{};
  const char* at = release.data();
  const char* end = at + release.size();
  for (int& number : numbers) {
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc()) break;
    if (next == end || *next != '.') break;
    at = next + 1;
  }
  return numbers;
}

}  // namespace

bool is_newer(const std::string& release, const std::string& than) {
  return numbers_of(release) > numbers_of(than);
}

void judge_unknown_keys(ConfigJson& config,
                        const std::vector<UnknownKey>& unknown,
                        const Family& family,
                        const KeyRules& rules) {
  std::vector<UnknownKey> left = unknown;
  take_ignored(config, left, family, rules);
  if (left.empty()) return;
  std::vector<UnknownKey> overrides;
  for (const UnknownKey& key : left) {
    if (key.overridden) overrides.push_back(key);
  }
  if (!overrides.empty()) refuse(config, overrides, " in an override");
  if (rules.strict) refuse(config, left, "");
  if (family.checked_with == kRemoteCode)
    refuse(config,
           left,
           ": the mathematics of " + family.name + " is code that lies in its folders and may read it");
  if (family.checked_with.empty())
    refuse(config, left, ": " + family.origin + " says no `checked_with`, so its model may read it");
  const nlohmann::json* release = config.find_value("transformers_version");
  if (release && release->is_string() && is_newer(*release, family.checked_with)) {
    std::vector<UnknownKey> newer = left;
    std::erase_if(newer, [](const UnknownKey& key) { return key.neutral; });
    if (!newer.empty())
      refuse(config,
             newer,
             detail::join(": the file is from transformers ",
                          release->get<std::string>(),
                          ", ",
                          family.name,
                          " was checked with ",
                          family.checked_with,
                          "; a newer class may read it"));
  }
  if (!rules.quiet) warn(config, left, family);
}

}  // namespace automodel::families
