#include "cli/data_set_facts.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/plural.h"
#include "core/data/loader.h"
#include "core/data/nanogpt_shard.h"
#include "core/data/nanogpt_stream.h"
#include "core/families/family.h"

namespace automodel::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// The model's folder or config.json; empty for a config written in the recipe.
fs::path place_of_model(const config::Recipe& recipe) {
  return recipe.model.path.empty() ? fs::path() : families::find_model(recipe.model.path);
}

std::optional<tokenizer::Tokenizer> open_tokenizer(const config::Recipe& recipe, bool needed) {
  fs::path folder = recipe.tokenizer.path;
  if (folder.empty()) {
    const fs::path model = place_of_model(recipe);
    folder = fs::is_directory(model) ? model : model.parent_path();
  }
  const bool present = fs::exists(folder / "tokenizer.json") || fs::exists(folder / "vocab.json");
  if (!needed && (folder.empty() || !present)) return std::nullopt;
  check(
      !folder.empty(),
      ErrorCode::kConfig,
      "the recipe has no tokenizer: the model's config is written in it; set tokenizer.pretrained_model_name_or_path to a folder with one");
  tokenizer::Tokenizer loaded = tokenizer::Tokenizer::load(folder);
  loaded.set_add_special(recipe.tokenizer.add_bos_token, recipe.tokenizer.add_eos_token);
  return loaded;
}

/// What the model was made for; 0 where its config is not of a known family, which training says.
int64_t positions_of_model(const config::Recipe& recipe) {
  const fs::path place = place_of_model(recipe);
  const fs::path file = fs::is_directory(place) ? place / "config.json" : place;
  const std::string text = file.empty() ? recipe.model.inline_config : read_file(file);
  try {
    return families::read_decoder_config(
               text, file.string(), recipe.model.config_overrides, recipe.model.family_file)
        .max_position_embeddings;
  } catch (const Error& error) {
    log::warning("the model's positions are not looked at: ", error.message());
    return 0;
  }
}

ordered_json json_of(const data::Spread& spread) {
  return {{"min", spread.min}, {"median", spread.median}, {"p95", spread.p95}, {"max", spread.max}};
}

std::string text_of(const data::Spread& spread) {
  return detail::join(
      "min ", spread.min, ", median ", spread.median, ", p95 ", spread.p95, ", max ", spread.max, " tokens");
}

std::vector<int64_t> tokens_of(const data::RowLengths& lengths) {
  std::vector<int64_t> tokens;
  for (const data::RowLengths::Row& row : lengths.rows) tokens.push_back(row.num_tokens);
  return tokens;
}

int64_t num_unlabelled(const data::RowLengths& lengths) {
  return std::count_if(
      lengths.rows.begin(), lengths.rows.end(), [](const auto& row) { return row.num_learnt == 0; });
}

}  // namespace

ShownSet::ShownSet(const config::Recipe& recipe, const config::DatasetConfig& set, const std::string& section)
    : set_(set), section_(section), tokenizer_(open_tokenizer(recipe, config::kind_of(set).needs_tokenizer)) {
  limits_ = {.section = section_, .max_positions = positions_of_model(recipe)};
  if (const auto* nanogpt = std::get_if<config::NanogptSet>(&set_.kind)) count_documents(*nanogpt);
  if (!config::kind_of(set_).has_rows) return;
  rows_ = data::open_rows(set_, *tokenizer_);
  if (!set_.skip_invalid_samples) rows_->sample(0, 0);
  lengths_ = data::measure_rows(*rows_, {.max_rows = 20000, .max_seconds = 5.0});
  limits_ = data::limits_of(set_, *rows_, limits_);
  data::warn_of_lengths(lengths_, *rows_, limits_);
}

void ShownSet::count_documents(const config::NanogptSet& set) {
  for (const fs::path& file : data::match_files(set_.paths)) {
    const data::NanogptShard shard(file);
    ++num_shards_;
    num_tokens_ += shard.num_tokens();
    if (!set.bos_token) continue;
    for (int64_t at = shard.find(*set.bos_token, 0, shard.num_tokens()); at < shard.num_tokens();) {
      const int64_t next = shard.find(*set.bos_token, at + 1, shard.num_tokens());
      documents_.push_back(next - at);
      at = next;
    }
  }
}

