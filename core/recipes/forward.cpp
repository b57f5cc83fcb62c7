// `automodel model forward`: logits, loss and gradients of a checkpoint on given ids, for parity proofs.
#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/checkpoint/tensor_to_write.h"
#include "core/engine/executor.h"
#include "core/families/family.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"
#include "core/models/unit_types.h"
#include "core/ops/embedding.h"
#include "core/recipes/entry.h"
#include "core/tensor/host_copy.h"
#include "core/train/micro_batch.h"
#include "core/train/model_setup.h"

namespace automodel::recipes {
namespace {

using Rows = std::vector<std::vector<int64_t>>;
using Outputs = std::vector<std::pair<std::string, at::Tensor>>;

Rows read_rows(const std::string& path) {
  return io::whole_number_rows(io::read_json(path), path);
}

std::vector<std::vector<double>> read_numbers(const std::string& path) {
  try {
    auto rows = io::read_json(path).get<std::vector<std::vector<double>>>();
    check(!rows.empty(), ErrorCode::kData, path, ": the list is empty");
    for (const auto& row : rows) check(!row.empty(), ErrorCode::kData, path, ": a row is empty");
    return rows;
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kData, path, ": expected a JSON list of lists of numbers: ", error.what());
  }
}

/// [rows, longest], padded with `fill`.
at::Tensor pad(const Rows& rows, int64_t length, int64_t fill) {
  at::Tensor padded = at::full({static_cast<int64_t>(rows.size()), length}, fill, at::kLong);
  for (size_t r = 0; r < rows.size(); ++r) {
    std::copy(rows[r].begin(),
              rows[r].end(),
              padded.mutable_data_ptr<int64_t>() + static_cast<int64_t>(r) * length);
  }
  return padded;
}

/// Each id's label is the id after it; the last has none.
Rows next_tokens(const Rows& ids, int64_t ignore_index) {
  Rows labels = ids;
  for (auto& row : labels) {
    std::rotate(row.begin(), row.begin() + 1, row.end());
    row.back() = ignore_index;
  }
  return labels;
}

/// Throws Error(kData) unless the rows of a file are as long as those of the ids.
void check_aligned(const Rows& rows, const Rows& ids, const std::string& path, const char* what) {
  check(rows.size() == ids.size(),
        ErrorCode::kData,
        path,
        ": ",
        rows.size(),
        " rows of ",
        what,
        " for ",
        ids.size(),
        " rows of ids");
  for (size_t r = 0; r < ids.size(); ++r) {
    check(rows[r].size() == ids[r].size(),
          ErrorCode::kData,
          path,
          ": row ",
          r,
          " has ",
          rows[r].size(),
          " ",
          what,
          " for ",
          ids[r].size(),
          " ids");
  }
}

/// Positions from 0 in each document.
Rows positions_in(const Rows& documents) {
  Rows positions;
  for (const auto& row : documents) {
    auto& of_row = positions.emplace_back(row.size(), 0);
    for (size_t t = 1; t < row.size(); ++t) of_row[t] = row[t] == row[t - 1] ? of_row[t - 1] + 1 : 0;
  }
  return positions;
}

/// Throws Error(kData) naming file and row unless each id is below `vocab_size`; `ignored` passes.
void check_rows(const Rows& rows, int64_t vocab_size, int64_t ignored, const std::string& path) {
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t t = 0; t < rows[r].size(); ++t) {
      const int64_t id = rows[r][t];
      check(id == ignored || (id >= 0 && id < vocab_size),
            ErrorCode::kData,
            path,
            ": row ",
            r,
            ", position ",
            t,
            ": ",
            id,
            " is outside the model's vocabulary of ",
            vocab_size);
    }
  }
}

/// Labels of positions as the task wants them when the case gives none.
Rows labels_of(
    const ForwardCase& request, arch::Task task, const Rows& ids, int64_t vocab_size, int64_t ignore_index) {
  if (request.labels.empty()) return task == arch::Task::kMaskedToken ? ids : next_tokens(ids, ignore_index);
  Rows labels = read_rows(request.labels);
  check_aligned(labels, ids, request.labels, "labels");
  check_rows(labels, vocab_size, ignore_index, request.labels);
  return labels;
}

