"""Adam on one flat vector, as the paper prints it: with or without the correction of its moments' start at zero."""

import torch
from torch import Tensor

from metaiqa_core.training.flat_weights import FlatWeights

FIRST_MOMENT_DECAY = 0.9  # mu1 (Section 4.1)
EPSILON = 1e-8


class Adam:
    """Steps of the inner loop (Eqs. 4-7).

    torch.optim.Adam always corrects its moments; six steps that do not are 1.6 times as long (and 5 times with the
    second moment's usual decay of 0.999), so the correction is not a detail here.

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
        self._weights = weights
        self._rates = learning_rate, head_learning_rate or learning_rate
        self._second_moment_decay = second_moment_decay
        self._weight_decay = weight_decay
        self._bias_correction = bias_correction
        self._first = torch.zeros_like(weights.gradient)
        self._second = torch.zeros_like(weights.gradient)
        self._scratch = torch.empty_like(weights.gradient)
        self._steps = 0

    def reset(self) -> None:
        """Start the moments at zero again."""
        self._first.zero_()
        self._second.zero_()
        self._steps = 0

    @torch.no_grad()
    def step(self, rate_factor: float = 1.0) -> None:
        """Take one step along the gradient that the weights hold; the rates are multiplied by `rate_factor`."""
        gradient, learned = self._weights.gradient, self._weights.values[: len(self._weights.gradient)]
        if self._weight_decay:
            gradient.add_(learned, alpha=self._weight_decay)
        self._first.lerp_(gradient, 1 - FIRST_MOMENT_DECAY)  # Eq. 5
        self._second.mul_(self._second_moment_decay).addcmul_(gradient, gradient, value=1 - self._second_moment_decay)
        self._steps += 1
        first_scale = second_scale = 1.0
        if self._bias_correction:
            first_scale = 1 - FIRST_MOMENT_DECAY**self._steps
            second_scale = 1 - self._second_moment_decay**self._steps
        divisor = torch.sqrt(self._second, out=self._scratch).div_(second_scale**0.5).add_(EPSILON)
        parts = slice(0, self._weights.head_from), slice(self._weights.head_from, None)
        for part, rate in zip(parts, self._rates, strict=True):
            learned[part].addcdiv_(self._first[part], divisor[part], value=-rate * rate_factor / first_scale)

    def state_dict(self) -> dict[str, Tensor | int]:
        """Return moments and step count."""
        return {"first": self._first, "second": self._second, "steps": self._steps}

    def load_state_dict(self, state: dict[str, Tensor | int]) -> None:
        """Go on from `state_dict`'s moments and step count."""
        self._first.copy_(torch.as_tensor(state["first"]))
        self._second.copy_(torch.as_tensor(state["second"]))
        self._steps = int(state["steps"])
