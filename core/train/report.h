#pragma once

#include "core/config/recipe/recipe.h"
#include "core/train/step_schedule.h"
#include "core/train/training.h"

namespace automodel::train {

/// Logs the model's class, types, device, attention, parameters and their L2 norm, in the reference's words.
void print_model(const Training& training);

/// Logs how many steps a run has and when it validates and saves.
void print_schedule(const StepSchedule& schedule, const config::StepSchedulerConfig& config);

}  // namespace automodel::train
