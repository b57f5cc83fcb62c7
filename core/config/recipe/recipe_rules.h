#pragma once

#include "core/config/recipe/sections.h"
#include "core/config/schema/section_walk.h"
#include "core/config/text/node.h"

namespace automodel::config {

/// Joins the parts of a draft into draft.recipe, and refuses what contradicts itself across sections.
void finish_recipe(RecipeDraft& draft, const Node& root, SectionWalk& walk);

}  // namespace automodel::config
