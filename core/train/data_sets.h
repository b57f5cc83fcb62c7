#pragma once

#include <memory>
#include <vector>

#include "core/checkpoint/inputs.h"
#include "core/checkpoint/model_files.h"
#include "core/config/recipe/recipe.h"
#include "core/data/loader.h"
#include "core/tokenizer/tokenizer.h"
#include "core/train/training.h"
#include "core/train/validation.h"

namespace automodel::train {

/// The data of a run: its tokenizer, its training rows and its validation sets.
struct DataSets {
  std::unique_ptr<tokenizer::Tokenizer> tokenizer;  ///< null: rows are ids already and the model has none
  std::unique_ptr<data::Loader> training;
  std::vector<ValidationSet> validation;
  checkpoint::FutureInputs inputs;  ///< what decides the order of rows; with checkpoints only
};

/// Opens them; the mesh of the training says which rows this rank reads. Warns when checkpoints will have no
/// tokenizer. Throws Error(kData, kConfig, kIo) that names the section at fault.
DataSets open_data_sets(const Training& training);

/// What checkpoints keep beside the weights: config, tokenizer, chat template.
checkpoint::ModelSource source_of(const Training& training, const DataSets& data);

}  // namespace automodel::train
