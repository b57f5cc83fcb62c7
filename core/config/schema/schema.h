#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/schema/report.h"
#include "core/config/text/node.h"
#include "core/config/text/value.h"

/// Options, declared once. A section is a list of options over one struct:
///
///   SectionOf<OptimizerConfig> s("optimizer", "The optimizer.");
///   s.field("lr", &OptimizerConfig::lr).doc("peak learning rate").min(0.0);
///   s.built_in("foreach", "updates are fused kernels");
///
/// Validation, `automodel config reference` and docs/recipe-reference.md all read this list.
namespace automodel::config {

struct Section;

/// The options of a map's keys and the struct they fill.
struct Below {
  const Section* section = nullptr;
  void* object = nullptr;
};

/// One key of a section. A name that ends in '*' stands for every key that begins so.
struct Option {
  std::string name;
  KeyStatus fate = KeyStatus::kUsed;
  std::string refusal;       ///< not empty: not implemented, this sentence says what
  std::string type;          ///< "integer", "one of a, b"; for the reference and for messages
  std::string default_text;  ///< as a recipe would write it; empty: none
  std::string unit;
  std::string doc;
  std::optional<double> min, max;
  bool any_below = false;  ///< whatever stands here and below has this fate and is not read
  bool null_is_unset = false;
  bool required = false;
  /// With `refusal`: the values that switch the feature off, and so make the section inert.
  std::function<bool(const Node& value)> is_off;
  /// For a map: the options of its keys. Throws what `read` throws, e.g. for an unknown `_target_`.
  std::function<Below(const std::string& key, const Node& map, void* object)> below;
  std::vector<const Section*> sections;  ///< all that `below` may answer, for the reference
  /// Fills the struct. Throws Error(kConfig) for a wrong value, Error(kUnsupported) for one not implemented.
  std::function<void(const Node& value, void* object)> read;
};

/// A section without its struct's type.
struct Section {
  std::string path;  ///< "optimizer", "distributed.mp_policy"
  std::string doc;
  std::string target;  ///< the `_target_` it belongs to, empty: any or none
  std::vector<Option> options;

  const Option* find(std::string_view name) const;
  std::vector<std::string> names() const;
};

/// Sets the parts of one option: returned by every declaration.
class OptionBuilder {
 public:
  explicit OptionBuilder(Option& option) : option_(option) {}

  OptionBuilder& doc(std::string text) { return option_.doc = std::move(text), *this; }

  OptionBuilder& unit(std::string text) { return option_.unit = std::move(text), *this; }

  OptionBuilder& min(double value) { return option_.min = value, *this; }

  OptionBuilder& max(double value) { return option_.max = value, *this; }

  OptionBuilder& type(std::string text) { return option_.type = std::move(text), *this; }

  OptionBuilder& default_text(std::string text) { return option_.default_text = std::move(text), *this; }

  /// Read like any other, for what repeats it elsewhere, but without effect on the run: kBuiltIn or kInert.
  OptionBuilder& without_effect(KeyStatus fate) { return option_.fate = fate, *this; }

  /// A recipe without this key is refused.
  OptionBuilder& required() { return option_.required = true, *this; }

  /// null in the recipe means the default, as if the key were absent.
  OptionBuilder& null_is_unset() { return option_.null_is_unset = true, *this; }

  /// The text must be one of these.
  OptionBuilder& choices(std::vector<std::string> words);

  /// `{key: false}` switches a feature off that is not implemented.
  OptionBuilder& off_by(const std::string& key);

  /// The value false switches a feature off that is not implemented.
  OptionBuilder& off_by_false();

  /// Any other value than these is refused as not implemented, with `sentence`. null always passes.
  OptionBuilder& only(std::vector<Node> values, std::string sentence);

 private:
  Option& option_;
};

/// Declares the options of struct T.
template <class T>
class SectionOf {
 public:
  SectionOf(std::string path, std::string doc, std::string target = "")
      : section_{std::move(path), std::move(doc), std::move(target), {}} {}

  /// A key that fills a member. Type and default come from the member.
  template <class M>
  OptionBuilder field(const std::string& name, M T::* member) {
    const T defaults{};
    OptionBuilder builder =
        custom(name, [member](const Node& value, T& object) { object.*member = read_as<M>(value); });
    return builder.type(type_name<M>()).default_text(text_of(defaults.*member));
  }

  /// A key with its own reading.
  OptionBuilder custom(const std::string& name, std::function<void(const Node&, T&)> read) {
    Option& option = add(name);
    set_read(option, std::move(read));
    return OptionBuilder(option);
  }

  /// A map with its own options, over a part of the struct.
  template <class U>
  OptionBuilder nested(const std::string& name, const Section& section, std::function<U&(T&)> part) {
    return chosen(
        name, {&section}, [&section, part = std::move(part)](const std::string&, const Node&, T& object) {
          return Below{&section, &part(object)};
        });
  }

  /// A map whose options depend on what it holds. `read`: for a value that is no map.
  OptionBuilder chosen(const std::string& name,
                       std::vector<const Section*> sections,
                       std::function<Below(const std::string&, const Node&, T&)> choose,
                       std::function<void(const Node&, T&)> read = nullptr) {
    Option& option = add(name);
    option.type = "map";
    option.sections = std::move(sections);
    option.below = [choose = std::move(choose)](const std::string& key, const Node& map, void* object) {
      return choose(key, map, *static_cast<T*>(object));
    };
    if (read) set_read(option, std::move(read));
    return OptionBuilder(option);
  }

  /// A key that is understood and needs nothing done: off, or already so.
  OptionBuilder accepted(const std::string& name) { return OptionBuilder(add(name)); }

  OptionBuilder built_in(const std::string& name, std::string doc) {
    return with_status(name, KeyStatus::kBuiltIn, std::move(doc));
  }

  OptionBuilder inert(const std::string& name, std::string doc) {
    return with_status(name, KeyStatus::kInert, std::move(doc));
  }

  /// Refused whatever its value, except null.
  OptionBuilder not_supported(const std::string& name, std::string sentence) {
    Option& option = add(name);
    option.refusal = std::move(sentence);
    return OptionBuilder(option);
  }

  Section take() { return std::move(section_); }

 private:
  Option& add(const std::string& name) {
    section_.options.emplace_back();
    section_.options.back().name = name;
    return section_.options.back();
  }

  static void set_read(Option& option, std::function<void(const Node&, T&)> read) {
    option.read = [read = std::move(read)](const Node& value, void* object) {
      read(value, *static_cast<T*>(object));
    };
  }

  OptionBuilder with_status(const std::string& name, KeyStatus fate, std::string doc) {
    Option& option = add(name);
    option.fate = fate;
    option.doc = std::move(doc);
    option.any_below = true;
    return OptionBuilder(option);
  }

  Section section_;
};

}  // namespace automodel::config
