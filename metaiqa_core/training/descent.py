"""Descent along gradients by one of torch's optimisers, with the moving average of the weights that come of it."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel

from metaiqa_core.errors import TrainingError

Model = TypeVar("Model", bound=nn.Module)


def require_finite_loss(loss: float) -> None:
    """Refuse to go on from a loss that is not finite.

    Raises:
        TrainingError: If it is infinite or not a number.
    """
    if not math.isfinite(loss):
        raise TrainingError(f"The loss became {loss}: lower the learning rates, or check the scores of the database.")


class Descent(Generic[Model]):
    """A model with the optimiser that moves its weights.

    Args:
        model: Model that learns; changed in place.
        optimiser: Optimiser of its weights.
        schedule: Schedule of the optimiser's learning rates, which moves on with each step.
        gradient_norm: Longest allowed gradient of all weights together; 0 for no limit.
        averaging: Decay of the exponential moving average of the weights, in [0, 1); 0 for none. It forgets the first
            steps faster than the later ones.
    """

    def __init__(
        self,
        model: Model,
        optimiser: torch.optim.Optimizer,
        schedule: LRScheduler,
        *,
        gradient_norm: float = 0.0,
        averaging: float = 0.0,
    ) -> None:
        self._model, self._optimiser, self._schedule = model, optimiser, schedule
        self._gradient_norm = gradient_norm
        self._averaged = AveragedModel(model, multi_avg_fn=_moving_average(averaging)) if averaging else None

    @property
    def outcome(self) -> Model:
        """The model with the average weights so far; without averaging, the model itself."""
        return cast(Model, self._averaged.module) if self._averaged else self._model

    def step(self, loss: Tensor) -> float:
        """Take a step down the gradient of a loss.

        Args:
            loss: Scalar loss that depends on the model's weights.

        Returns:
            The loss as a number, which is the one before the step.

        Raises:
            TrainingError: If the loss is not finite; no weight has moved then.
        """
        value = float(loss.detach())
        require_finite_loss(value)
        self._optimiser.zero_grad()
        loss.backward()
        if self._gradient_norm:
            nn.utils.clip_grad_norm_(self._model.parameters(), self._gradient_norm)
        self._optimiser.step()
        self._schedule.step()
        if self._averaged:
            self._averaged.update_parameters(self._model)
        return value

    def state_dict(self) -> dict[str, Any]:
        """Return weights, moments, rates and averages."""
        return {
            "model": self._model.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "averaged": self._averaged.state_dict() if self._averaged else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        self._model.load_state_dict(state["model"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        if self._averaged:
            self._averaged.load_state_dict(state["averaged"])


def _moving_average(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    def average(averaged: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
        count = int(count)  # once: on a GPU it has to be waited for
        rate = 1 - min(decay, (1 + count) / (10 + count))
        for one, other in zip(averaged, current, strict=True):
            one.add_((other - one) * rate)

    return average
