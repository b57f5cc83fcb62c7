#pragma once

#include "core/config/recipe.h"

namespace automodel::recipes {

/// Fine-tunes or pretrains a language model (the reference's TrainFinetuneRecipeForNextTokenPrediction),
/// resuming from the checkpoint folder when it holds one. Returns 0, or 128 + n after a checkpoint was saved
/// on signal n.
int finetune(const config::Recipe& recipe);

}  // namespace automodel::recipes
