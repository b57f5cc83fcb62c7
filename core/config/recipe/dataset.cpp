#include "core/config/recipe/dataset.h"

#include <type_traits>

#include "core/base/error.h"
#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

using D = DatasetDraft;

const std::string kModule = "nemo_automodel.components.datasets.llm.";

/// What `Set` is of a config: its kind's own part, or the whole.
template <class Set>
Set& part(DatasetConfig& config) {
  if constexpr (std::is_same_v<Set, DatasetConfig>) {
    return config;
  } else {
    return std::get<Set>(config.kind);
  }
}

/// A key that fills a member of the draft's config or of its kind.
template <class Set, class M>
OptionBuilder field(SectionOf<D>& s, const std::string& name, M Set::* member) {
  const Set defaults;
  return s
      .custom(name,
              [member](const Node& value, D& draft) { part<Set>(draft.config).*member = read_as<M>(value); })
      .type(type_name<M>())
      .default_text(text_of(defaults.*member));
}

void read_padding(const Node& value, D& draft) {
  std::string& padding = draft.config.padding;
  if (value.kind == Node::Kind::kBool) {
    padding = value.boolean ? "longest" : "do_not_pad";
    return;
  }
  padding = read_as<std::string>(value);
  check(padding == "do_not_pad" || padding == "longest" || padding == "max_length",
        ErrorCode::kConfig,
        "expected true, false, do_not_pad, longest or max_length, not \"",
        padding,
        "\"");
}

void read_truncation(const Node& value, D& draft) {
  std::string& truncation = draft.config.truncation;
  if (value.kind == Node::Kind::kBool) {
    truncation = value.boolean ? "longest_first" : "do_not_truncate";
    return;
  }
  truncation = read_as<std::string>(value);
  if (truncation == "only_first") truncation = "longest_first";  // one text: the same
  check(truncation == "do_not_truncate" || truncation == "longest_first",
        ErrorCode::kConfig,
        "expected true, false, do_not_truncate or longest_first, not \"",
        truncation,
        "\"");
}

void read_column_mapping(const Node& value, D& draft) {
  auto& mapping = part<ColumnMappedSet>(draft.config).column_mapping;
  mapping = read_as<std::map<std::string, std::string>>(value);
  for (const auto& [role, column] : mapping) {
    const bool known = role == "context" || role == "question" || role == "answer";
    check(known,
          ErrorCode::kConfig,
          "unknown name \"",
          role,
          "\"; expected context, question and answer, e.g. {question: prompt, answer: completion}");
  }
  check(mapping.contains("answer") && mapping.size() >= 2,
        ErrorCode::kConfig,
        "needs answer and one of context, question, e.g. {question: prompt, answer: completion}");
}

/// What all sets of text share.
void declare_text_options(SectionOf<D>& s, const std::string& padding, const std::string& truncation) {
  field(s, "split", &DatasetConfig::split)
      .default_text("train")
      .null_is_unset()
      .doc("part of the set, also a slice: train[:100], train[10%:20%]");
  field(s, "seq_length", &DatasetConfig::seq_length)
      .doc("longest row when truncated or padded to max_length; null: the tokenizer's limit")
      .unit("tokens")
      .min(1);
  s.custom("padding", read_padding)
      .type("true, false, do_not_pad, longest or max_length")
      .default_text(padding)
      .null_is_unset()
      .doc("of rows, before the collator pads the batch");
  s.custom("truncation", read_truncation)
      .type("true, false, do_not_truncate or longest_first")
      .default_text(truncation)
      .null_is_unset()
      .doc("cut rows longer than seq_length");
  s.nested<TokenizerConfig>(
      "tokenizer", tokenizer_section(), [](D& draft) -> TokenizerConfig& { return draft.tokenizer; });
}

void declare_limit(SectionOf<D>& s) {
  field(s, "limit_dataset_samples", &DatasetConfig::limit_dataset_samples)
      .doc("use the first rows only; null: all")
      .unit("rows")
      .min(1);
}

void declare_hub_subset(SectionOf<D>& s) {
  s.not_supported("name", "subsets of a Hub dataset are not implemented yet; use a local file");
}

void declare_column_mapped(SectionOf<D>& s) {
  field(s, "path_or_dataset_id", &DatasetConfig::paths)
      .doc("json, jsonl or csv file, list of files, or Hub id")
      .required();
  s.custom("column_mapping", read_column_mapping)
      .type("map of texts")
      .doc("which column is the context, the question, the answer")
      .required();
  field(s, "answer_only_loss_mask", &ColumnMappedSet::answer_only_loss_mask)
      .doc("learn the answer, not the question");
  field(s, "use_hf_chat_template", &ColumnMappedSet::use_hf_chat_template)
      .doc("render context, question, answer as system, user, assistant turns");
  declare_text_options(s, "do_not_pad", "do_not_truncate");
  declare_limit(s);
  declare_hub_subset(s);
  s.not_supported("start_of_turn_token",
                  "masking by a turn's first token is not implemented; chat templates give the spans");
}

