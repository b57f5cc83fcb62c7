#pragma once

#include "core/config/recipe/recipe.h"
#include "core/store/run_recorder.h"

namespace automodel::recipes {

/// Fine-tunes or pretrains a language model (the reference's TrainFinetuneRecipeForNextTokenPrediction),
/// resuming from the checkpoint folder when it holds one. Tells `run` of every record and checkpoint. Returns
/// 0, or 128 + n after a checkpoint was saved on signal n.
int finetune(const config::Recipe& recipe, store::RunRecorder& run);

}  // namespace automodel::recipes
