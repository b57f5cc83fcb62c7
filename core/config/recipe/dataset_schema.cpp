#include "core/base/error.h"
#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

using D = DatasetDraft;
using Kind = DatasetConfig::Kind;

const std::string kModule = "nemo_automodel.components.datasets.llm.";

/// A key that fills a member of the draft's config.
template <class M>
OptionBuilder field(SectionOf<D>& s, const std::string& name, M DatasetConfig::* member) {
  const DatasetConfig defaults;
  return s.custom(name, [member](const Node& value, D& draft) { draft.config.*member = read_as<M>(value); })
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
  draft.config.column_mapping = read_as<std::map<std::string, std::string>>(value);
  const auto& mapping = draft.config.column_mapping;
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

SectionOf<D> declare(const std::string& target, const std::string& doc) {
  SectionOf<D> s("dataset", doc, kModule + target);
  s.accepted("_target_").doc("the dataset's class").default_text(kModule + target);
  return s;
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

const Section& column_mapped() {
  static const Section kSection = [] {
    SectionOf<D> s = declare("column_mapped_text_instruction_dataset.ColumnMappedTextInstructionDataset",
                             "Rows with a question and an answer column.");
    field(s, "path_or_dataset_id", &DatasetConfig::paths)
        .doc("json, jsonl or csv file, list of files, or Hub id")
        .required();
    s.custom("column_mapping", read_column_mapping)
        .type("map of texts")
        .doc("which column is the context, the question, the answer")
        .required();
    field(s, "answer_only_loss_mask", &DatasetConfig::answer_only_loss_mask)
        .doc("learn the answer, not the question");
    field(s, "use_hf_chat_template", &DatasetConfig::use_hf_chat_template)
        .doc("render context, question, answer as system, user, assistant turns");
    declare_text_options(s, "do_not_pad", "do_not_truncate");
    declare_limit(s);
    declare_hub_subset(s);
    s.not_supported("start_of_turn_token",
                    "masking by a turn's first token is not implemented; chat templates give the spans");
    return s.take();
  }();
  return kSection;
}

const Section& squad() {
  static const Section kSection = [] {
    SectionOf<D> s = declare("squad.make_squad_dataset", "Questions about a context, in SQuAD's format.");
    field(s, "dataset_name", &DatasetConfig::paths)
        .default_text("squad")
        .doc("json or jsonl file, or Hub id");
    field(s, "chat_template", &DatasetConfig::chat_template)
        .null_is_unset()
        .doc("Jinja text or a file of it, in place of the tokenizer's");
    declare_text_options(s, "false", "false");
    declare_limit(s);
    s.inert("fp8", "not read");
    s.not_supported("start_of_turn_token",
                    "masking by a turn's first token is not implemented; chat templates give the spans");
    return s.take();
  }();
  return kSection;
}

const Section& chat() {
  static const Section kSection = [] {
    SectionOf<D> s =
        declare("chat_dataset.ChatDataset", "Conversations: OpenAI's messages with tools, or ShareGPT's.");
    field(s, "path_or_dataset_id", &DatasetConfig::paths)
        .doc("json or jsonl file, list of files, or Hub id")
        .required();
    field(s, "chat_template", &DatasetConfig::chat_template)
        .null_is_unset()
        .doc("Jinja text or a file of it, in place of the tokenizer's");
    field(s, "shuffle_seed", &DatasetConfig::shuffle_seed)
        .doc("shuffle the set before a slice of split is taken");
    field(s, "mask_reasoning_content", &DatasetConfig::mask_reasoning_content)
        .doc("do not learn reasoning_content");
    field(s, "mask_history", &DatasetConfig::mask_history).doc("learn the last assistant turn only");
    field(s, "tool_arguments", &DatasetConfig::tool_arguments)
        .choices({"as_is", "json_text"})
        .doc("a tool call's arguments as the row has them, or as AutoModel's JSON text (docs/data.md)");
    field(s, "skip_invalid_samples", &DatasetConfig::skip_invalid_samples)
        .doc("leave out and count rows that are not valid");
    declare_text_options(s, "do_not_pad", "do_not_truncate");
    declare_hub_subset(s);
    s.accepted("unshifted").only({Node::of(false)}, "unshifted labels are of diffusion language models");
    s.not_supported("start_of_turn_token",
                    "masking by a turn's first token is not implemented; chat templates give the spans");
    return s.take();
  }();
  return kSection;
}

const Section& hellaswag() {
  static const Section kSection = [] {
    SectionOf<D> s = declare("hellaswag.HellaSwag", "Beginnings with four endings, of which one is right.");
    field(s, "path_or_dataset", &DatasetConfig::paths).doc("json or jsonl file, or Hub id").required();
    field(s, "split", &DatasetConfig::split)
        .default_text("train")
        .null_is_unset()
        .doc("part of the set, also a slice: train[:100], train[10%:20%]");
    field(s, "num_samples_limit", &DatasetConfig::limit_dataset_samples)
        .doc("use the first rows only; null: all")
        .unit("rows")
        .min(1);
    field(s, "pad_to_max_length", &DatasetConfig::pad_to_max_length)
        .doc("pad every row to the longest of the whole set, rounded up to a multiple of 8");
    s.nested<TokenizerConfig>(
        "tokenizer", tokenizer_section(), [](D& draft) -> TokenizerConfig& { return draft.tokenizer; });
    return s.take();
  }();
  return kSection;
}

const Section& nanogpt() {
  static const Section kSection = [] {
    SectionOf<D> s =
        declare("nanogpt_dataset.NanogptDataset", "nanoGPT's .bin shards of token ids, for pretraining.");
    field(s, "file_pattern", &DatasetConfig::paths).doc("glob pattern, or list of files").required();
    field(s, "seq_len", &DatasetConfig::nanogpt_seq_len)
        .doc("tokens of a row")
        .unit("tokens")
        .default_text("")
        .min(1)
        .required();
    field(s, "bos_token", &DatasetConfig::bos_token).doc("id that begins a document, for align_to_bos");
    field(s, "shuffle_files", &DatasetConfig::shuffle_files).doc("read the files in another order each time");
    field(s, "align_to_bos", &DatasetConfig::align_to_bos).doc("begin rows at a document's begin");
    return s.take();
  }();
  return kSection;
}

/// A count of a mock set.
OptionBuilder mock_field(SectionOf<D>& s, const std::string& name, int64_t MockConfig::* member) {
  const MockConfig defaults;
  return s
      .custom(name,
              [member](const Node& value, D& draft) { draft.config.mock.*member = read_as<int64_t>(value); })
      .type(type_name<int64_t>())
      .default_text(text_of(defaults.*member));
}

const Section& mock() {
  static const Section kSection = [] {
    SectionOf<D> s = declare("mock_iterable_dataset.MockIterableDataset",
                             "Random tokens, for benchmarks; needs dataloader.batch_size: null.");
    // Torch's generator gives a token of a larger vocabulary by another formula.
    mock_field(s, "vocab_size", &MockConfig::vocab_size)
        .doc("tokens are below this")
        .min(1)
        .max((1 << 28) - 1);
    mock_field(s, "seq_len", &MockConfig::seq_len).doc("tokens of a row").unit("tokens").min(2);
    mock_field(s, "num_samples", &MockConfig::num_samples).doc("micro-batches of an epoch").min(1);
    mock_field(s, "batch_size", &MockConfig::batch_size)
        .doc("rows of a micro-batch, in place of step_scheduler.local_batch_size")
        .unit("rows")
        .min(1);
    mock_field(s, "seed", &MockConfig::seed).doc("of the generator, plus the rank").min(0).max(1 << 30);
    return s.take();
  }();
  return kSection;
}

}  // namespace

const Section& dataset_section(const Node& map, DatasetConfig& config) {
  const std::string name = target_of(map, "");
  check(!name.empty(),
        ErrorCode::kConfig,
        "needs a _target_ that says what kind of data it is, e.g. ",
        kModule,
        "ChatDataset");
  const std::string_view kind = find_target(TargetRole::kDataset, name).kind;
  if (kind == "column_mapped") {
    config.kind = Kind::kColumnMapped;
    return column_mapped();
  }
  if (kind == "squad") {
    config.kind = Kind::kSquad;
    config.paths = {"squad"};
    return squad();
  }
  if (kind == "hellaswag") {
    config.kind = Kind::kHellaSwag;
    return hellaswag();
  }
  if (kind == "mock") {
    config.kind = Kind::kMock;
    return mock();
  }
  config.kind = kind == "chat" ? Kind::kChat : Kind::kNanogpt;
  return kind == "chat" ? chat() : nanogpt();
}

std::vector<const Section*> dataset_sections() {
  return {&column_mapped(), &squad(), &chat(), &hellaswag(), &nanogpt(), &mock()};
}

}  // namespace automodel::config
