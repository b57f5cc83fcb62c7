#pragma once

#include <cstdint>

#include "core/kernels/expert_glu.h"
#include "core/kernels/route.h"

/// What a mixture of experts is made of. Plain numbers, no torch: families fill them from config.json.
namespace automodel::arch {

struct MoeConfig {
  kernels::RouterConfig router;
  int64_t intermediate_size = 0;  ///< F of one expert
  kernels::ExpertGlu gate;  ///< act(gate(x)) * up(x), GPT-OSS's clamped gate, or act(up(x)); shared ones too
  bool bias = false;        ///< of the experts. GPT-OSS
  bool apply_router_weight_on_input = false;  ///< weights multiply the experts' inputs. Llama 4

  /// Width of what the experts read and give, between two projections; 0: hidden_size. Nemotron 3 Super.
  int64_t latent_size = 0;
  bool latent_bias = false;

  /// F of the experts that every token passes, all of them as one MLP; 0: none. DeepSeekMoE,
  /// arXiv:2401.06066; Granite 4's shared MLP.
  int64_t shared_intermediate_size = 0;
  bool shared_bias = false;  ///< Ernie 4.5
  bool shared_gate = false;  ///< the shared output times sigmoid(w x). Qwen2-MoE, arXiv:2407.10671

  /// Benchmarks: tokens go to the experts in turn with equal weights, the router rests. The reference's
  /// fake_balanced_gate.
  bool balanced_gate = false;

  bool router_last = false;  ///< drawn at random after the experts. Qwen3-MoE, DeepSeek-V3 in transformers

  /// Coefficient of the load-balancing loss over all layers (Fedus et al. 2021, arXiv:2101.03961, as
  /// transformers has it), added to the loss; 0: none.
  double aux_loss_coef = 0.0;

  /// u of score_bias += u * sign(mean load - load) after each optimizer step; 0: the score bias stays. Wang
  /// et al. 2024, arXiv:2408.15664; 1e-3 in DeepSeek-V3.
  double bias_update_rate = 0.0;
};

}  // namespace automodel::arch