void declare_squad(SectionOf<D>& s) {
  field(s, "dataset_name", &DatasetConfig::paths).default_text("squad").doc("json or jsonl file, or Hub id");
  field(s, "chat_template", &DatasetConfig::chat_template)
      .null_is_unset()
      .doc("Jinja text or a file of it, in place of the tokenizer's");
  declare_text_options(s, "false", "false");
  declare_limit(s);
  s.inert("fp8", "not read");
  s.not_supported("start_of_turn_token",
                  "masking by a turn's first token is not implemented; chat templates give the spans");
}

void declare_chat(SectionOf<D>& s) {
  field(s, "path_or_dataset_id", &DatasetConfig::paths)
      .doc("json or jsonl file, list of files, or Hub id")
      .required();
  field(s, "chat_template", &DatasetConfig::chat_template)
      .null_is_unset()
      .doc("Jinja text or a file of it, in place of the tokenizer's");
  field(s, "shuffle_seed", &DatasetConfig::shuffle_seed)
      .doc("shuffle the set before a slice of split is taken");
  field(s, "mask_reasoning_content", &ChatSet::mask_reasoning_content).doc("do not learn reasoning_content");
  field(s, "mask_history", &ChatSet::mask_history).doc("learn the last assistant turn only");
  field(s, "tool_arguments", &ChatSet::tool_arguments)
      .choices({"as_is", "json_text"})
      .doc("a tool call's arguments as the row has them, or as AutoModel's JSON text (docs/data.md)");
  field(s, "skip_invalid_samples", &DatasetConfig::skip_invalid_samples)
      .doc("leave out and count rows that are not valid");
  declare_text_options(s, "do_not_pad", "do_not_truncate");
  declare_hub_subset(s);
  s.accepted("unshifted").only({Node::of(false)}, "unshifted labels are of diffusion language models");
  s.not_supported("start_of_turn_token",
                  "masking by a turn's first token is not implemented; chat templates give the spans");
}

void declare_hellaswag(SectionOf<D>& s) {
  field(s, "path_or_dataset", &DatasetConfig::paths).doc("json or jsonl file, or Hub id").required();
  field(s, "split", &DatasetConfig::split)
      .default_text("train")
      .null_is_unset()
      .doc("part of the set, also a slice: train[:100], train[10%:20%]");
  field(s, "num_samples_limit", &DatasetConfig::limit_dataset_samples)
      .doc("use the first rows only; null: all")
      .unit("rows")
      .min(1);
  field(s, "pad_to_max_length", &HellaSwagSet::pad_to_max_length)
      .doc("pad every row to the longest of the whole set, rounded up to a multiple of 8");
  s.nested<TokenizerConfig>(
      "tokenizer", tokenizer_section(), [](D& draft) -> TokenizerConfig& { return draft.tokenizer; });
}

void declare_nanogpt(SectionOf<D>& s) {
  field(s, "file_pattern", &DatasetConfig::paths).doc("glob pattern, or list of files").required();
  field(s, "seq_len", &NanogptSet::seq_len)
      .doc("tokens of a row")
      .unit("tokens")
      .default_text("")
      .min(1)
      .required();
  field(s, "bos_token", &NanogptSet::bos_token).doc("id that begins a document, for align_to_bos");
  field(s, "shuffle_files", &NanogptSet::shuffle_files).doc("read the files in another order each time");
  field(s, "align_to_bos", &NanogptSet::align_to_bos).doc("begin rows at a document's begin");
}

void declare_mock(SectionOf<D>& s) {
  // Torch's generator gives a token of a larger vocabulary by another formula.
  field(s, "vocab_size", &MockSet::vocab_size).doc("tokens are below this").min(1).max((1 << 28) - 1);
  field(s, "seq_len", &MockSet::seq_len).doc("tokens of a row").unit("tokens").min(2);
  field(s, "num_samples", &MockSet::num_samples).doc("micro-batches of an epoch").min(1);
  field(s, "batch_size", &MockSet::batch_size)
      .doc("rows of a micro-batch, in place of step_scheduler.local_batch_size")
      .unit("rows")
      .min(1);
  field(s, "seed", &MockSet::seed).doc("of the generator, plus the rank").min(0).max(1 << 30);
}

