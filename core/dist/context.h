#pragma once

#include <array>
#include <memory>

#include "core/dist/communicator.h"
#include "core/dist/mesh.h"

namespace automodel::dist {

/// What a rank knows of its place and its surroundings; made once where a recipe begins and handed down, so
/// that nothing asks the process. Shared read-only; communicators belong to the rank's thread.
struct Context {
  Mesh mesh;
  /// By axis, among the ranks that differ in that axis only; null along an axis of size 1.
  std::array<std::shared_ptr<Communicator>, kNumAxes> communicators{};
  at::Device device = at::kCPU;  ///< where this rank computes
  bool deterministic = false;    ///< bitwise equal results where that costs speed

  /// Null: no other rank.
  Communicator* along(Axis axis) const { return communicators[static_cast<size_t>(axis)].get(); }
};

}  // namespace automodel::dist
