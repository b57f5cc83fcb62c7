#include "core/base/dtype.h"
#include "core/base/error.h"
#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

using D = ModelDraft;

/// Fields of Hugging Face's config.json that a recipe may set. Whether a model family has the field is seen
/// when the model is built; here only the name is checked.
constexpr const char* kConfigFields[] = {"architectures",
                                         "attention_bias",
                                         "attention_dropout",
                                         "attn_logit_softcapping",
                                         "bos_token_id",
                                         "compress_ratios",
                                         "decoder_sparse_step",
                                         "embd_pdrop",
                                         "eos_token_id",
                                         "final_logit_softcapping",
                                         "first_k_dense_replace",
                                         "head_dim",
                                         "hidden_act",
                                         "hidden_activation",
                                         "hidden_size",
                                         "initializer_range",
                                         "intermediate_size",
                                         "kda_mode",
                                         "kda_unpad_inputs",
                                         "kda_use_fused_gate",
                                         "kda_use_qk_l2norm_in_kernel",
                                         "kv_lora_rank",
                                         "layer_norm_eps",
                                         "layer_types",
                                         "max_position_embeddings",
                                         "max_window_layers",
                                         "mlp_bias",
                                         "mlp_only_layers",
                                         "model_type",
                                         "moe_intermediate_size",
                                         "n_group",
                                         "n_routed_experts",
                                         "n_shared_experts",
                                         "norm_topk_prob",
                                         "num_attention_heads",
                                         "num_experts",
                                         "num_experts_per_tok",
                                         "num_hidden_layers",
                                         "num_key_value_heads",
                                         "num_local_experts",
                                         "num_nextn_predict_layers",
                                         "pad_token_id",
                                         "partial_rotary_factor",
                                         "q_lora_rank",
                                         "qk_nope_head_dim",
                                         "qk_rope_head_dim",
                                         "query_pre_attn_scalar",
                                         "resid_pdrop",
                                         "rms_norm_eps",
                                         "rope_parameters",
                                         "rope_scaling",
                                         "rope_theta",
                                         "routed_scaling_factor",
                                         "router_aux_loss_coef",
                                         "scoring_func",
                                         "sliding_window",
                                         "text_config",
                                         "tie_word_embeddings",
                                         "topk_group",
                                         "topk_method",
                                         "use_sliding_window",
                                         "v_head_dim",
                                         "vocab_size"};

void declare_config_fields(SectionOf<D>& s, Node D::* into) {
  for (const char* name : kConfigFields) {
    s.custom(name,
             [name, into](const Node& value, D& draft) {
               if (!(draft.*into).is_map()) draft.*into = Node::map();
               (draft.*into).set(name, value);
             })
        .type("as in config.json")
        .doc("field of Hugging Face's config.json");
  }
  s.inert("use_cache", "concerns generation");
  s.inert("output_attentions", "concerns generation");
  for (const char* name : {"_attn_implementation", "attn_implementation_new"}) {
    s.built_in(name, "the attention kernel is chosen by the program");
  }
}

void read_dtype(const Node& value, D& draft) {
  const std::string name = read_as<std::string>(value);
  if (name == "auto") return;  // the default; a type that model.config names stands beside it
  const DType type = dtype_from_torch(name);
  const bool is_trainable = type == DType::kFloat32 || type == DType::kBFloat16 || type == DType::kFloat16;
  check(is_trainable, ErrorCode::kConfig, "expected auto, float32, bfloat16 or float16, not \"", name, "\"");
  draft.config.torch_dtype = std::string(torch_name(type));
}

const Section& backend() {
  static const Section kSection = [] {
    SectionOf<D> s("model.backend",
                   "Which kernels compute the model: the program chooses, the result is the same.");
    s.custom("_target_",
             [](const Node& value, D&) { find_target(TargetRole::kBackend, read_as<std::string>(value)); })
        .doc("the class of the choices")
        .type("text");
    for (const char* name : {"attn",
                             "linear",
                             "rms_norm",
                             "rope",
                             "experts",
                             "dispatcher",
                             "dispatcher_num_sms",
                             "dispatcher_share_token_dispatcher",
                             "dispatcher_async_dispatch",
                             "mok",
                             "enable_hf_state_dict_adapter",
                             "enable_fsdp_optimizations",
                             "gate_precision",
                             "compile_attn",
                             "cuda_graph",
                             "enable_deepep"}) {
      s.built_in(name, "kernels are chosen by the program");
    }
    s.inert("rope_fusion", "forced off in the reference");
    s.accepted("fake_gate_noise")
        .only({Node::of(int64_t{0}), Node::of(0.0)}, "uneven loads without a router are not implemented yet")
        .default_text("0.0")
        .doc("how uneven the loads of fake_balanced_gate are");
    s.custom("fake_balanced_gate",
             [](const Node& value, D& d) { d.config.balanced_gate = read_as<bool>(value); })
        .type("true or false")
        .default_text("false")
        .doc("tokens go to experts in turn with equal weights and routers do not learn: for benchmarks");
    s.not_supported("te_fp8", "FP8 is not implemented yet");
    return s.take();
  }();
  return kSection;
}