std::string ShownSet::summary() const {
  std::ostringstream out;
  out << section_ << ": " << config::kind_of(set_).name;
  if (const auto* mock = std::get_if<config::MockSet>(&set_.kind)) {
    out << ", random tokens below " << mock->vocab_size << ", " << mock->seq_len << " a row\n";
    return out.str();
  }
  if (const auto* nanogpt = std::get_if<config::NanogptSet>(&set_.kind)) {
    out << ", " << counted(num_tokens_, "token") << " in " << counted(num_shards_, "shard") << ", "
        << nanogpt->seq_len << " a row; every token is learnt\n";
    if (!documents_.empty())
      out << counted(std::ssize(documents_), "document") << ": " << text_of(data::spread_of(documents_))
          << '\n';
    return out.str();
  }
  out << ", " << counted(rows_->num_rows(), "row");
  if (rows_->common_length() > 0) {
    out << " of " << counted(rows_->common_length(), "token") << "; every token is learnt\n";
    return out.str();
  }
  out << '\n';
  if (lengths_.rows.empty()) return out.str();
  int64_t tokens = 0, learnt = 0;
  for (const data::RowLengths::Row& row : lengths_.rows) {
    tokens += row.num_tokens;
    learnt += row.num_learnt;
  }
  out << "lengths of " << lengths_.looked_at() << (lengths_.num_looked_at() < lengths_.num_rows ? " " : ": ")
      << text_of(data::spread_of(tokens_of(lengths_))) << '\n'
      << "learnt: " << 100 * learnt / tokens
      << " % of the tokens; rows with nothing to learn: " << num_unlabelled(lengths_)
      << "; rows that are not valid: " << lengths_.num_invalid
      << (set_.skip_invalid_samples ? " (left out)" : "") << '\n';
  return out.str();
}

ordered_json ShownSet::facts() const {
  ordered_json facts = {{"section", section_}, {"class", config::kind_of(set_).name}};
  if (const auto* nanogpt = std::get_if<config::NanogptSet>(&set_.kind)) {
    facts.update({{"num_shards", num_shards_}, {"num_tokens", num_tokens_}, {"seq_len", nanogpt->seq_len}});
    if (!documents_.empty()) {
      facts["num_documents"] = documents_.size();
      facts["lengths"] = json_of(data::spread_of(documents_));
    }
  }
  if (!has_rows()) return facts;
  facts["num_rows"] = rows_->num_rows();
  facts["num_looked_at"] = lengths_.num_looked_at();
  facts["num_unlabelled"] = num_unlabelled(lengths_);
  facts["num_invalid"] = lengths_.num_invalid;
  if (!lengths_.rows.empty()) facts["lengths"] = json_of(data::spread_of(tokens_of(lengths_)));
  return facts;
}

std::vector<ShownRow> ShownSet::rows(int64_t first, int64_t count) const {
  if (!has_rows()) return sequences(first, count);
  const int64_t num_rows = rows_->num_rows();
  check(first < num_rows,
        ErrorCode::kUsage,
        "data show --row ",
        first,
        ": ",
        section_,
        " has ",
        counted(num_rows, "row"),
        ", the first is 0");
  std::vector<ShownRow> shown;
  for (int64_t row = first; row < std::min(first + count, num_rows); ++row) {
    try {
      data::Sample sample = rows_->sample(row, 0);
      data::RowView view = data::view_row(sample, &*tokenizer_);
      shown.push_back({row, rows_->place(row), std::move(sample), std::move(view)});
    } catch (const Error& error) {
      if (!set_.skip_invalid_samples || error.code() != ErrorCode::kData) throw;
      log::warning("left out (skip_invalid_samples): ", error.message());
    }
  }
  return shown;
}

std::vector<ShownRow> ShownSet::sequences(int64_t first, int64_t count) const {
  config::DatasetConfig one = set_;
  auto* mock = std::get_if<config::MockSet>(&one.kind);
  if (mock != nullptr) mock->batch_size = 1;
  const auto loader = data::open_loader(one, nullptr, {.limits = limits_});
  loader->restore({.epoch = 0, .next_row = first});
  std::vector<ShownRow> shown;
  for (int64_t row = first; row < first + count; ++row) {
    const std::optional<data::Batch> batch = loader->next();
    if (!batch) break;
    data::Sample sample;
    sample.input_ids.assign(batch->input_ids.begin(), batch->input_ids.end());
    sample.labels.assign(batch->labels.begin(), batch->labels.end());
    data::RowView view = data::view_row(sample, mock != nullptr || !tokenizer_ ? nullptr : &*tokenizer_);
    shown.push_back({row, "", std::move(sample), std::move(view)});
  }
  return shown;
}

}  // namespace automodel::cli
