"""One forward and backward pass over a batch of rated photos: the squared error that all of MetaIQA minimises."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from metaiqa_core.models.regressor import Regressor
from metaiqa_core.training.descent import require_finite_loss
from metaiqa_core.training.frozen_features import KeptFeatures
from metaiqa_core.training.modes import seeded_dropout, training_scores
from metaiqa_core.training.photos import TrainingPhotos


@dataclass(frozen=True, eq=False)
class Pass:
    """Measurements of a pass, before the step that follows it.

    Attributes:
        loss: Mean squared error of the unit scores (Eqs. 2 and 9).
        predicted: Unit scores (B,) that the network gave.
        opinion: Unit scores (B,) that people gave.
    """

    loss: float
    predicted: Tensor
    opinion: Tensor


@dataclass(frozen=True, eq=False)
class Learner:
    """A network with the photos that it learns from.

    Attributes:
        network: The network that learns; each pass adds to its gradients.
        photos: Rated photos.
        features: Features of the photos after the frozen stages.
        crop: Side of the random square crop in pixels of the model's input.
        flip: Whether to mirror half of the crops.
        precision: Precision of the network: `fp32`, or `bf16` by torch's autocast.
    """

    network: Regressor
    photos: TrainingPhotos
    features: KeptFeatures
    crop: int
    flip: bool
    precision: str = "fp32"

    def backward(self, positions: Sequence[int], generator: np.random.Generator) -> Pass:
        """Add the gradient of the loss on one batch to the network's gradients.

        Args:
            positions: Positions of the B photos of the batch.
            generator: Source of crops, mirrors and dropout.

        Raises:
            TrainingError: If the loss is not finite.
        """
        maps = self.features.batch(positions, self.crop, self.flip, generator)
        opinion = self.photos.unit_scores[list(positions)].to(maps.device)
        bf16 = self.precision == "bf16"
        precision = torch.autocast(maps.device.type, torch.bfloat16) if bf16 else nullcontext()
        with seeded_dropout(generator, maps.device), precision:
            predicted = training_scores(self.network, maps, self.features.stages)
        predicted = predicted.float()
        loss = F.mse_loss(predicted, opinion)
        value = float(loss.detach())
        require_finite_loss(value)
        loss.backward()
        return Pass(value, predicted.detach(), opinion)