/// How the model is kept and computed.
void declare_choices(SectionOf<D>& s, const std::string& dtype) {
  for (const char* name : {"torch_dtype", "dtype"}) {
    s.custom(name, read_dtype)
        .type("auto, float32, bfloat16 or float16; bf16, fp32, torch.bfloat16 too")
        .default_text(dtype)
        .null_is_unset()
        .doc("type in which the weights are kept; auto: the checkpoint's");
  }
  s.custom("family_file",
           [](const Node& value, D& draft) { draft.config.family_file = read_as<std::string>(value); })
      .type("text")
      .null_is_unset()
      .doc("a model family file of your own (docs/model-families.md); unset: the known families");
  s.custom("ignore_config_keys",
           [](const Node& value, D& draft) {
             draft.config.ignore_config_keys = read_as<std::vector<std::string>>(value);
           })
      .type(type_name<std::vector<std::string>>())
      .null_is_unset()
      .doc(
          "keys of config.json that the model's family does not know and that would end the run: passed over");
  s.nested<D>("backend", backend(), [](D& draft) -> D& { return draft; });
  for (const char* name :
       {"attn_implementation", "use_liger_kernel", "use_sdpa_patching", "sdpa_method", "force_hf"}) {
    s.built_in(name, "kernels are chosen by the program");
  }
}

void declare_common(SectionOf<D>& s, const std::string& dtype) {
  s.accepted("_target_").doc("the model's class and constructor");
  declare_choices(s, dtype);
  s.built_in("trust_remote_code", "no Python code is run");
  s.built_in("output_hidden_states", "the fused loss has them without asking");
  s.not_supported("quantization_config", "quantised base models are not implemented yet");
  s.not_supported("num_labels", "sequence classification is not implemented yet");
  s.not_supported("cache_dir", "is not implemented; HF_HOME names the cache");
  s.not_supported("revision", "revisions of a Hub model are not implemented yet; name a folder");
  for (const char* name : {"mtp_loss_scaling_factor", "mtp_use_repeated_layer"}) {
    s.not_supported(name, "multi-token prediction is not implemented yet");
  }
}

/// `config: {_target_: transformers.AutoConfig.from_pretrained, ...}`
const Section& named_config() {
  static const Section kSection = [] {
    SectionOf<D> s(
        "model.config", "A config.json and what differs from it.", "transformers.AutoConfig.from_pretrained");
    s.accepted("_target_").doc("the configuration's class and constructor");
    for (const char* name : {"pretrained_model_name_or_path", "name_or_path"}) {
      s.custom(name,
               [](const Node& value, D& draft) {
                 ModelConfig& config = draft.config;
                 (draft.config_is_beside ? config.config_path : config.path) = read_as<std::string>(value);
               })
          .type("text")
          .doc("folder with a config.json, such a file, or Hub id");
    }
    s.custom("torch_dtype", read_dtype).type("type name").doc("type in which the weights are kept");
    s.custom("dtype", read_dtype).type("type name").doc("type in which the weights are kept");
    s.built_in("trust_remote_code", "no Python code is run");
    declare_config_fields(s, &D::overrides);
    return s.take();
  }();
  return kSection;
}

/// `config: {_target_: transformers.LlamaConfig, hidden_size: 64, ...}`, or the same with architectures and
/// no `_target_`
const Section& written_config() {
  static const Section kSection = [] {
    SectionOf<D> s("model.config", "A config.json written in the recipe.", "transformers.LlamaConfig");
    s.accepted("_target_")
        .doc(
            "the configuration's class: Llama, Qwen2, Qwen3, Qwen3Moe or Mistral; without it, architectures");
    s.custom("torch_dtype", read_dtype).type("type name").doc("type in which the weights are kept");
    s.custom("dtype", read_dtype).type("type name").doc("type in which the weights are kept");
    declare_config_fields(s, &D::inline_config);
    return s.take();
  }();
  return kSection;
}

Below by_name(D& draft) {
  draft.config_is_named = true;
  return {&named_config(), &draft};
}

