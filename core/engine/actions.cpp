#include "core/engine/actions.h"

#include <algorithm>

#include "core/base/error.h"

namespace automodel::engine {
namespace {

/// Adds one direction of one micro-batch. `order` lists the segments as they run.
class Pass {
 public:
  Pass(const Schedule& schedule, const std::vector<int>& order, int micro_batch)
      : schedule_(schedule), order_(order), micro_batch_(micro_batch) {}

  void append(ActionKind kind, bool reduce, std::vector<Action>& actions) const {
    for (size_t at = 0; at < order_.size(); ++at) {
      const auto& units = schedule_.units_of_segment[static_cast<size_t>(order_[at])];
      for (const int unit : units) {
        if (!uses_unit(0, at, unit)) actions.push_back({ActionKind::kGather, micro_batch_, -1, unit});
      }
      actions.push_back({kind, micro_batch_, order_[at], -1});
      if (kind == ActionKind::kBackward && schedule_.defer_weight_grads) {
        actions.push_back({ActionKind::kWeightGrads, micro_batch_, order_[at], -1});
      }
      for (const int unit : units) {
        if (uses_unit(at + 1, order_.size(), unit)) continue;
        if (reduce) actions.push_back({ActionKind::kReduce, micro_batch_, -1, unit});
        actions.push_back({ActionKind::kRelease, micro_batch_, -1, unit});
      }
    }
  }

 private:
  /// Whether one of the segments at places [begin, end) of the order reads the unit.
  bool uses_unit(size_t begin, size_t end, int unit) const {
    return std::any_of(order_.begin() + static_cast<std::ptrdiff_t>(begin),
                       order_.begin() + static_cast<std::ptrdiff_t>(end),
                       [&](int segment) {
                         const auto& units = schedule_.units_of_segment[static_cast<size_t>(segment)];
                         return std::find(units.begin(), units.end(), unit) != units.end();
                       });
  }

  const Schedule& schedule_;
  const std::vector<int>& order_;
  int micro_batch_;
};

}  // namespace

std::string to_string(const Action& action) {
  const auto with = [&](const char* name, int index) {
    return detail::join(name, index, "@", action.micro_batch);
  };
  switch (action.kind) {
    case ActionKind::kGather:
      return with("gather ", action.unit);
    case ActionKind::kForward:
      return with("F", action.segment);
    case ActionKind::kBackward:
      return with("B", action.segment);
    case ActionKind::kWeightGrads:
      return with("W", action.segment);
    case ActionKind::kReduce:
      return with("reduce ", action.unit);
    case ActionKind::kRelease:
      return with("release ", action.unit);
  }
  fail(ErrorCode::kInternal, "action ", static_cast<int>(action.kind));
}

std::vector<Action> plan_actions(const Schedule& schedule) {
  std::vector<int> forward_order(schedule.units_of_segment.size());
  for (size_t i = 0; i < forward_order.size(); ++i) forward_order[i] = static_cast<int>(i);
  const std::vector<int> backward_order(forward_order.rbegin(), forward_order.rend());

  std::vector<Action> actions;
  for (int micro_batch = 0; micro_batch < schedule.num_micro_batches; ++micro_batch) {
    Pass(schedule, forward_order, micro_batch).append(ActionKind::kForward, false, actions);
    if (!schedule.train) continue;
    const bool last = micro_batch + 1 == schedule.num_micro_batches;
    Pass(schedule, backward_order, micro_batch).append(ActionKind::kBackward, last, actions);
  }
  return actions;
}

}  // namespace automodel::engine
