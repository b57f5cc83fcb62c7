#include "core/config/recipe/sections.h"

namespace automodel::config {
namespace {

Section declare() {
  using C = LrSchedulerConfig;
  SectionOf<C> s("lr_scheduler", "The learning rate over the run. Without the section it is constant.");
  s.field("lr_decay_style", &C::lr_decay_style)
      .choices({"cosine", "linear", "constant", "inverse-square-root", "WSD"})
      .default_text("cosine")
      .doc("shape after the warm-up");
  s.field("lr_warmup_steps", &C::lr_warmup_steps)
      .doc("linear warm-up from init_lr; null: a tenth of the run, at most 1000")
      .unit("steps")
      .min(0);
  s.field("lr_decay_steps", &C::lr_decay_steps)
      .doc("where min_lr is reached; null: the run's end")
      .unit("steps")
      .min(1);
  s.field("init_lr", &C::init_lr)
      .doc("first learning rate of the warm-up; null: a tenth of optimizer.lr")
      .min(0);
  s.field("max_lr", &C::max_lr).doc("learning rate after the warm-up; null: optimizer.lr").min(0);
  s.field("min_lr", &C::min_lr).doc("last learning rate; null: a hundredth of optimizer.lr").min(0);
  s.field("wsd_decay_steps", &C::wsd_decay_steps).doc("length of WSD's last phase").unit("steps").min(1);
  s.field("lr_wsd_decay_style", &C::lr_wsd_decay_style)
      .choices({"linear", "cosine", "exponential", "minus_sqrt"})
      .default_text("exponential")
      .doc("shape of WSD's last phase");
  s.field("start_wd", &C::start_wd).doc("first weight decay; null: optimizer.weight_decay").min(0);
  s.field("end_wd", &C::end_wd).doc("last weight decay; null: optimizer.weight_decay").min(0);
  s.field("wd_incr_steps", &C::wd_incr_steps)
      .doc("steps from start_wd to end_wd; null: the run")
      .unit("steps")
      .min(1);
  s.field("wd_incr_style", &C::wd_incr_style)
      .choices({"constant", "linear", "cosine"})
      .default_text("constant")
      .doc("weight decay over the run");
  s.field("use_checkpoint_opt_param_scheduler", &C::use_checkpoint_opt_param_scheduler)
      .default_text("true")
      .doc(
          "a resumed run takes the schedule's numbers from the checkpoint, whatever the recipe says; false (without override_opt_param_scheduler): they must be the same");
  s.field("override_opt_param_scheduler", &C::override_opt_param_scheduler)
      .doc("a resumed run takes the schedule's numbers from the recipe");
  return s.take();
}

}  // namespace

const Section& lr_scheduler_section() {
  static const Section kSection = declare();
  return kSection;
}

}  // namespace automodel::config
