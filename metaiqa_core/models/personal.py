"""A personal model: the general model, and a linear correction towards one person's taste.

The correction reads the general model's score, the looks of the photo (`Looks`) and the features that the general
model's head reads, all of one pass through the backbone. `metaiqa_core.taste` fits it.
"""

import torch
from torch import Tensor, nn

from metaiqa_core.models.looks import NAMES, Looks
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.models.regressor_config import RegressorConfig


class PersonalRegressor(nn.Module):
    """Predicts the unit score that one person would give; differentiable like the general model.

    Args:
        config: Configuration of the general model.
        general: General model, which becomes a part of this one; None: random weights.

    Raises:
        ValueError: If a stage is to be pooled that the backbone does not have.
    """

    def __init__(self, config: RegressorConfig, general: Regressor | None = None) -> None:
        super().__init__()
        self.config = config
        self.looks = Looks()
        self.general = general or Regressor(config)
        self.correction = nn.Linear(1 + len(NAMES) + features_of(self.general), 1)

    def forward(self, images: Tensor) -> Tensor:
        """Score photos.

        Args:
            images: (B, 3, H, W) float, RGB in [0, 1], of any size from 32 pixels a side.

        Returns:
            Unit scores (B,), about [0, 1], higher is better.
        """
        return self.correction(seen(self.general, self.looks, images)).squeeze(1)


def seen(general: Regressor, looks: Looks, images: Tensor) -> Tensor:
    """Return what a correction reads of photos: general score, looks and pooled features, (B, 1 + 9 + P)."""
    light_and_colour = looks(images)  # first: the last maps that a pass makes are the backbone's
    pooled = general.head_input(images)
    return torch.cat((general.head(pooled), light_and_colour, pooled), 1)


def features_of(general: Regressor) -> int:
    """Return the number of pooled features, P, that the head of a general model reads."""
    return next(layer for layer in general.head if isinstance(layer, nn.Linear)).in_features