/// [rows, 1] int64: the class of each row; or [rows, labels] float32: its numbers or several labels.
at::Tensor labels_of_rows(const ForwardCase& request,
                          const arch::ClassifierConfig& classifier,
                          size_t num_rows) {
  const auto rows = read_numbers(request.labels);
  check(rows.size() == num_rows,
        ErrorCode::kData,
        request.labels,
        ": ",
        rows.size(),
        " rows of labels for ",
        num_rows,
        " rows of ids");
  const auto by_form = rows.front().size() == 1 ? arch::LabelKind::kClass : arch::LabelKind::kSeveral;
  const bool is_class = classifier.label_kind.value_or(by_form) == arch::LabelKind::kClass;
  for (const auto& row : rows) {
    const auto is_label = [&](double label) {
      return !is_class ||
             (label == std::floor(label) && label >= 0 && label < static_cast<double>(classifier.num_labels));
    };
    check(row.size() == (is_class ? 1 : static_cast<size_t>(classifier.num_labels)) &&
              std::ranges::all_of(row, is_label),
          ErrorCode::kData,
          request.labels,
          ": expected ",
          is_class ? detail::join("one label a row, from 0 to ", classifier.num_labels - 1)
                   : detail::join("rows of num_labels = ", classifier.num_labels, " numbers"));
  }
  std::vector<double> flat;
  for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
  return at::tensor(flat, at::kDouble)
      .view({static_cast<int64_t>(rows.size()), -1})
      .to(is_class ? at::kLong : at::kFloat);
}

nn::MicroBatch make_batch(const ForwardCase& request, const Rows& ids, const arch::DecoderConfig& config) {
  check_rows(ids, config.vocab_size, /*ignored=*/0, request.ids);
  nn::MicroBatch batch;
  std::vector<int64_t> lengths;
  for (const auto& row : ids) lengths.push_back(static_cast<int64_t>(row.size()));
  const int64_t length = std::ranges::max(lengths);
  batch.input_ids_BT = pad(ids, length, 0);
  if (!request.token_types.empty()) {
    const Rows types = read_rows(request.token_types);
    check_aligned(types, ids, request.token_types, "token types");
    check(
        config.embedding.num_token_types > 0, ErrorCode::kUnsupported, request.model, ": has no token types");
    batch.token_types_BT = pad(types, length, 0);
    ops::check_token_ids(batch.token_types_BT, config.embedding.num_token_types);
  }
  if (arch::predicts_tokens(config)) {
    batch.labels_BT = pad(labels_of(request, config.task, ids, config.vocab_size, batch.ignore_index),
                          length,
                          batch.ignore_index);
  } else if (!request.labels.empty()) {
    check(config.task == arch::Task::kClassification,
          ErrorCode::kUnsupported,
          request.labels,
          ": an embedding has no loss, and so no labels");
    batch.labels_BT = labels_of_rows(request, config.classifier, ids.size());
  }
  const bool ragged = std::ranges::min(lengths) < length;
  if (ragged) batch.tokens.lengths_B = at::tensor(lengths);
  if (ragged && !arch::is_causal(config)) {
    Rows whole;
    for (const int64_t tokens : lengths) whole.emplace_back(static_cast<size_t>(tokens), 0);
    batch.tokens.documents_BT = pad(whole, length, -1).to(at::kInt);
  }
  if (!request.documents.empty()) {
    const Rows documents = read_rows(request.documents);
    check_aligned(documents, ids, request.documents, "documents");
    batch.tokens.documents_BT = pad(documents, length, -1).to(at::kInt);
    batch.tokens.positions_BT = pad(positions_in(documents), length, 0);
  }
  batch.want_logits = true;
  if (!batch.labels_BT.defined()) return batch;
  const int64_t num_labels = batch.labels_BT.is_floating_point()
                                 ? batch.labels_BT.numel()
                                 : batch.labels_BT.ne(batch.ignore_index).sum().item<int64_t>();
  if (num_labels == 0) log::warning(request.ids, ": no label at all; the loss is 0");
  batch.loss_scale = 1.0 / static_cast<double>(std::max<int64_t>(num_labels, 1));
  return batch;
}

config::Recipe recipe_of(const ForwardCase& request) {
  config::Recipe recipe;
  recipe.model.path = families::find_model_folder(request.model).string();
  recipe.model.ignore_config_keys = request.ignore_config_keys;
  recipe.model.torch_dtype =
      train::compute_dtype_of(request.dtype, recipe.model.path, request.ignore_config_keys);
  return recipe;
}

arch::TaskRequest task_of(const ForwardCase& request) {
  constexpr std::array kTasks = {std::pair{"classification", arch::Task::kClassification},
                                 std::pair{"embedding", arch::Task::kEmbedding}};
  constexpr std::array kPoolings = {std::pair{"first", arch::Pooling::kFirst},
                                    std::pair{"last", arch::Pooling::kLast},
                                    std::pair{"mean", arch::Pooling::kMean}};
  arch::TaskRequest task;
  task.bidirectional = request.bidirectional;
  for (const auto& [name, value] : kTasks) {
    if (request.task == name) task.task = value;
  }
  for (const auto& [name, value] : kPoolings) {
    if (request.pooling == name) task.pooling = value;
  }
  check(request.task.empty() || task.task,
        ErrorCode::kUsage,
        "task \"",
        request.task,
        "\": expected classification or embedding");
  check(request.pooling.empty() || task.pooling,
        ErrorCode::kUsage,
        "pooling \"",
        request.pooling,
        "\": expected first, last or mean");
  return task;
}