Below choose_config(const std::string&, const Node& map, D& draft) {
  const std::string name = target_of(map, "");
  draft.inline_config = Node::null();
  if (!name.empty()) {
    const std::string_view kind = find_target(TargetRole::kModelConfig, name).kind;
    if (kind == "from_pretrained") return by_name(draft);
    draft.inline_config = Node::map();
    Node architectures = Node::list();
    architectures.items.push_back(Node::of(std::string(kind)));
    draft.inline_config.set("architectures", std::move(architectures));
    return {&written_config(), &draft};
  }
  if (map.find("pretrained_model_name_or_path") != nullptr) return by_name(draft);
  check(map.find("architectures") != nullptr,
        ErrorCode::kConfig,
        "needs a _target_, or architectures, e.g. [LlamaForCausalLM]");
  return {&written_config(), &draft};
}

const Section& from_pretrained() {
  static const Section kSection = [] {
    SectionOf<D> s(
        "model", "A checkpoint's weights.", "nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained");
    s.custom("pretrained_model_name_or_path",
             [](const Node& value, D& draft) { draft.config.path = read_as<std::string>(value); })
        .type("text")
        .doc("folder of the checkpoint, or Hub id")
        .required();
    s.chosen("config",
             {&named_config(), &written_config()},
             [](const std::string& key, const Node& map, D& draft) {
               draft.config_is_beside = true;
               return choose_config(key, map, draft);
             })
        .type("map")
        .doc("in place of the config.json beside the weights: a map with a _target_");
    declare_common(s, "auto");
    s.accepted("load_base_model")
        .only({Node::of(true)}, "a checkpoint's weights are always loaded; from_config draws them");
    declare_config_fields(s, &D::overrides);
    return s.take();
  }();
  return kSection;
}

const Section& from_config() {
  static const Section kSection = [] {
    SectionOf<D> s(
        "model", "Weights drawn at random.", "nemo_automodel.NeMoAutoModelForCausalLM.from_config");
    s.chosen("config",
             {&named_config(), &written_config()},
             choose_config,
             [](const Node& value, D& draft) { draft.config.path = read_as<std::string>(value); })
        .type("text or map")
        .doc("folder with a config.json, such a file, Hub id, or a map with a _target_")
        .required();
    declare_common(s, "bfloat16");
    s.inert("load_base_model", "there are no weights to load");
    declare_config_fields(s, &D::overrides);
    return s.take();
  }();
  return kSection;
}

/// The configuration that build_gpt2_model starts from.
Node& gpt2_config(D& draft) {
  if (draft.inline_config.is_map()) return draft.inline_config;
  draft.inline_config = Node::map();
  Node architectures = Node::list();
  architectures.items.push_back(Node::of("GPT2LMHeadModel"));
  draft.inline_config.set("architectures", std::move(architectures));
  draft.inline_config.set("model_type", Node::of("gpt2"));
  draft.inline_config.set("n_positions", Node::of(int64_t{2048}));
  return draft.inline_config;
}

const Section& build_gpt2() {
  static const Section kSection = [] {
    SectionOf<D> s("model",
                   "GPT-2 with weights drawn at random.",
                   "nemo_automodel.components.models.gpt2.build_gpt2_model");
    s.custom("_target_", [](const Node&, D& draft) { gpt2_config(draft); })
        .type("text")
        .doc("the builder")
        .required();
    const auto size = [&s](const char* name, const char* default_text, const char* doc) {
      s.custom(name, [name](const Node& value, D& draft) { gpt2_config(draft).set(name, value); })
          .type(type_name<int64_t>())
          .default_text(default_text)
          .doc(doc);
    };
    size("vocab_size", "50257", "words");
    size("n_positions", "2048", "longest sequence");
    size("n_embd", "768", "width");
    size("n_layer", "12", "blocks");
    size("n_head", "12", "heads of attention");
    size("bos_token_id", "50256", "id that begins a text");
    size("eos_token_id", "50256", "id that ends a text");
    s.inert("n_ctx", "the older name of n_positions");
    declare_choices(s, "float32");
    return s.take();
  }();
  return kSection;
}

}  // namespace

const Section& model_section(const Node& map, ModelConfig& config) {
  const std::string otherwise = "nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained";
  const std::string_view kind = find_target(TargetRole::kModel, target_of(map, otherwise)).kind;
  const bool is_pretrained = kind == "from_pretrained";
  config.source = is_pretrained ? ModelSource::kPretrained : ModelSource::kConfig;
  config.torch_dtype = is_pretrained ? "auto" : "bfloat16";
  if (kind == "gpt2") {
    config.torch_dtype = "float32";
    return build_gpt2();
  }
  return is_pretrained ? from_pretrained() : from_config();
}

std::vector<const Section*> model_sections() {
  return {&from_pretrained(), &from_config(), &build_gpt2()};
}

}  // namespace automodel::config
