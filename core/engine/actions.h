#pragma once

#include <string>
#include <vector>

namespace automodel::engine {

enum class ActionKind {
  kGather,       ///< make a unit's weights readable
  kForward,      ///< run a segment
  kBackward,     ///< its gradients; also runs it again when its activations were dropped
  kWeightGrads,  ///< run weight gradients that were put off
  kReduce,       ///< a unit's gradients are complete for this step: sum them over ranks
  kRelease,      ///< a unit's weights are not needed until the next gather
};

/// One thing to do. `segment` counts for forward and backward, `unit` for gather, reduce and release.
struct Action {
  ActionKind kind;
  int micro_batch = 0;
  int segment = -1;
  int unit = -1;

  bool operator==(const Action&) const = default;
};

/// "F3@0", "gather 2@1": for tests and logs.
std::string to_string(const Action& action);

/// What the list depends on.
struct Schedule {
  std::vector<std::vector<int>> units_of_segment;  ///< by segment, the units it reads
  int num_micro_batches = 1;
  bool train = true;                ///< false: forward only
  bool defer_weight_grads = false;  ///< put weight gradients after each backward instead of inside it
};

/// The list for one device: for each micro-batch, all forwards, then all backwards in reverse. A unit is
/// gathered before its first user and released after its last, in each direction; it is reduced once, in the
/// last micro-batch, after its last user in backward order. Deterministic: the order of collectives is the
/// same on every rank.
std::vector<Action> plan_actions(const Schedule& schedule);

}  // namespace automodel::engine
