#include "core/base/dtype.h"
#include "core/base/error.h"
#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

using C = DistributedConfig;

std::string type_in_torch_words(const Node& value) {
  return std::string(torch_name(dtype_from_torch(read_as<std::string>(value))));
}

void read_recompute(const Node& value, C& config) {
  if (value.kind == Node::Kind::kBool) {
    config.recompute = value.boolean ? RecomputeLevel::kBlock : RecomputeLevel::kCheap;
    return;
  }
  const std::string word = read_as<std::string>(value);
  check(word == "full" || word == "selective",
        ErrorCode::kConfig,
        "expected true, false, full or selective, not \"",
        word,
        "\"");
  config.recompute = word == "full" ? RecomputeLevel::kBlock : RecomputeLevel::kCheap;
}

const Section& mp_policy() {
  static const Section kSection = [] {
    SectionOf<C> s("distributed.mp_policy", "What is computed in which type.");
    s.custom(
         "_target_",
         [](const Node& value, C&) { find_target(TargetRole::kMixedPrecision, read_as<std::string>(value)); })
        .doc("the policy's class")
        .type("text");
    s.custom("param_dtype",
             [](const Node& value, C& config) { config.param_dtype = type_in_torch_words(value); })
        .type("type name")
        .doc("type of weights and activations in the computation; unset: the weights' own")
        .null_is_unset();
    s.custom("reduce_dtype",
             [](const Node& value, C& config) { config.reduce_dtype = type_in_torch_words(value); })
        .type("type name")
        .doc("type in which gradients of ranks are summed; unset: float32")
        .null_is_unset();
    s.built_in("output_dtype", "logits stay in the computation's type, the loss is fp32");
    s.built_in("cast_forward_inputs", "inputs are token ids");
    return s.take();
  }();
  return kSection;
}

const Section& pipeline() {
  static const Section kSection = [] {
    SectionOf<C> s("distributed.pipeline", "Pipeline parallelism: without effect while pp_size is 1.");
    for (const char* name : {"pp_schedule",
                             "pp_schedule_csv",
                             "pp_microbatch_size",
                             "pp_batch_size",
                             "layers_per_stage",
                             "round_virtual_stages_to_pp_multiple",
                             "module_fqns_per_model_part",
                             "patch_inner_model",
                             "patch_causal_lm_model",
                             "dtype",
                             "scale_grads_in_schedule",
                             "pp_seq_len"}) {
      s.inert(name, "pp_size is 1");
    }
    return s.take();
  }();
  return kSection;
}

const Section& moe() {
  static const Section kSection = [] {
    SectionOf<C> s("distributed.moe", "Expert parallelism: without effect while ep_size is 1.");
    for (const char* name : {"ignore_router_for_ac",
                             "reshard_after_forward",
                             "lm_head_precision",
                             "wrap_outer_model",
                             "mp_policy"}) {
      s.inert(name, "ep_size is 1");
    }
    return s.take();
  }();
  return kSection;
}

void declare_sizes(SectionOf<C>& s) {
  const Node one = Node::of(int64_t{1});
  s.field("dp_size", &C::dp_size).only({one}, "several ranks are not implemented yet");
  s.field("dp_replicate_size", &C::dp_replicate_size).only({one}, "several ranks are not implemented yet");
  s.field("tp_size", &C::tp_size).only({one}, "tensor parallelism is not implemented yet");
  s.field("cp_size", &C::cp_size).only({one}, "context parallelism is not implemented yet");
  s.field("pp_size", &C::pp_size).only({one}, "pipeline parallelism is not implemented yet");
  s.field("ep_size", &C::ep_size).only({one}, "expert parallelism is not implemented yet");
  s.accepted("world_size").only({one}, "several ranks are not implemented yet");
}

Section declare() {
  SectionOf<C> s("distributed", "How the work is spread over ranks.");
  s.custom("_target_",
           [](const Node& value, C&) { find_target(TargetRole::kDistributed, read_as<std::string>(value)); })
      .doc("the older form of strategy")
      .type("text");
  s.field("strategy", &C::strategy)
      .choices({"fsdp2", "ddp", "megatron_fsdp"})
      .default_text("fsdp2")
      .doc("on one process all are the same");
  declare_sizes(s);
  s.custom("activation_checkpointing", read_recompute)
      .type("true, false, full or selective")
      .default_text("false")
      .null_is_unset()
      .doc(
          "true or full: compute each block again in the backward pass; else only what is cheap to compute again");
  s.nested<C>("mp_policy", mp_policy(), [](C& config) -> C& { return config; });
  s.nested<C>("pipeline", pipeline(), [](C& config) -> C& { return config; });
  s.nested<C>("moe", moe(), [](C& config) -> C& { return config; });
  s.not_supported("offload_policy", "keeping weights in host memory is not implemented yet");
  s.not_supported("autocast_dtype",
                  "autocast is not implemented; mp_policy.param_dtype sets the computation's type");
  s.not_supported("tp_plan", "tensor parallelism is not implemented yet");
  s.accepted("activation_checkpointing_scope")
      .only({Node::of("all"), Node::of("language")}, "only language models have blocks here");
  for (const char* name :
       {"sequence_parallel", "use_hf_tp_plan", "enable_async_tensor_parallel", "multimodal"}) {
    s.inert(name, "tp_size is 1");
  }
  for (const char* name : {"defer_fsdp_grad_sync",
                           "reshard_after_forward",
                           "enable_fsdp2_prefetch",
                           "fsdp2_backward_prefetch_depth",
                           "fsdp2_forward_prefetch_depth",
                           "patch_is_packed_sequence",
                           "enable_compile",
                           "backend",
                           "broadcast_buffers",
                           "find_unused_parameters",
                           "static_graph",
                           "bucket_cap_mb",
                           "gradient_as_bucket_view",
                           "zero_dp_strategy",
                           "overlap_grad_reduce",
                           "overlap_param_gather",
                           "grad_reduce_in_fp32",
                           "preserve_fp32_weights",
                           "check_for_nan_in_grad",
                           "nccl_ub",
                           "fsdp_double_buffer"}) {
    s.built_in(name, "how ranks exchange tensors is chosen by the program");
  }
  return s.take();
}

}  // namespace

const Section& distributed_section() {
  static const Section kSection = declare();
  return kSection;
}

}  // namespace automodel::config
