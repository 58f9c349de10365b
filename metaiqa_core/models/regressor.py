"""The quality regression network, y = f(x; theta) (Eq. 1): a backbone, global average pooling, two linear layers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from metaiqa_core.models.backbones import (
    BACKBONES,
    IMAGENET_MEAN,
    IMAGENET_STD,
    build_backbone,
    feature_channels,
    load_classifier_weights,
)
from metaiqa_core.models.batch_norm import fold_batch_norm, unfolded_weights


@dataclass(frozen=True)
class RegressorConfig:
    """What the network looks like; defaults are the paper's.

    Attributes:
        backbone: A torchvision classifier, one of `BACKBONES` (Section 4.1: ResNet18).
        hidden: Width of the first linear layer.
        dropout: Probability in front of the first linear layer while training.
        folded: Whether the backbone's batch normalisation is folded into its convolutions: the same function with fewer
            passes over memory, for networks whose statistics are not going to change.
    """

    backbone: str = "resnet18"
    hidden: int = 512
    dropout: float = 0.0
    folded: bool = False

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise ValueError(f"backbone must be one of {', '.join(BACKBONES)}, got {self.backbone!r}")
        if self.hidden < 1:
            raise ValueError(f"hidden must be at least 1, got {self.hidden}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)


class Regressor(nn.Module):
    """Predicts the unit score of photos; differentiable, so it serves as a loss too.

    Args:
        config: The architecture.
        backbone_weights: State dict of the torchvision classifier to start from; None: random weights.
        source: Origin of those weights, for messages.

    Raises:
        CheckpointError: If the weights are of another architecture.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        config: RegressorConfig | None = None,
        *,
        backbone_weights: Mapping[str, Tensor] | None = None,
        source: str | Path = "the weights",
    ) -> None:
        super().__init__()
        self.config = config or RegressorConfig()
        self.backbone = build_backbone(self.config.backbone)
        if backbone_weights is not None:
            load_classifier_weights(self.backbone, backbone_weights, source)
        if self.config.folded:
            self.fold()
        last = nn.Linear(self.config.hidden, 1)
        # The first predictions lie near the middle of the scale, so that the first steps go into ranking.
        nn.init.normal_(last.weight, std=0.01)
        nn.init.constant_(last.bias, 0.5)
        self.head = nn.Sequential(
            nn.Dropout(self.config.dropout),
            nn.Linear(feature_channels(self.backbone), self.config.hidden),
            nn.ReLU(),
            last,
        )
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Score photos.

        Args:
            images: (B, 3, H, W) float, RGB in [0, 1], of any size from 32 pixels a side.

        Returns:
            Unit scores (B,), about [0, 1], higher is better.
        """
        return self.scores_from(self.features(images, 0), 0)

    def fold(self) -> None:
        """Fold batch normalisation into the convolutions for good, in place: the same function, computed faster."""
        fold_batch_norm(self.backbone)
        self.config = replace(self.config, folded=True)

    def unfold(self) -> None:
        """Put batch normalisation back, in place: the same function, and something to learn statistics with."""
        if self.config.folded:
            backbone = build_backbone(self.config.backbone).train(self.training)
            backbone.load_state_dict(unfolded_weights(backbone, self.backbone.state_dict()))
            self.backbone = backbone.to(self.mean.device)
            self.config = replace(self.config, folded=False)

    def features(self, images: Tensor, stages: int) -> Tensor:
        """Return the feature maps (B, C, h, w) after the first `stages` stages of the backbone."""
        features = (images - self.mean) / self.std
        for stage in self.backbone[:stages]:
            features = stage(features)
        return features

    def scores_from(self, features: Tensor, stages: int) -> Tensor:
        """Return the unit scores (B,) that follow from the feature maps after the first `stages` stages."""
        for stage in self.backbone[stages:]:
            features = stage(features)
        pooled = features.mean((2, 3))  # global average pooling, whatever the size: (B, C)
        return self.head(pooled).squeeze(1)
