#include <array>
#include <csignal>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/recipe/sections.h"

namespace automodel::config {
namespace {

struct SignalName {
  const char* name;
  int number;
};

constexpr std::array kSignals = {SignalName{"SIGTERM", SIGTERM},
                                 SignalName{"SIGINT", SIGINT},
                                 SignalName{"SIGUSR1", SIGUSR1},
                                 SignalName{"SIGUSR2", SIGUSR2},
                                 SignalName{"SIGHUP", SIGHUP},
                                 SignalName{"SIGQUIT", SIGQUIT},
                                 SignalName{"SIGALRM", SIGALRM},
                                 SignalName{"SIGXCPU", SIGXCPU},
                                 SignalName{"SIGCONT", SIGCONT}};

int signal_number(const Node& node) {
  if (node.kind == Node::Kind::kInt) {
    const bool can_be_caught =
        node.integer > 0 && node.integer < 65 && node.integer != SIGKILL && node.integer != SIGSTOP;
    check(can_be_caught, ErrorCode::kConfig, node.integer, " is not a signal that a program can catch");
    return static_cast<int>(node.integer);
  }
  std::string name = read_as<std::string>(node);
  if (name.starts_with("signal.")) name.erase(0, 7);
  std::vector<std::string> known;
  for (const SignalName& signal : kSignals) {
    if (name == signal.name) return signal.number;
    known.emplace_back(signal.name);
  }
  fail(ErrorCode::kConfig, "\"", name, "\" is not a signal; expected a number or one of ", join(known, ", "));
}

void read_signals(const Node& value, StepSchedulerConfig& config) {
  config.preemption_signals.clear();
  if (value.is_null()) return;
  if (!value.is_list()) {
    config.preemption_signals.push_back(signal_number(value));
    return;
  }
  for (const Node& item : value.items) config.preemption_signals.push_back(signal_number(item));
}

Section declare() {
  using C = StepSchedulerConfig;
  SectionOf<C> s("step_scheduler", "Batch sizes, length of the run, when to validate and to save.");
  s.field("global_batch_size", &C::global_batch_size)
      .doc("rows of one optimizer step over all ranks; a multiple of local_batch_size")
      .unit("rows")
      .min(1);
  s.field("local_batch_size", &C::local_batch_size)
      .doc("rows of one micro-batch on one rank")
      .unit("rows")
      .min(1);
  s.field("num_epochs", &C::num_epochs)
      .doc("passes over the data; null: as many as max_steps needs, else 10")
      .min(1);
  s.field("max_steps", &C::max_steps)
      .doc("optimizer steps; null: all steps of num_epochs; a set without an end needs it")
      .unit("steps")
      .min(1);
  s.field("ckpt_every_steps", &C::ckpt_every_steps)
      .doc("save when this many steps are done; null: once an epoch")
      .unit("steps")
      .min(1);
  s.field("save_checkpoint_every_epoch", &C::save_checkpoint_every_epoch)
      .doc("save at the end of every epoch too");
  s.field("val_every_steps", &C::val_every_steps)
      .doc("validate when this many steps are done; null: only at checkpoints")
      .unit("steps")
      .min(1);
  s.custom("preemption_signal", read_signals)
      .type("number, name, list or null")
      .default_text("SIGTERM")
      .doc("the signals that save a checkpoint and end the run with status 128 + number; null: none");
  s.inert("gc_every_steps", "steers Python's garbage collector");
  s.inert("log_remote_every_steps", "interval of remote loggers, which are not there");
  s.inert("loss_average_window_steps", "read by retrieval recipes only");
  s.accepted("start_step")
      .only({Node::of(int64_t{0})}, "starting at a later step is not implemented; a checkpoint does it");
  s.accepted("start_epoch")
      .only({Node::of(int64_t{0})}, "starting at a later epoch is not implemented; a checkpoint does it");
  return s.take();
}

}  // namespace

const Section& step_scheduler_section() {
  static const Section kSection = declare();
  return kSection;
}

}  // namespace automodel::config
