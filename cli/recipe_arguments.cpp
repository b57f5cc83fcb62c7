#include "cli/recipe_arguments.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::cli {
namespace {

bool is_long_option(const std::string& word) {
  return word.size() > 2 && word.starts_with("--");
}

/// torchrun's and the reference's spelling of a name: --nproc_per_node is --nproc-per-node.
std::string dashed(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

class Reader {
 public:
  Reader(const std::string& command,
         const std::string& domain,
         const std::vector<RecipeOption>& options,
         const std::vector<std::string>& words)
      : command_(command), domain_(domain), options_(options), words_(words) {}

  RecipeArguments read() {
    while (at_ < words_.size()) read_word();
    check(!arguments_.config_path.empty(),
          ErrorCode::kUsage,
          "automodel ",
          command_,
          " needs a recipe: automodel ",
          command_,
          domain_.empty() ? "" : " " + domain_,
          " -c recipe.yaml");
    return std::move(arguments_);
  }

 private:
  void read_word() {
    const std::string& word = words_[at_++];
    if (word == "-c" || word == "--config") {
      set_config(take_value(word));
    } else if (word.starts_with("--config=")) {
      set_config(word.substr(word.find('=') + 1));
    } else if (is_long_option(word)) {
      read_long(word);
    } else if (!word.starts_with("-") && at_ == 1 && !domain_.empty() && (word == "llm" || word == "vlm")) {
      check(word == domain_,
            ErrorCode::kUnsupported,
            "automodel ",
            command_,
            " ",
            word,
            ": recipes for ",
            word == "vlm" ? "vision-language models" : "language models",
            " are not implemented yet; ",
            domain_,
            " is");
    } else if (!word.starts_with("-") && arguments_.config_path.empty()) {
      set_config(word);
    } else {
      fail(
          ErrorCode::kUsage,
          "cannot read \"",
          word,
          "\" on the command line; overrides are --dotted.key=value, --dotted.key value or --dotted.key (quote a value that holds blanks)");
    }
  }

  void read_long(const std::string& word) {
    const size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    for (const RecipeOption& option : options_) {
      if (option.name != dashed(name)) continue;
      const bool is_flag = option.argument.empty();
      check(!(is_flag && equals != std::string::npos), ErrorCode::kUsage, "--", name, " takes no value");
      arguments_.options[option.name] = is_flag                       ? ""
                                        : equals == std::string::npos ? take_value(word)
                                                                      : word.substr(equals + 1);
      return;
    }
    config::Override override{name, "true"};
    if (equals != std::string::npos) {
      override.text = word.substr(equals + 1);
    } else if (at_ < words_.size() && !words_[at_].starts_with("--")) {
      override.text = words_[at_++];
    }
    arguments_.overrides.push_back(std::move(override));
  }

  void set_config(const std::string& path) {
    check(arguments_.config_path.empty(),
          ErrorCode::kUsage,
          "two recipes on the command line: ",
          arguments_.config_path,
          " and ",
          path,
          "; give one, and write changes as --dotted.key value");
    arguments_.config_path = path;
  }

  std::string take_value(const std::string& option) {
    check(at_ < words_.size(), ErrorCode::kUsage, option, " needs a value");
    return words_[at_++];
  }

  const std::string& command_;
  const std::string& domain_;
  const std::vector<RecipeOption>& options_;
  const std::vector<std::string>& words_;
  size_t at_ = 0;
  RecipeArguments arguments_;
};

}  // namespace

RecipeArguments parse_recipe_arguments(const std::string& command,
                                       const std::string& domain,
                                       const std::vector<RecipeOption>& options,
                                       const std::vector<std::string>& words) {
  return Reader(command, domain, options, words).read();
}

}  // namespace automodel::cli
