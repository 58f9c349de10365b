"""Adam on one flat vector, as the paper prints it: with or without the correction of its moments' start at zero."""

import torch
from torch import Tensor

from metaiqa_core.training.flat_weights import FlatWeights

FIRST_MOMENT_DECAY = 0.9  # mu1 (Section 4.1)
EPSILON = 1e-8
_FUSED_ON = ("cpu", "cuda")
"""Kinds of devices on which a step passes over the memory once."""
_SO_MANY_THAT_NOTHING_IS_CORRECTED = 10**9
"""Steps after which 1 - decay^steps is 1, so that torch's correction of the moments does nothing."""


class Adam:
    """Steps of the inner loop (Eqs. 4-7).

    torch.optim.Adam, which takes the steps, corrects its moments by itself; six steps that do not are 1.6 times as long
    (and 5 times with the second moment's usual decay of 0.999), so the correction is not a detail here.

    Args:
        weights: Weights theta that the steps change.
        learning_rate: Learning rate alpha of the backbone.
        head_learning_rate: Learning rate of the head; None: the backbone's.
        second_moment_decay: Decay rate mu2 of the second moment, in (0, 1).
        weight_decay: Factor of the weights that are added to the gradient.
        bias_correction: Whether to correct the moments for their start at zero.
    """

    def __init__(
        self,
        weights: FlatWeights,
        *,
        learning_rate: float,
        head_learning_rate: float | None = None,
        second_moment_decay: float = 0.99,
        weight_decay: float = 0.0,
        bias_correction: bool = False,
    ) -> None:
        self._first = torch.zeros_like(weights.gradient)
        self._second = torch.zeros_like(weights.gradient)
        self._steps = 0
        self._bias_correction = bias_correction
        # Fused: one pass over the memory for each step, not one for each operation; not every device has it.
        device = weights.values.device
        is_fused = device.type in _FUSED_ON
        counts_on = device if is_fused else torch.device("cpu")  # where torch looks for the number of steps
        parts = [slice(0, weights.head_from), slice(weights.head_from, len(weights.gradient))]
        rates = [learning_rate, head_learning_rate or learning_rate]
        groups, state = [], {}
        for part, rate in zip(parts, rates, strict=True):
            values = weights.values[part]
            if len(values):  # of the backbone, perhaps none learn
                values.grad = weights.gradient[part]
                groups.append({"params": [values], "lr": rate, "rate": rate})
                moments = {"exp_avg": self._first[part], "exp_avg_sq": self._second[part]}
                state[values] = moments | {"step": torch.zeros((), device=counts_on)}
        self._optimiser = torch.optim.Adam(
            groups,
            betas=(FIRST_MOMENT_DECAY, second_moment_decay),
            eps=EPSILON,
            weight_decay=weight_decay,
            fused=is_fused,
        )
        self._optimiser.state.update(state)

    def reset(self) -> None:
        """Start the moments at zero again."""
        self._first.zero_()
        self._second.zero_()
        self._steps = 0

    def step(self, rate_factor: float = 1.0) -> None:
        """Take one step along the gradient that the weights hold; the rates are multiplied by `rate_factor`."""
        for group in self._optimiser.param_groups:
            group["lr"] = group["rate"] * rate_factor
        for state in self._optimiser.state.values():
            state["step"].fill_(self._steps if self._bias_correction else _SO_MANY_THAT_NOTHING_IS_CORRECTED)
        self._optimiser.step()
        self._steps += 1

    def state_dict(self) -> dict[str, Tensor | int]:
        """Return moments and step count."""
        return {"first": self._first, "second": self._second, "steps": self._steps}

    def load_state_dict(self, state: dict[str, Tensor | int]) -> None:
        """Go on from `state_dict`'s moments and step count."""
        self._first.copy_(torch.as_tensor(state["first"]))
        self._second.copy_(torch.as_tensor(state["second"]))
        self._steps = int(state["steps"])
