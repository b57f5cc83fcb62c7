#include <algorithm>

#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

using C = DataloaderConfig;

const Section& collate() {
  static const Section kSection = [] {
    SectionOf<C> s("dataloader.collate_fn", "How rows become a batch: padded to the longest row.");
    s.custom("_target_",
             [](const Node& value, C&) { find_target(TargetRole::kCollate, read_as<std::string>(value)); })
        .doc("the collator's function")
        .type("text");
    s.field("pad_seq_len_divisible", &C::pad_seq_len_divisible)
        .doc("pad to a multiple of this")
        .unit("tokens")
        .null_is_unset()
        .min(1);
    return s.take();
  }();
  return kSection;
}

void read_workers(const Node& value, C& config) {
  config.num_workers = std::max<int64_t>(1, read_as<int64_t>(value));
}

Section declare() {
  SectionOf<C> s("dataloader",
                 "How rows are ordered, batched and read ahead. Also as validation_dataloader.");
  s.custom("_target_",
           [](const Node& value, C&) { find_target(TargetRole::kDataloader, read_as<std::string>(value)); })
      .doc("only checked: the loader is the program's own")
      .type("text");
  const Section& below = collate();
  s.chosen(
       "collate_fn",
       {&below},
       [&below](const std::string&, const Node&, C& config) { return Below{&below, &config}; },
       [](const Node& value, C&) { find_target(TargetRole::kCollate, read_as<std::string>(value)); })
      .type("name or map")
      .default_text("nemo_automodel.components.datasets.utils.default_collater")
      .doc("the collator");
  s.field("shuffle", &C::shuffle)
      .doc("a new order of rows each epoch; null: yes, but for sets without an index");
  s.custom("num_workers", read_workers)
      .type("integer")
      .default_text("1")
      .min(0)
      .doc("threads that tokenise ahead of the step; 0 is 1");
  s.field("drop_last", &C::drop_last).doc("leave out a last micro-batch that is not full");
  s.field("batch_size", &C::batch_size)
      .doc("rows of a micro-batch; null: step_scheduler.local_batch_size")
      .unit("rows")
      .min(1);
  s.built_in("pin_memory", "batches are made in memory that the device reads directly");
  s.built_in("persistent_workers", "threads live as long as the run");
  s.built_in("prefetch_factor", "batches are made ahead of the step");
  s.accepted("group_by_length")
      .only({Node::of(false)}, "batches of rows of like length are not implemented yet");
  s.not_supported("shuffle_buffer_size", "shuffling of sets without an index is not implemented yet");
  s.accepted("dataloader_type").only({Node::of("single")}, "Megatron's cyclic loader is not implemented yet");
  return s.take();
}

}  // namespace

const Section& dataloader_section() {
  static const Section kSection = declare();
  return kSection;
}

}  // namespace automodel::config
