"""A step of training again, by transformers, PEFT and torch on this machine: from the weights and moments that our run had
before it. So nothing counts that an earlier step rounded otherwise, and both sides use the kernels of one processor."""
import json
import math
import pathlib

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import bounds
from golden import GOLDEN, Workplace

MODEL = GOLDEN / "inputs/ckpt/tiny-llama"
IGNORE = -100
BETA1, BETA2, EPS, WEIGHT_DECAY, MAX_NORM = 0.9, 0.999, 1e-8, 0.01, 1.0  # of the golden recipes


class State:
    """Trained weights and AdamW's moments by name, in the type in which a run holds them."""

    def __init__(self, weights, first=None, second=None):
        self.weights = weights
        self.first = first or {name: torch.zeros_like(w) for name, w in weights.items()}
        self.second = second or {name: torch.zeros_like(w) for name, w in weights.items()}

    @staticmethod
    def left_by(checkpoint: pathlib.Path) -> "State":
        stored = {}
        for file in (checkpoint / "model").glob("*.safetensors"):
            stored |= {name.removeprefix("base_model.model."): weight for name, weight in load_file(file).items()}
        [optimizer] = (checkpoint / "optim").glob("*.safetensors")
        kept = load_file(optimizer)
        master, first, second = ({name.removeprefix(kind): value for name, value in kept.items() if name.startswith(kind)}
                                 for kind in ("master.", "exp_avg.", "exp_avg_sq."))
        return State(master or stored, first, second)


class Peer:
    """transformers' model, with PEFT's adapters where `lora` says how, in one type of computation. All of its numbers are
    bfloat16's in either type, so that the run in float32 differs in its arithmetic alone."""

    def __init__(self, dtype: torch.dtype, lora: dict | None = None):
        self.model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.bfloat16).to(dtype)
        if lora is not None:
            import peft  # takes seconds

            options = peft.LoraConfig(**lora, lora_dropout=0.0, target_modules=r".*_proj")
            self.model = peft.get_peft_model(self.model, options, autocast_adapter_dtype=False)
        self.parameters = {name.removeprefix("base_model.model.").replace(".default.", "."): parameter
                           for name, parameter in self.model.named_parameters() if parameter.requires_grad}

    def set(self, weights: dict[str, torch.Tensor]):
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(weights[name].bfloat16())

    def loss(self, micro_batch: dict) -> torch.Tensor:
        """Sum over the label tokens."""
        logits = self.model(torch.tensor(micro_batch["input_ids"])).logits.float()
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(micro_batch["labels"]).flatten(),
                                                 ignore_index=IGNORE, reduction="sum")

    def step(self, micro_batches: list[dict]):
        """(loss, gradients): means over the step's label tokens; gradients add up in float32."""
        gradients = {name: torch.zeros_like(p, dtype=torch.float32) for name, p in self.parameters.items()}
        total = 0.0
        for micro_batch in micro_batches:
            loss = self.loss(micro_batch) / num_labels(micro_batches)
            self.model.zero_grad()
            loss.backward()
            total += loss.item()
            for name, parameter in self.parameters.items():
                gradients[name] += parameter.grad.float()
        return total, gradients


def num_labels(micro_batches: list[dict]) -> int:
    return sum(label != IGNORE for mb in micro_batches for row in mb["labels"] for label in row)


def norm(values) -> float:
    return math.sqrt(sum((value.double() ** 2).sum().item() for value in values))


def distance(some, other, names) -> float:
    return norm(some[name].float() - other[name].float() for name in names)


def kind(name: str) -> str:
    """Tensors that are compared together: lora_A, lora_B, norms, or one projection of all layers."""
    return "norms" if "norm" in name else name.split(".")[-2]


def first_moments(before: State, gradients, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """torch.optim.AdamW's after the step, held in `dtype`; gradients are clipped."""
    clip = min(1.0, MAX_NORM / (norm(gradients.values()) + 1e-6))
    return {name: torch.lerp(before.first[name].to(dtype), gradient.to(dtype) * clip, 1 - BETA1)
            for name, gradient in gradients.items()}


def second_moments(before: State, after: State) -> dict[str, torch.Tensor]:
    """Of the gradient that the first moments hold."""
    gradients = {name: (value.float() - BETA1 * before.first[name].float()) / (1 - BETA1) for name, value in after.first.items()}
    return {name: BETA2 * before.second[name].float() + (1 - BETA2) * g * g for name, g in gradients.items()}


def updated(before: State, after: State, step: int, lr: float) -> dict[str, torch.Tensor]:
    """What torch.optim.AdamW makes of the weights with the moments that our run had: its own operations, in the type in which
    both are held. No product of matrices has a part in it."""
    weights = {}
    for name, weight in before.weights.items():
        root = (after.second[name].sqrt() / math.sqrt(1 - BETA2**step)).add_(EPS)
        weights[name] = weight.mul(1 - lr * WEIGHT_DECAY).addcdiv_(after.first[name], root, value=-lr / (1 - BETA1**step))
    return weights


def compare_steps(checks, what: str, work: Workplace, start: State, lr: float, steps: list[list[dict]], lora: dict | None = None):
    """A run in bfloat16 that saved every step. Loss, gradients (in AdamW's moments) and their norm lie as near to float32's as
    the library's in bfloat16 do; the weights are what AdamW makes of the moments."""
    library, exact = Peer(torch.bfloat16, lora), Peer(torch.float32, lora)
    held = next(iter(start.weights.values())).dtype
    before = start
    for number, (micro_batches, record) in enumerate(zip(steps, work.training(), strict=True)):
        where = f"{what}, step {number}"
        after = State.left_by(work.checkpoints / f"epoch_0_step_{number}")
        for peer in (library, exact):
            peer.set(before.weights)
        (_, theirs), (loss, wanted) = library.step(micro_batches), exact.step(micro_batches)
        checks.equal(f"{where}: names", sorted(after.weights), sorted(wanted))
        checks.close("loss, from float32's", where, record["loss"], loss, relative=bounds.BF16_LOSS)
        own_error = distance(theirs, wanted, wanted)
        checks.close("norm of the gradient / the library's error", where, record["grad_norm"] / own_error,
                     norm(wanted.values()) / own_error, absolute=bounds.BF16_TIMES_OWN_ERROR)
        rounded, right = first_moments(before, theirs, held), first_moments(before, wanted, torch.float32)
        for group in sorted({kind(name) for name in wanted}):
            names = [name for name in wanted if kind(name) == group]
            checks.close("distance of the gradient / the library's", f"{where}, {group}",
                         ratio(distance(after.first, right, names), distance(rounded, right, names)), 0.0,
                         absolute=bounds.BF16_TIMES_OWN_ERROR)
        squares = second_moments(before, after)
        checks.close(f"second moments in {held}", where, distance(after.second, squares, squares) / norm(squares.values()), 0.0,
                     absolute=bounds.SECOND_MOMENT[held])
        expected = updated(before, after, number + 1, lr)
        travel = distance(expected, before.weights, expected)
        checks.close(f"update of {held} weights / travel", where, distance(after.weights, expected, expected) / travel, 0.0,
                     absolute=bounds.UPDATE[held])
        before = after


def ratio(ours: float, theirs: float) -> float:
    return ours / theirs if theirs else math.inf if ours else 0.0


def recorded_steps(recipe: str, count: int) -> list[list[dict]]:
    """The micro-batches of the first steps, whose tensors the reference recorded in full."""
    rows = [json.loads(line) for line in (GOLDEN / recipe / "batches.jsonl").open()]
    return [[row for row in rows if row["step"] == step] for step in range(count)]
