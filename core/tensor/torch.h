#pragma once

// What every source of the engine sees of LibTorch, and the precompiled header of the engine's targets.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include "core/base/error.h"
