#include "core/config/recipe/target_table.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::config {
namespace {

constexpr const char* kVision = "vision-language models are not implemented yet";
constexpr const char* kRetrieval = "retrieval models are not implemented yet";
constexpr const char* kAudio = "audio data is not implemented yet";
constexpr const char* kDiffusion = "diffusion models are not implemented yet";
constexpr const char* kMock = "mock data is not implemented yet";
constexpr const char* kFamily = "this model family is not implemented yet";
constexpr const char* kDistillation = "knowledge distillation is not implemented yet";
constexpr const char* kClassification = "sequence classification is not implemented yet";
constexpr const char* kEncoderDecoder = "encoder-decoder models are not implemented yet";

// One row a line; those of some sections stand beside their options (optimizer_targets()).
// clang-format off
constexpr Target kTargets[] = {
    // Models
    {"nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained", TargetRole::kModel, "from_pretrained", ""},
    {"nemo_automodel.NeMoAutoModelForCausalLM.from_config", TargetRole::kModel, "from_config", ""},
    {"nemo_automodel._transformers.NeMoAutoModelForCausalLM.from_pretrained", TargetRole::kModel, "from_pretrained", ""},
    {"nemo_automodel._transformers.NeMoAutoModelForCausalLM.from_config", TargetRole::kModel, "from_config", ""},
    {"nemo_automodel._transformers.auto_model.NeMoAutoModelForCausalLM.from_pretrained", TargetRole::kModel, "from_pretrained", ""},
    {"nemo_automodel._transformers.auto_model.NeMoAutoModelForCausalLM.from_config", TargetRole::kModel, "from_config", ""},
    {"transformers.AutoModelForCausalLM.from_pretrained", TargetRole::kModel, "from_pretrained", ""},
    {"transformers.AutoModelForCausalLM.from_config", TargetRole::kModel, "from_config", ""},
    {"nemo_automodel.NeMoAutoModelForImageTextToText.from_pretrained", TargetRole::kModel, "", kVision},
    {"nemo_automodel.NeMoAutoModelForImageTextToText.from_config", TargetRole::kModel, "", kVision},
    {"nemo_automodel.NeMoAutoModelForMultimodalLM.from_pretrained", TargetRole::kModel, "", kVision},
    {"nemo_automodel.NeMoAutoModelForSeq2SeqLM.from_pretrained", TargetRole::kModel, "", kEncoderDecoder},
    {"nemo_automodel.NeMoAutoModelForSequenceClassification.from_pretrained", TargetRole::kModel, "", kClassification},
    {"nemo_automodel.NeMoAutoModelBiEncoder.from_pretrained", TargetRole::kModel, "", kRetrieval},
    {"nemo_automodel.NeMoAutoModelCrossEncoder.from_pretrained", TargetRole::kModel, "", kRetrieval},
    {"nemo_automodel._transformers.retrieval.RetrieverStudentWithProjection.build", TargetRole::kModel, "", kRetrieval},
    {"nemo_automodel._transformers.retrieval.RetrieverTeacherEmbeddingEncoder.build", TargetRole::kModel, "", kRetrieval},
    {"nemo_automodel.components.models.gemma4_drafter.composite.Gemma4WithDrafter.from_pretrained", TargetRole::kModel, "", kVision},
    {"nemo_automodel.components.models.gpt2.build_gpt2_model", TargetRole::kModel, "gpt2", ""},
    {"transformers.AutoModel.from_pretrained", TargetRole::kModel, "", "models without a language-modelling head are not implemented yet"},
    // Model configurations
    {"transformers.AutoConfig.from_pretrained", TargetRole::kModelConfig, "from_pretrained", ""},
    {"transformers.LlamaConfig", TargetRole::kModelConfig, "LlamaForCausalLM", ""},
    {"transformers.models.llama.configuration_llama.LlamaConfig", TargetRole::kModelConfig, "LlamaForCausalLM", ""},
    {"transformers.Qwen2Config", TargetRole::kModelConfig, "Qwen2ForCausalLM", ""},
    {"transformers.models.qwen2.configuration_qwen2.Qwen2Config", TargetRole::kModelConfig, "Qwen2ForCausalLM", ""},
    {"transformers.Qwen3Config", TargetRole::kModelConfig, "Qwen3ForCausalLM", ""},
    {"transformers.models.qwen3.configuration_qwen3.Qwen3Config", TargetRole::kModelConfig, "Qwen3ForCausalLM", ""},
    {"transformers.MistralConfig", TargetRole::kModelConfig, "MistralForCausalLM", ""},
    {"transformers.models.mistral.configuration_mistral.MistralConfig", TargetRole::kModelConfig, "MistralForCausalLM", ""},
    {"nemo_automodel.components.models.deepseek_v32.config.DeepseekV32Config.from_pretrained", TargetRole::kModelConfig, "", kFamily},
    {"nemo_automodel.components.models.deepseek_v4.config.DeepseekV4Config", TargetRole::kModelConfig, "", kFamily},
    {"nemo_automodel.components.models.deepseek_v4.config.DeepseekV4Config.from_pretrained", TargetRole::kModelConfig, "", kFamily},
    {"nemo_automodel.components.models.kimi_linear.config.KimiLinear48BConfig.from_pretrained", TargetRole::kModelConfig, "", kFamily},
    {"nemo_automodel.components.models.mimo_v2_flash.config.MiMoV2FlashConfig.from_pretrained", TargetRole::kModelConfig, "", kFamily},
    {"transformers.models.glm4_moe_lite.configuration_glm4_moe_lite.Glm4MoeLiteConfig", TargetRole::kModelConfig, "", kFamily},
    {"transformers.models.qwen3_moe.configuration_qwen3_moe.Qwen3MoeConfig", TargetRole::kModelConfig, "Qwen3MoeForCausalLM", ""},
    // Back-end choices
    {"nemo_automodel.components.models.common.BackendConfig", TargetRole::kBackend, "backend", ""},
    {"nemo_automodel.components.models.common.utils.BackendConfig", TargetRole::kBackend, "backend", ""},
    {"nemo_automodel.components.models.bagel.configuration.BagelBackendConfig", TargetRole::kBackend, "", kVision},
    {"nemo_automodel.components.models.common.utils.TEFp8Config", TargetRole::kOther, "", ""},
    // Tokenizers
    {"nemo_automodel.NeMoAutoTokenizer.from_pretrained", TargetRole::kTokenizer, "from_pretrained", ""},
    {"nemo_automodel._transformers.auto_tokenizer.NeMoAutoTokenizer.from_pretrained", TargetRole::kTokenizer, "from_pretrained", ""},
    {"transformers.AutoTokenizer.from_pretrained", TargetRole::kTokenizer, "from_pretrained", ""},
    {"nemo_automodel.components.models.llama_nemotron_vl.processor.LlamaNemotronVLProcessor.from_pretrained", TargetRole::kTokenizer, "", kVision},
    // Losses
    {"nemo_automodel.components.loss.masked_ce.MaskedCrossEntropy", TargetRole::kLoss, "masked_ce", ""},
    {"nemo_automodel.components.loss.linear_ce.FusedLinearCrossEntropy", TargetRole::kLoss, "linear_ce", ""},
    {"nemo_automodel.components.loss.chunked_ce.ChunkedCrossEntropy", TargetRole::kLoss, "chunked_ce", ""},
    {"nemo_automodel.components.loss.te_parallel_ce.TEParallelCrossEntropy", TargetRole::kLoss, "te_parallel_ce", ""},
    {"nemo_automodel.components.models.gemma4_moe.loss.Gemma4TensorParallelFusedLinearCrossEntropy", TargetRole::kLoss, "", kVision},
    {"nemo_automodel.components.models.nemotron_parse.nemotron_parse_loss.NemotronParseLoss", TargetRole::kLoss, "", kVision},
    {"nemo_automodel.components.loss.kd_loss.KDLoss", TargetRole::kLoss, "", kDistillation},
    {"nemo_automodel.components.loss.embedding_distill.EmbeddingDistillLoss", TargetRole::kLoss, "", kRetrieval},
    {"nemo_automodel.components.loss.embedding_distill.EmbeddingMSELoss", TargetRole::kLoss, "", kRetrieval},
    {"nemo_automodel.components.loss.infonce.InfoNCEDistillLoss", TargetRole::kLoss, "", kRetrieval},
    // Datasets that are missing; those of dataset.cpp stand before them
    {"nemo_automodel.components.datasets.llm.mock.build_unpacked_dataset", TargetRole::kDataset, "", kMock},
    {"nemo_automodel.components.datasets.llm.mock_prefix_tree.build_mock_rollout_dataset", TargetRole::kDataset, "", kMock},
    {"nemo_automodel.components.datasets.llm.mock_packed.build_packed_dataset", TargetRole::kDataset, "", kMock},
    {"nemo_automodel.components.datasets.llm.megatron_dataset.MegatronPretraining", TargetRole::kDataset, "", "Megatron .bin/.idx data is not implemented yet; NanogptDataset reads nanoGPT shards"},
    {"nemo_automodel.components.datasets.llm.column_mapped_text_instruction_iterable_dataset.ColumnMappedTextInstructionIterableDataset",
     TargetRole::kDataset,
     "",
     "streaming data is not implemented yet; ColumnMappedTextInstructionDataset reads whole files"},
    {"nemo_automodel.components.datasets.llm.delta_lake_dataset.DeltaLakeDataset", TargetRole::kDataset, "", "Delta Lake tables are not implemented yet"},
    {"nemo_automodel.components.datasets.llm.xlam.make_xlam_dataset", TargetRole::kDataset, "", "xLAM tool-calling data is not implemented yet; ChatDataset reads messages with tools"},
    {"nemo_automodel.components.datasets.llm.agent_chat.make_agent_chat_dataset", TargetRole::kDataset, "", "agent traces are not implemented yet; ChatDataset reads messages with tools"},
    {"nemo_automodel.components.datasets.llm.seq_cls.GLUE_MRPC", TargetRole::kDataset, "", kClassification},
    {"nemo_automodel.components.datasets.llm.seq2seq.make_seq2seq_dataset", TargetRole::kDataset, "", kEncoderDecoder},
    {"nemo_automodel.components.datasets.llm.retrieval_dataset.RetrievalDatasetConfig", TargetRole::kDataset, "", kRetrieval},
    {"nemo_automodel.components.datasets.llm.make_retrieval_dataset", TargetRole::kDataset, "", kRetrieval},
    {"nemo_automodel.components.datasets.audio.datasets.make_cv17_dataset", TargetRole::kDataset, "", kAudio},
    {"nemo_automodel.components.datasets.audio.datasets.make_hf_audio_asr_dataset", TargetRole::kDataset, "", kAudio},
    {"nemo_automodel.components.datasets.audio.multi_en.make_multi_en_asr_dataset", TargetRole::kDataset, "", kAudio},
    {"nemo_automodel.components.datasets.vlm.datasets.make_cord_v2_dataset", TargetRole::kDataset, "", kVision},
    {"nemo_automodel.components.datasets.vlm.datasets.make_medpix_dataset", TargetRole::kDataset, "", kVision},
    {"nemo_automodel.components.datasets.vlm.datasets.make_meta_dataset", TargetRole::kDataset, "", kVision},
    {"nemo_automodel.components.datasets.vlm.datasets.make_rdr_dataset", TargetRole::kDataset, "", kVision},
    {"nemo_automodel.components.datasets.vlm.datasets.make_shopify_product_catalogue_dataset", TargetRole::kDataset, "", kVision},
    {"nemo_automodel.components.datasets.vlm.datasets.make_tulu3_dataset", TargetRole::kDataset, "", kVision},
    {"nemo_automodel.components.datasets.vlm.datasets.make_tulu3_magicoder_text_mix_dataset", TargetRole::kDataset, "", kVision},
    {"nemo_automodel.components.datasets.vlm.mock.build_mock_vlm_dataset", TargetRole::kDataset, "", kVision},
    // Data loaders and collators
    {"torchdata.stateful_dataloader.StatefulDataLoader", TargetRole::kDataloader, "loader", ""},
    {"torch.utils.data.DataLoader", TargetRole::kDataloader, "loader", ""},
    {"nemo_automodel.components.datasets.diffusion.build_text_to_image_multiresolution_dataloader", TargetRole::kDataloader, "", kDiffusion},
    {"nemo_automodel.components.datasets.diffusion.build_video_multiresolution_dataloader", TargetRole::kDataloader, "", kDiffusion},
    {"nemo_automodel.components.datasets.diffusion.image_edit_dataset.ImageEditDataloaderConfig", TargetRole::kDataloader, "", kDiffusion},
    {"nemo_automodel.components.datasets.utils.default_collater", TargetRole::kCollate, "default", ""},
    {"torch.utils.data.default_collate", TargetRole::kCollate, "plain", ""},
    {"nemo_automodel.components.datasets.utils.packed_sequence_thd_collater", TargetRole::kCollate, "default", ""},
    {"nemo_automodel.components.datasets.utils.packed_sequence_thd_collater_vlm", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.audio.collate_fns.qwen2_5_omni_asr_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.audio.collate_fns.qwen3_omni_asr_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.llm.BiEncoderCollator", TargetRole::kCollate, "", kRetrieval},
    {"nemo_automodel.components.datasets.llm.BiEncoderDistillCollator", TargetRole::kCollate, "", kRetrieval},
    {"nemo_automodel.components.datasets.llm.CrossEncoderCollator", TargetRole::kCollate, "", kRetrieval},
    {"nemo_automodel.components.datasets.llm.ProcessorMethodCollator", TargetRole::kCollate, "", kRetrieval},
    {"nemo_automodel.components.datasets.vlm.collate_fns.default_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.vlm.collate_fns.gemma4_prefix_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.vlm.collate_fns.kimi_k25_vl_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.vlm.collate_fns.kimi_vl_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.vlm.collate_fns.llava_onevision_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.vlm.collate_fns.nemotron_omni_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.vlm.collate_fns.nemotron_parse_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.vlm.collate_fns.phi4_mm_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.vlm.collate_fns.qwen2_5_collate_fn", TargetRole::kCollate, "", kVision},
    {"nemo_automodel.components.datasets.vlm.collate_fns.qwen3_omni_collate_fn", TargetRole::kCollate, "", kVision},
    // Distribution
    {"nemo_automodel.components.distributed.fsdp2.FSDP2Manager", TargetRole::kDistributed, "manager", ""},
    {"nemo_automodel.components.distributed.megatron_fsdp.MegatronFSDPManager", TargetRole::kDistributed, "manager", ""},
    {"nemo_automodel.components.distributed.ddp.DDPManager", TargetRole::kDistributed, "manager", ""},
    {"nemo_automodel.components.distributed.nvfsdp.NVFSDPManager", TargetRole::kDistributed, "manager", ""},
    {"torch.distributed.fsdp.MixedPrecisionPolicy", TargetRole::kMixedPrecision, "policy", ""},
    {"nemo_automodel.components._peft.lora.PeftConfig", TargetRole::kPeft, "lora", ""},
    // Sections that are inert, or refused as a whole
    {"nemo_automodel.components.distributed.config.FSDP2Config", TargetRole::kOther, "", ""},
    {"nemo_automodel.components.distributed.pipelining.AutoPipeline", TargetRole::kOther, "", ""},
    {"nemo_automodel.components.distributed.pipelining.config.PipelineConfig", TargetRole::kOther, "", ""},
    {"nemo_automodel.components.eval.tool_call_evaluator.ToolCallAccuracyEvaluator", TargetRole::kOther, "", ""},
    {"nemo_automodel.components.models.inkling.processing.build_inkling_processor", TargetRole::kOther, "", ""},
    {"nemo_automodel.components.models.minimax_m3_vl.processing.build_minimax_m3_vl_processor", TargetRole::kOther, "", ""},
    {"nemo_automodel.components.models.step3p7.processing_step3.Step3VLProcessor.from_pretrained", TargetRole::kOther, "", ""},
    {"nemo_automodel.components.moe.parallelizer.parallelize_model", TargetRole::kOther, "", ""},
    {"nemo_automodel.components.quantization.qat.QATConfig", TargetRole::kOther, "", ""},
    {"nemo_automodel.components.training.rng.StatefulRNG", TargetRole::kOther, "", ""},
    {"torch.distributed.fsdp.CPUOffloadPolicy", TargetRole::kOther, "", ""},
    {"transformers.AutoProcessor.from_pretrained", TargetRole::kOther, "", ""},
    {"transformers.models.qwen3_vl.video_processing_qwen3_vl.Qwen3VLVideoProcessor.from_pretrained", TargetRole::kOther, "", ""},
};
// clang-format on

/// "recipes/mine.py:build" or a module that is no part of the reference or its libraries.
bool is_users_code(const std::string& name) {
  if (name.find(".py:") != std::string::npos) return true;
  const size_t dot = name.find('.');
  return dot != std::string::npos &&
         std::ranges::none_of(target_table(), [root = name.substr(0, dot + 1)](const Target& target) {
           return target.name.starts_with(root);
         });
}

/// The part of a dotted name that a user gets wrong: the class and, if it has one, the constructor.
std::string class_part(std::string_view name) {
  const std::vector<std::string> parts = split(name, '.');
  const bool has_constructor = parts.size() > 1 && parts.back().starts_with("from_");
  return has_constructor ? parts[parts.size() - 2] + "." + parts.back() : parts.back();
}

/// By whole name, else by class: a wrong module path with the right class is found too.
std::string nearest_target(TargetRole role, const std::string& name) {
  std::vector<std::string> names;
  std::vector<std::string> classes;
  for (const Target& target : target_table()) {
    if (target.role != role) continue;
    names.emplace_back(target.name);
    classes.push_back(class_part(target.name));
  }
  const std::string nearest = nearest_name(class_part(name), classes);
  const auto found = std::find(classes.begin(), classes.end(), nearest);
  if (found != classes.end()) return names[static_cast<size_t>(found - classes.begin())];
  return nearest_name(name, names);
}

}  // namespace

const std::vector<Target>& target_table() {
  static const std::vector<Target> kTable = [] {
    std::vector<Target> table = recipe_targets();
    for (const std::vector<Target>& rows : {optimizer_targets(), dataset_targets()})
      table.insert(table.end(), rows.begin(), rows.end());
    table.insert(table.end(), std::begin(kTargets), std::end(kTargets));
    std::ranges::stable_sort(table, {}, &Target::role);
    return table;
  }();
  return kTable;
}

const Target& find_target(TargetRole role, const std::string& name) {
  const Target* elsewhere = nullptr;
  for (const Target& target : target_table()) {
    if (target.name != name) continue;
    if (target.role != role) {
      elsewhere = &target;
      continue;
    }
    if (!target.missing.empty()) fail(ErrorCode::kUnsupported, target.missing, " (", name, ")");
    return target;
  }
  check(elsewhere == nullptr, ErrorCode::kConfig, name, " is known, but has no place in this section");
  if (is_users_code(name)) {
    fail(ErrorCode::kUnsupported,
         name,
         " is Python code of its own, and no Python runs here; use one of the built-in names");
  }
  const std::string nearest = nearest_target(role, name);
  fail(ErrorCode::kConfig,
       "unknown name ",
       name,
       nearest.empty() ? "" : "; did you mean " + nearest + "?",
       " (docs/recipe-reference.md lists the names)");
}

}  // namespace automodel::config