void declare_plain_text(SectionOf<D>& s) {
  field(s, "path_or_dataset_id", &DatasetConfig::paths)
      .doc("txt, json, jsonl or csv file, pattern, folder, or list of them")
      .required();
  field(s, "seq_length", &DatasetConfig::seq_length).doc("tokens of a row").unit("tokens").min(1).required();
  field(s, "text_column", &PlainTextSet::text_column)
      .doc("column of json, jsonl and csv files that holds a document");
  field(s, "document_separator", &PlainTextSet::document_separator)
      .doc("what stands between documents of a txt file, e.g. \"\\n\\n\"; empty: a file is a document");
  field(s, "append_eos", &PlainTextSet::append_eos).doc("end each document with the tokenizer's EOS");
  field(s, "split", &DatasetConfig::split)
      .default_text("train")
      .null_is_unset()
      .doc("part of the documents, also a slice: train[:100], train[10%:20%]");
  field(s, "limit_dataset_samples", &DatasetConfig::limit_dataset_samples)
      .doc("use the first documents only; null: all")
      .unit("documents")
      .min(1);
  s.nested<TokenizerConfig>(
      "tokenizer", tokenizer_section(), [](D& draft) -> TokenizerConfig& { return draft.tokenizer; });
}

/// A kind: what is known of it, its names (the first is its own), its options, what a config of it begins as.
struct Row {
  DatasetKind known;
  std::vector<std::string> targets;
  std::string doc;
  void (*declare)(SectionOf<D>& s);
  decltype(DatasetConfig::kind) kind;
  std::vector<std::string> paths = {};
  Section section = {};  ///< made of the above
};

const DatasetKind kTexts = {};
const DatasetKind kStreamOfIds = {
    .name = "", .has_rows = false, .needs_tokenizer = false, .has_own_lengths = false};

const DatasetKind kRowsOfOneLength = {.name = "", .has_own_lengths = false};

std::vector<Row> list_rows() {
  return {
      {kTexts,
       {kModule + "column_mapped_text_instruction_dataset.ColumnMappedTextInstructionDataset",
        kModule + "ColumnMappedTextInstructionDataset"},
       "Rows with a question and an answer column.",
       declare_column_mapped,
       ColumnMappedSet()},
      {kTexts,
       {kModule + "squad.make_squad_dataset", kModule + "make_squad_dataset"},
       "Questions about a context, in SQuAD's format.",
       declare_squad,
       SquadSet(),
       {"squad"}},
      {kTexts,
       {kModule + "chat_dataset.ChatDataset", kModule + "ChatDataset"},
       "Conversations: OpenAI's messages with tools, or ShareGPT's.",
       declare_chat,
       ChatSet()},
      {kTexts,
       {kModule + "hellaswag.HellaSwag", kModule + "HellaSwag"},
       "Beginnings with four endings, of which one is right.",
       declare_hellaswag,
       HellaSwagSet()},
      {kStreamOfIds,
       {kModule + "nanogpt_dataset.NanogptDataset", kModule + "NanogptDataset"},
       "nanoGPT's .bin shards of token ids, for pretraining.",
       declare_nanogpt,
       NanogptSet()},
      {kStreamOfIds,
       {kModule + "mock_iterable_dataset.MockIterableDataset"},
       "Random tokens, for benchmarks; needs dataloader.batch_size: null.",
       declare_mock,
       MockSet()},
      {kRowsOfOneLength,
       {"automodel.PlainTextDataset"},
       "Plain text for pretraining: documents are joined and cut into rows of seq_length tokens.",
       declare_plain_text,
       PlainTextSet()},
  };
}

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = [] {
    std::vector<Row> rows = list_rows();
    for (Row& row : rows) {
      const std::string& target = row.targets.front();
      row.known.name = target.substr(target.rfind('.') + 1);
      SectionOf<D> s("dataset", row.doc, target);
      s.accepted("_target_").doc("the dataset's class").default_text(target);
      row.declare(s);
      row.section = s.take();
    }
    return rows;
  }();
  return kRows;
}

}  // namespace

const DatasetKind& kind_of(const DatasetConfig& dataset) {
  for (const Row& row : rows()) {
    if (row.kind.index() == dataset.kind.index()) return row.known;
  }
  fail(ErrorCode::kInternal, "no row for dataset kind ", dataset.kind.index());
}

const Section& dataset_section(const Node& map, DatasetConfig& config) {
  const std::string name = target_of(map, "");
  check(!name.empty(),
        ErrorCode::kConfig,
        "needs a _target_ that says what kind of data it is, e.g. ",
        kModule,
        "ChatDataset");
  const std::string_view kind = find_target(TargetRole::kDataset, name).kind;
  for (const Row& row : rows()) {
    if (row.known.name != kind) continue;
    config.kind = row.kind;
    config.paths = row.paths;
    return row.section;
  }
  fail(ErrorCode::kInternal, "no row for dataset kind ", kind);
}

std::vector<const Section*> dataset_sections() {
  std::vector<const Section*> sections;
  for (const Row& row : rows()) sections.push_back(&row.section);
  return sections;
}

std::vector<Target> dataset_targets() {
  std::vector<Target> targets;
  for (const Row& row : rows()) {
    for (const std::string& name : row.targets)
      targets.push_back({name, TargetRole::kDataset, row.known.name, /*missing=*/""});
  }
  return targets;
}

}  // namespace automodel::config