/// Logits and vectors of a result as files hold them: float32, zeros after a row's end.
void add_outputs(const nn::State& result, const Rows& ids, Outputs& outputs) {
  for (const auto& [name, value] : result.fields()) {
    if (name == nn::kHidden) continue;
    at::Tensor tensor = value.to(at::kCPU, at::kFloat).contiguous();
    for (int64_t r = 0; name == nn::kLogits && tensor.dim() == 3 && r < tensor.size(0); ++r) {
      const auto end = static_cast<int64_t>(ids[static_cast<size_t>(r)].size());
      tensor[r].narrow(0, end, tensor.size(1) - end).zero_();
    }
    outputs.emplace_back(name, tensor);
  }
}

/// "grad." and the name of each trainable tensor of the checkpoint, then of the adapters.
void add_gradients(const models::Decoder& decoder, std::vector<io::TensorToWrite>& tensors) {
  for (const weights::SegmentWeights& segment : decoder.weights) {
    for (const weights::ParameterSpec& spec : segment.weights) {
      const tensor::Weight weight = decoder.find(spec.name);
      if (!weight.unit->trainable()) continue;
      for (weights::FileTensor file : spec.files) {
        file.name = "grad." + file.name;
        tensors.push_back(checkpoint::to_write(file, weight.unit->grad(weight.first)));
      }
    }
  }
  for (const auto& unit : decoder.adapter_units) {
    for (size_t i = 0; i < unit->parameters().size(); ++i)
      tensors.push_back(checkpoint::to_write("grad." + unit->parameters()[i].name, unit->grad(i)));
  }
}

/// Of the longest text.
int64_t num_positions(const nn::MicroBatch& batch, const arch::EmbeddingConfig& embedding) {
  if (batch.tokens.positions_BT.defined()) return batch.tokens.positions_BT.max().item<int64_t>() + 1;
  if (!embedding.positions_skip_padding) return batch.input_ids_BT.size(1);
  return batch.input_ids_BT.ne(embedding.pad_token_id.value_or(-1)).sum(1).max().item<int64_t>();
}

void forward_one(const ForwardCase& request) {
  check(
      request.adapter.empty() || (request.task.empty() && request.pooling.empty() && !request.bidirectional),
      ErrorCode::kUnsupported,
      "an adapter is applied to a causal language model only; leave out task, pooling and bidirectional");
  const train::LoadedModel model =
      request.adapter.empty() ? train::load_model(recipe_of(request), task_of(request))
                              : train::load_model(recipe_of(request), peft::read_adapter(request.adapter));
  const models::Decoder& decoder = model.decoder;
  check(request.pooling.empty() || !arch::predicts_tokens(decoder.config),
        ErrorCode::kUsage,
        "pooling \"",
        request.pooling,
        "\": ",
        decoder.config.architecture,
        " predicts tokens and pools none; add --task embedding for vectors");
  const Rows ids = read_rows(request.ids);
  nn::MicroBatch batch = make_batch(request, ids, decoder.config);
  check(!request.grads || batch.labels_BT.defined(),
        ErrorCode::kUsage,
        request.model,
        ": gradients need a loss, and the loss labels");
  arch::check_positions(decoder.config, num_positions(batch, decoder.config.embedding));
  train::upload(batch, models::device_of(decoder));
  engine::Executor executor(decoder.segment_pointers(), decoder.unit_pointers(), {});
  const nn::State result =
      request.grads ? executor.train({batch}).front() : executor.evaluate({batch}).front();

  Outputs outputs;
  add_outputs(result, ids, outputs);
  std::vector<io::TensorToWrite> tensors;
  std::string told;
  for (const auto& [name, value] : outputs) {
    tensors.push_back({name, DType::kFloat32, value.sizes().vec(), value.const_data_ptr()});
    told += name == nn::kLoss ? detail::join(", loss ", value.item<float>())
                              : detail::join(", ", name, " ", value.sizes());
  }
  if (request.grads) add_gradients(decoder, tensors);
  io::write_safetensors(request.output, tensors);
  log::info(request.output, ": ", told.substr(2), request.grads ? ", gradients" : "");
}

}  // namespace

void forward(const std::vector<ForwardCase>& cases) {
  for (const ForwardCase& request : cases) {
    try {
      forward_one(request);
    } catch (Error& error) {
      if (request.refused.empty()) throw error.add_context("computing " + request.output);
      write_file_atomically(request.refused, error.message());
    }
  }
}

}  // namespace automodel::recipes
