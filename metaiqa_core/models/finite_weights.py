"""Check that weights are finite, made whenever they are read and before they are written."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from metaiqa_core.errors import TrainingError


def first_not_finite(weights: Mapping[str, Tensor]) -> str | None:
    """Return the name of the first tensor with an infinite value or none at all (NaN); None where all are finite."""
    for name, value in weights.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            return name
    return None


def require_finite(network: nn.Module) -> None:
    """Refuse a network whose training has diverged, before anything of it is saved.

    Raises:
        TrainingError: If a weight or a running statistic is not finite.
    """
    if name := first_not_finite(network.state_dict()):
        raise TrainingError(
            f"The weights are not finite any more, first in {name}: nothing was written. Lower the learning rates, and "
            "start again with another --run-dir."
        )
