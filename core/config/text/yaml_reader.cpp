#include "core/config/text/yaml_reader.h"

#include <istream>
#include <map>
#include <streambuf>
#include <unordered_map>
#include <utility>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/config/text/text_check.h"
#include "core/config/text/yaml_scalar.h"
#include "core/config/text/yaml_source.h"

namespace automodel::config {
namespace {

constexpr size_t kDeepest = 100;
constexpr int64_t kMostFromAliases = 1'000'000;
constexpr std::string_view kMergeKey = "<<";
/// yaml-cpp takes up to 220 bytes of memory for a byte of brackets.
constexpr size_t kLargestFile = size_t{32} << 20;

/// Reads a string's bytes in place.
struct ViewBuffer : std::streambuf {
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

[[noreturn]] void fail_at(const std::string& name, int line, const std::string& message) {
  fail(ErrorCode::kConfig, name, ":", line, ": ", message);
}

int64_t count_values(const Node& node) {
  int64_t count = 1;
  for (const Node& item : node.items) count += count_values(item);
  for (const Node::Entry& entry : node.entries) count += count_values(entry.value);
  return count;
}

/// yaml-cpp writes the escapes \N and \_ of quoted text as the single bytes 0x85 and 0xA0, which are no
/// UTF-8.
std::string with_repaired_escapes(const std::string& text) {
  std::string repaired;
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const size_t length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    if (byte >= 0x80 && byte < 0xC0) repaired += '\xC2';
    repaired += text.substr(i, length);
    i += length;
  }
  return repaired;
}

struct Anchored {
  Node node;
  int64_t num_values = 0;
};

/// Builds the tree from yaml-cpp's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& name, const YamlSource& source) : name_(name), source_(source) {}

  Node take() { return std::move(root_); }

  bool has_root() const { return has_root_; }

  /// Where the last scalar began.
  const YAML::Mark& last_scalar() const { return last_scalar_; }

