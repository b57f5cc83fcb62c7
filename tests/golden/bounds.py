"""Every tolerance of the golden tests. Relative to the reference's value, in fp32 on a CPU."""
import torch

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

# bfloat16 against transformers and PEFT in bfloat16 on the same machine, from the same weights: both round every activation
# to 8 bits, in another order. Ours lies at most so many times as far from float32's values as the library's own.
BF16_TIMES_OWN_ERROR = 1.25

# Over a thousand label tokens the rounding of single ones is lost in the mean.
BF16_LOSS = 1e-4

# One update with given moments, relative to its length, by the type of the weights: the same operations in the same order,
# where a compiler may fuse a product and a sum.
UPDATE = {torch.bfloat16: 1e-3, torch.float32: 1e-6}

# The second moment from the first, relative to all of it. A gradient out of two first moments in bfloat16 has lost some of its bits.
SECOND_MOMENT = {torch.bfloat16: 0.01, torch.float32: 1e-5}
