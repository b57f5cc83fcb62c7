// `automodel model forward`: logits, loss and gradients of a checkpoint on given ids, for parity proofs.
#include "core/recipes/forward.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/checkpoint/tensor_to_write.h"
#include "core/engine/walk.h"
#include "core/io/safetensors.h"
#include "core/ops/embedding.h"
#include "core/recipes/model_setup.h"
#include "core/tensor/readback.h"

namespace automodel::recipes {
namespace {

using Rows = std::vector<std::vector<int64_t>>;

Rows read_rows(const std::string& path) {
  try {
    Rows rows = nlohmann::json::parse(read_file(path)).get<Rows>();
    check(!rows.empty(), ErrorCode::kData, path, ": the list is empty");
    for (const auto& row : rows) check(!row.empty(), ErrorCode::kData, path, ": a row is empty");
    return rows;
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kData, path, ": expected a JSON list of lists of token ids: ", error.what());
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

nn::MicroBatch make_batch(const ForwardCase& request) {
  nn::MicroBatch batch;
  const Rows ids = read_rows(request.ids);
  const Rows labels =
      request.labels.empty() ? next_tokens(ids, batch.ignore_index) : read_rows(request.labels);
  check_aligned(labels, ids, request.labels, "labels");
  int64_t length = 0;
  for (const auto& row : ids) length = std::max(length, static_cast<int64_t>(row.size()));
  batch.input_ids_BT = pad(ids, length, 0);
  batch.labels_BT = pad(labels, length, batch.ignore_index);
  if (!request.documents.empty()) {
    const Rows documents = read_rows(request.documents);
    check_aligned(documents, ids, request.documents, "documents");
    batch.tokens.documents_BT = pad(documents, length, -1).to(at::kInt);
    batch.tokens.positions_BT = pad(positions_in(documents), length, 0);
  }
  const int64_t num_labels = batch.labels_BT.ne(batch.ignore_index).sum().item<int64_t>();
  if (num_labels == 0) log::warning(request.ids, ": no label at all; the loss is 0");
  batch.loss_scale = 1.0 / static_cast<double>(std::max<int64_t>(num_labels, 1));
  batch.want_logits = true;
  return batch;
}

config::Recipe recipe_of(const ForwardCase& request) {
  config::Recipe recipe;
  recipe.model.path = request.model;
  recipe.model.torch_dtype = request.dtype;
  return recipe;
}

/// "grad." and the name of each trainable tensor of the checkpoint, then of the adapters.
void add_gradients(const models::Decoder& decoder, std::vector<io::TensorToWrite>& tensors) {
  for (const models::SegmentWeights& segment : decoder.weights) {
    for (const models::WeightSpec& spec : segment.weights) {
      const tensor::Weight weight = decoder.find(spec.name);
      if (!weight.unit->trainable()) continue;
      for (models::FileTensor file : spec.files) {
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

void forward_one(const ForwardCase& request) {
  const LoadedModel model = request.adapter.empty()
                                ? load_model(recipe_of(request))
                                : load_model(recipe_of(request), peft::read_adapter(request.adapter));
  const models::Decoder& decoder = model.decoder;
  nn::MicroBatch batch = make_batch(request);
  ops::check_token_ids(batch.input_ids_BT, decoder.config.vocab_size);
  const at::Device device = decoder.units.front()->options().device;
  batch.input_ids_BT = tensor::upload(batch.input_ids_BT, device);
  if (batch.tokens.documents_BT.defined()) {
    batch.tokens.documents_BT = tensor::upload(batch.tokens.documents_BT, device);
    batch.tokens.positions_BT = tensor::upload(batch.tokens.positions_BT, device);
  }
  engine::Walk walk(decoder.segment_pointers(), decoder.unit_pointers(), {});
  const nn::State result = request.grads ? walk.train({batch}).front() : walk.evaluate({batch}).front();

  // Positions after a row's end hold zeros.
  at::Tensor logits = result.at(nn::kLogits).to(at::kCPU, at::kFloat).contiguous();
  const Rows ids = read_rows(request.ids);
  for (int64_t r = 0; r < logits.size(0); ++r) {
    const auto end = static_cast<int64_t>(ids[static_cast<size_t>(r)].size());
    logits[r].narrow(0, end, logits.size(1) - end).zero_();
  }
  const at::Tensor loss = result.at(nn::kLoss).to(at::kCPU, at::kFloat).contiguous();
  std::vector<io::TensorToWrite> tensors = {
      {"logits", DType::kFloat32, logits.sizes().vec(), logits.const_data_ptr()},
      {"loss", DType::kFloat32, {}, loss.const_data_ptr()}};
  std::vector<at::Tensor> others;  // the auxiliary loss, the experts' loads
  for (const auto& [name, value] : result.fields()) {
    if (name == nn::kLogits || name == nn::kLoss || name == nn::kHidden) continue;
    others.push_back(value.to(at::kCPU, at::kFloat).contiguous());
    tensors.push_back({name, DType::kFloat32, others.back().sizes().vec(), others.back().const_data_ptr()});
  }
  if (request.grads) {
    add_gradients(decoder, tensors);
  }
  io::write_safetensors(request.output, tensors);
  log::info(request.output,
            ": logits ",
            logits.sizes(),
            ", loss ",
            loss.item<float>(),
            request.grads ? ", gradients" : "");
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
