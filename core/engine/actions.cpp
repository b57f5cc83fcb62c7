#include "core/engine/actions.h"

#include <algorithm>
#include <numeric>

#include "core/base/error.h"

namespace automodel::engine {
namespace {

/// Appends passes of micro-batches over the segments of a stage.
class Planner {
 public:
  explicit Planner(const Schedule& schedule)
      : schedule_(schedule),
        order_(schedule.units_of_segment.size()),
        last_(static_cast<int>(order_.size()) - 1) {
    std::iota(order_.begin(), order_.end(), 0);
  }

  void forward(int micro_batch) {
    if (!is_first_stage()) add(ActionKind::kReceive, micro_batch, 0, schedule_.stage - 1);
    pass(ActionKind::kForward, micro_batch, /*reduce=*/false);
    if (!is_last_stage()) add(ActionKind::kSend, micro_batch, last_, schedule_.stage + 1);
  }

  void backward(int micro_batch) {
    if (!is_last_stage()) add(ActionKind::kReceiveGrads, micro_batch, last_, schedule_.stage + 1);
    std::ranges::reverse(order_);
    pass(ActionKind::kBackward, micro_batch, /*reduce=*/micro_batch + 1 == schedule_.num_micro_batches);
    std::ranges::reverse(order_);
    if (!is_first_stage()) add(ActionKind::kSendGrads, micro_batch, 0, schedule_.stage - 1);
  }

  std::vector<Action> take() { return std::move(actions_); }

 private:
  bool is_first_stage() const { return schedule_.stage == 0; }

  bool is_last_stage() const { return schedule_.stage + 1 == schedule_.num_stages; }

  void add(ActionKind kind, int micro_batch, int segment, int peer = -1) {
    actions_.push_back({kind, micro_batch, segment, -1, peer});
  }

  void add_unit(ActionKind kind, int micro_batch, int unit) {
    actions_.push_back({kind, micro_batch, -1, unit, -1});
  }

  void pass(ActionKind kind, int micro_batch, bool reduce) {
    size_t prefetched = 0;  // places of the order whose units are gathered already or on their way
    for (size_t at = 0; at < order_.size(); ++at) {
      const int segment = order_[at];
      for (const int unit : units_at(at)) {
        if (!uses_unit(0, at, unit)) add_unit(ActionKind::kGather, micro_batch, unit);
      }
      const size_t ahead = std::min(order_.size(), at + 1 + static_cast<size_t>(schedule_.prefetch_depth));
      for (prefetched = std::max(prefetched, at + 1); prefetched < ahead; ++prefetched) {
        for (const int unit : units_at(prefetched)) {
          if (!uses_unit(0, prefetched, unit)) add_unit(ActionKind::kPrefetch, micro_batch, unit);
        }
      }
      add(kind, micro_batch, segment);
      const bool is_head = is_last_stage() && segment == last_;
      if (kind == ActionKind::kBackward && schedule_.defer_weight_grads && !is_head)
        add(ActionKind::kWeightGrads, micro_batch, segment);
      for (const int unit : units_at(at)) {
        if (uses_unit(at + 1, order_.size(), unit)) continue;
        if (reduce) add_unit(ActionKind::kReduce, micro_batch, unit);
        add_unit(ActionKind::kRelease, micro_batch, unit);
      }
    }
  }

  const std::vector<int>& units_at(size_t place) const {
    return schedule_.units_of_segment[static_cast<size_t>(order_[place])];
  }

  /// Whether one of the segments at places [begin, end) of the order reads the unit.
  bool uses_unit(size_t begin, size_t end, int unit) const {
    for (size_t place = begin; place < end; ++place) {
      if (std::ranges::find(units_at(place), unit) != units_at(place).end()) return true;
    }
    return false;
  }

  const Schedule& schedule_;
  std::vector<int> order_;  ///< segments as the pass visits them
  int last_;
  std::vector<Action> actions_;
};

}  // namespace

std::string to_string(const Action& action) {
  const auto with = [&](const char* name, int index) {
    return detail::join(name, index, "@", action.micro_batch);
  };
  switch (action.kind) {
    case ActionKind::kPrefetch:
      return with("prefetch ", action.unit);
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
    case ActionKind::kSend:
      return detail::join(with("send ", action.segment), " to ", action.peer);
    case ActionKind::kReceive:
      return detail::join(with("receive ", action.segment), " from ", action.peer);
    case ActionKind::kSendGrads:
      return detail::join(with("send grads ", action.segment), " to ", action.peer);
    case ActionKind::kReceiveGrads:
      return detail::join(with("receive grads ", action.segment), " from ", action.peer);
  }
  fail(ErrorCode::kInternal, "action ", static_cast<int>(action.kind));
}

std::vector<Action> plan_actions(const Schedule& schedule) {
  const int count = schedule.num_micro_batches;
  Planner planner(schedule);
  if (!schedule.train) {
    for (int m = 0; m < count; ++m) planner.forward(m);
    return planner.take();
  }
  const int warm_up = std::min(count, schedule.num_stages - schedule.stage - 1);
  for (int m = 0; m < warm_up; ++m) planner.forward(m);
  for (int m = warm_up; m < count; ++m) {
    planner.forward(m);
    planner.backward(m - warm_up);
  }
  for (int m = count - warm_up; m < count; ++m) planner.backward(m);
  return planner.take();
}

}  // namespace automodel::engine
