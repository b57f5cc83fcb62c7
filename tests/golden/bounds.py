"""Every tolerance of the golden tests. Relative to the reference's value, in fp32 on a CPU."""

LOSS = 1e-5
LEARNING_RATE = 1e-12  # the same formula in double
GRAD_NORM = 1e-4
VAL_LOSS = 1e-5

# Largest error of a logit against transformers, absolute.
LOGIT = 1e-4

# Final weights: the distance of ours from the reference's, relative to the distance that training moved them, tensor by
# tensor. Single elements cannot be compared: where a gradient is pure rounding noise Adam still takes a step of the
# size of the learning rate, in a direction that noise decides.
WEIGHT_TRAVEL = 1e-4

# Real model: per-token losses, single and in the mean (the references are printed with five and six decimals).
TOKEN_LOSS_ABSOLUTE = 1e-4
MEAN_LOSS_ABSOLUTE = 1e-5
ARGMAX_SHARE = 0.999
PARAMETER_GRAD_NORM = 1e-4

# Initial adapters, absolute: the last bit of a float32 of their size.
INITIAL_ADAPTER = 2e-8

# The reference's LoRA run in bfloat16, weights without a float32 master: activations and updates round to 8 bits, in
# another order here. Losses agree (measured 3e-4); the norm of a gradient near the minimum is mostly that rounding.
BF16_REFERENCE_LOSS = 2e-3
BF16_REFERENCE_GRAD_NORM = 0.1

# bfloat16 against transformers in bfloat16: both round every activation to 8 bits, in another order.
BF16_LOSS = 5e-4

# Where a gradient is near zero its sign is noise, and Adam's first steps are of full size whatever the gradient's: two
# runs part by a share of the distance travelled.
BF16_TRAVEL = 0.15
