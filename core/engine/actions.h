#pragma once

#include <string>
#include <vector>

namespace automodel::engine {

enum class ActionKind {
  kPrefetch,      ///< begin to gather a unit's weights, which a later gather waits for
  kGather,        ///< make a unit's weights readable
  kForward,       ///< run a segment
  kBackward,      ///< its gradients; also runs it again when its activations were dropped
  kWeightGrads,   ///< run weight gradients that were put off
  kReduce,        ///< a unit's gradients are complete for this step: sum them over ranks
  kRelease,       ///< a unit's weights are not needed until the next gather
  kSend,          ///< the fields after a segment go to the rank that runs the next one
  kReceive,       ///< the fields before a segment come from the rank that ran the one before it
  kSendGrads,     ///< the gradients of the fields before a segment go back
  kReceiveGrads,  ///< the gradients of the fields after a segment come back
};

/// One thing to do. Of `segment`, `unit` and `peer` those count that the kind speaks of; others are -1.
struct Action {
  ActionKind kind;
  int micro_batch = 0;
  int segment = -1;
  int unit = -1;
  int peer = -1;  ///< stage of the pipeline that a send goes to or a receive comes from

  bool operator==(const Action&) const = default;
};

/// "F3@0", "gather 2@1", "send 3@0 to 1": for tests and logs.
std::string to_string(const Action& action);

/// What the list depends on.
struct Schedule {
  std::vector<std::vector<int>> units_of_segment;  ///< by segment of this stage, the units it reads
  int num_micro_batches = 1;
  bool train = true;                ///< false: forward only
  bool defer_weight_grads = false;  ///< put weight gradients after each backward instead of inside it
  int stage = 0;                    ///< place in the pipeline
  int num_stages = 1;
  int prefetch_depth = 0;  ///< segments ahead whose weights begin to be gathered
};

/// The list for one stage. Micro-batches run in ascending order, one forward and one backward in turn (1F1B,
/// Narayanan et al. 2019, arXiv:1806.03377) after num_stages - stage - 1 forwards; with one stage, each
/// micro-batch's forwards and then its backwards. In each pass over the segments a unit is gathered before
/// its first user and released after its last; it is reduced once, after its last user in the backward of the
/// last micro-batch. The last segment of the model forms its weight gradients at once. Deterministic: the
/// order of collectives is the same on every rank of a stage.
std::vector<Action> plan_actions(const Schedule& schedule);

}  // namespace automodel::engine