  void OnDocumentStart(const YAML::Mark&) override {}

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    last_scalar_ = mark;
    if (!source_.has_null_word(mark.line, mark.column)) check_may_be_empty(mark);
    add_scalar(Node::null(), mark, anchor, true);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      fail_at(name_, mark.line + 1, "an alias stands inside the value it refers to");
    from_aliases_ += found->second.num_values;
    if (from_aliases_ > kMostFromAliases) {
      fail_at(
          name_, mark.line + 1, "the file's aliases expand to more than 1,000,000 values; write them out");
    }
    Node copy = found->second.node;
    copy.line = mark.line + 1;
    add(std::move(copy), 0, false);
  }

  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override {
    const bool is_plain = tag == "?" || tag.empty();
    last_scalar_ = mark;
    try {
      Node node = is_plain     ? resolve_plain_scalar(value)
                  : tag == "!" ? Node::of(with_repaired_escapes(value))
                               : resolve_tagged_scalar(tag, value);
      add_scalar(std::move(node), mark, anchor, is_plain);
    } catch (const Error& error) {
      if (error.message().starts_with(name_)) throw;
      fail_at(name_, mark.line + 1, error.message());
    }
  }

  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(Node::list(), mark, tag, "seq", anchor, style);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(Node::map(), mark, tag, "map", anchor, style);
  }

  void OnMapEnd() override {
    merge(open_.back());
    close();
  }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    bool is_flow = false;
    bool has_key = false;
    YAML::Mark key_mark;
    Node::Entry pending;                         ///< the key whose value comes next
    std::unordered_map<std::string, int> lines;  ///< of the keys so far
    std::vector<Node> merges;
  };

  void open(Node node,
            const YAML::Mark& mark,
            const std::string& tag,
            const char* expected,
            YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    node.line = mark.line + 1;
    if (!tag.empty() && tag != "?" && tag != "!" && tag != std::string("tag:yaml.org,2002:") + expected) {
      fail_at(name_,
              node.line,
              "the YAML tag " + tag + " is not supported; recipes hold plain values, lists and maps");
    }
    if (open_.size() >= kDeepest) fail_at(name_, node.line, "values are nested deeper than 100 levels");
    if (!open_.empty() && open_.back().node.is_map() && !open_.back().has_key) {
      fail_at(name_, node.line, "a list or map cannot be a key");
    }
    open_.push_back({std::move(node), anchor, style == YAML::EmitterStyle::Flow, false, mark, {}, {}, {}});
  }

  /// An empty value after "key:" is null; elsewhere yaml-cpp invents one where YAML has an error.
  void check_may_be_empty(const YAML::Mark& mark) const {
    if (open_.empty()) return;
    const Open& parent = open_.back();
    if (parent.node.is_list() && parent.is_flow)
      fail_at(name_, mark.line + 1, "a list has a comma with no value");
    if (!parent.node.is_map()) return;
    if (!parent.has_key) fail_at(name_, mark.line + 1, "a colon has no key before it");
    const YAML::Mark& key = parent.key_mark;
    if (!parent.is_flow && !source_.has_colon_after_key(key.line, key.column)) {
      fail_at(name_, key.line + 1, summary(Node::of(parent.pending.key)) + " has no colon after it");
    }
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor, false);
  }

  void add_scalar(Node node, const YAML::Mark& mark, YAML::anchor_t anchor, bool is_plain) {
    node.line = mark.line + 1;
    add(std::move(node), anchor, is_plain);
  }

  void add(Node node, YAML::anchor_t anchor, bool is_plain) {
    if (anchor != 0) anchors_[anchor] = {node, count_values(node)};
    if (open_.empty()) {
      root_ = std::move(node);
      has_root_ = true;
    } else if (open_.back().node.is_list()) {
      open_.back().node.items.push_back(std::move(node));
    } else if (!open_.back().has_key) {
      open_.back().key_mark = last_scalar_;
      take_key(open_.back(), std::move(node), is_plain);
    } else {
      take_value(open_.back(), std::move(node));
    }
  }

  void take_key(Open& map, Node node, bool is_plain) {
    if (node.is_list() || node.is_map()) fail_at(name_, node.line, "a list or map cannot be a key");
    const bool is_merge = is_plain && node.is_string() && node.text == kMergeKey;
    std::string key = node.is_null() ? "null" : node.text;
    if (!is_merge) {
      const auto [earlier, is_new] = map.lines.emplace(key, node.line);
      if (!is_new) {
        fail_at(name_,
                node.line,
                "the key " + summary(Node::of(key)) + " stands twice in one map, first in line " +
                    std::to_string(earlier->second) + "; remove one of them");
      }
    }
    map.pending = {std::move(key), is_merge ? Node::Kind::kMap : node.kind, node.line, {}};
    map.has_key = true;
  }

  void take_value(Open& map, Node node) {
    map.has_key = false;
    if (map.pending.key_kind == Node::Kind::kMap) {
      map.merges.push_back(std::move(node));
      return;
    }
    map.pending.value = std::move(node);
    map.node.entries.push_back(std::move(map.pending));
  }

  /// Puts merged keys before the map's own; of several sources of one list the first wins.
  void merge(Open& map) {
    if (map.merges.empty()) return;
    Merged merged;
    for (const Node& source : map.merges) {
      if (source.is_list()) {
        for (auto item = source.items.rbegin(); item != source.items.rend(); ++item) {
          merge_from(*item, source.line, merged);
        }
      } else {
        merge_from(source, source.line, merged);
      }
    }
    for (Node::Entry& own : map.node.entries) merged.put(std::move(own));
    map.node.entries = std::move(merged.entries);
  }

  struct Merged {
    std::vector<Node::Entry> entries;
    std::unordered_map<std::string, size_t> places;

    void put(Node::Entry entry) {
      const auto [place, is_new] = places.emplace(entry.key, entries.size());
      if (is_new) {
        entries.push_back(std::move(entry));
      } else {
        entries[place->second] = std::move(entry);
      }
    }
  };

  void merge_from(const Node& source, int line, Merged& merged) {
    if (!source.is_map()) {
      fail_at(name_, line, "<< merges a map or a list of maps, not " + std::string(kind_name(source.kind)));
    }
    for (const Node::Entry& entry : source.entries) merged.put(entry);
  }

  const std::string& name_;
  const YamlSource& source_;
  Node root_;
  bool has_root_ = false;
  YAML::Mark last_scalar_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  int64_t from_aliases_ = 0;
};

[[noreturn]] void fail_malformed(const YamlSource& source,
                                 const std::string& name,
                                 const YAML::Exception& error) {
  const int line = error.mark.line;
  if (source.is_indented_by_tab(line)) {
    fail_at(name, line + 1, "the line is indented with a tab; YAML indents with blanks only");
  }
  fail_at(
      name, line + 1, detail::join("malformed YAML: ", error.msg, " (column ", error.mark.column + 1, ")"));
}

}  // namespace

Node parse_yaml(std::string_view text, const std::string& name) {
  check(text.size() <= kLargestFile,
        ErrorCode::kConfig,
        name,
        ": the file has ",
        text.size(),
        " bytes; a recipe has at most 32 MiB");
  check_text(text, name);
  const YamlSource source(text);
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  TreeBuilder builder(name, source);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    check(builder.has_root(), ErrorCode::kConfig, name, ": the file is empty; expected a map of sections");
    // yaml-cpp takes the end of the file for a closing quote: only the last scalar can have run into it.
    const YAML::Mark& last = builder.last_scalar();
    if (!source.is_quote_closed(last.line, last.column)) {
      fail_at(name, last.line + 1, "the quoted text that begins here is never closed");
    }
    TreeBuilder second(name, source);
    if (parser.HandleNextDocument(second)) {
      fail(ErrorCode::kConfig,
           name,
           ": the file holds more than one YAML document (a line of ---); a recipe is one");
    }
  } catch (const YAML::Exception& error) {
    fail_malformed(source, name, error);
  }
  return builder.take();
}

Node read_yaml_file(const std::filesystem::path& path) {
  std::string text;
  try {
    text = read_file(path);
  } catch (const Error& error) {
    fail(ErrorCode::kConfig, "cannot read the recipe: ", error.message());
  }
  return parse_yaml(text, path.string());
}

}  // namespace automodel::config
