"""The quality regression network, y = f(x; theta) (Eq. 1): a backbone, global average pooling, two linear layers.

The paper pools the last stage. A network may pool several stages instead, mean and standard deviation of each channel:
noise and blur show in early stages, and in the variation of a channel over the photo.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from metaiqa_core.models.backbones import (
    add_adapters,
    build_backbone,
    load_classifier_weights,
    normalisation,
    stage_channels,
)
from metaiqa_core.models.batch_norm import fold_batch_norm, unfolded_weights
from metaiqa_core.models.kernel_head import Gaussians, Likenesses, Mixture
from metaiqa_core.models.multi_scale_fusion import MultiScaleFusion
from metaiqa_core.models.regressor_config import RegressorConfig
from metaiqa_core.models.spread import Spread
from metaiqa_core.models.tones import Tones, tone_features


class Regressor(nn.Module):
    """Predicts the unit score of photos; differentiable, so it serves as a loss too.

    Args:
        config: Configuration of the architecture.
        backbone_weights: State dict of the classifier to start from; None: random weights.
        source: Origin of those weights, for messages.

    Raises:
        CheckpointError: If the weights are of another architecture.
        ValueError: If a stage is to be pooled that the backbone does not have.

    Attributes:
        level_channels: Numbers of channels of the stages that are pooled, as they are pooled; empty: the last one.
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
        add_adapters(self.backbone, self.config.adapters)
        if self.config.folded:
            self.fold()
        channels = stage_channels(self.backbone)
        if self.config.pooled and self.config.pooled[-1] > len(channels):
            raise ValueError(
                f"pooled must name stages of {self.config.backbone}, 1 to {len(channels)}, got {self.config.pooled[-1]}"
            )
        levels = [channels[stage - 1] for stage in self.config.pooled]
        if self.config.fused:
            self.fusion = MultiScaleFusion(levels, self.config.fused)
            levels = [self.config.fused] * len(levels)
        self.level_channels = tuple(levels)
        pooled = 2 * sum(levels) or channels[-1]
        centres, studies, hidden = self.config.centres, self.config.studies, self.config.hidden
        self.tones = Tones(self.config.tones) if self.config.tones else None
        of_tones = tone_features(self.config.tones)
        last = nn.Linear(centres + self.config.tone_centres or hidden, 2 * studies or 1)
        # The first predictions lie near the middle of the scale, so that the first steps go into ranking.
        nn.init.normal_(last.weight, std=0.01)
        nn.init.constant_(last.bias, 0.5)
        between: nn.Module = Gaussians(hidden, centres) if centres else nn.ReLU()
        if self.tones:
            between = Likenesses(hidden, centres, of_tones, self.config.tone_centres)
        seen = pooled + of_tones
        layers = [nn.Dropout(self.config.dropout), nn.Linear(seen, hidden + of_tones), between, last]
        layers += [Mixture(studies)] if studies else []
        # Channels of different stages differ in size by orders of magnitude.
        self.head = nn.Sequential(*([Standardise(seen)] if self.config.pooled else []), *layers)
        mean, std = normalisation(self.config.backbone)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        self.spreads = nn.ModuleList(Spread() for _ in self.config.pooled)  # one each: a hooked module runs once

    def forward(self, images: Tensor) -> Tensor:
        """Score photos.

        Args:
            images: (B, 3, H, W) float, RGB in [0, 1], of any size from 32 pixels a side.

        Returns:
            Unit scores (B,), about [0, 1], higher is better.
        """
        return self.head(self.head_input(images)).squeeze(1)

    def fold(self) -> None:
        """Fold batch normalisation into the convolutions for good, in place: the same function, computed faster."""
        fold_batch_norm(self.backbone)
        self.config = replace(self.config, folded=True)

    def unfold(self) -> None:
        """Put batch normalisation back, in place: the same function, and something to learn statistics with."""
        if self.config.folded:
            backbone = build_backbone(self.config.backbone)
            add_adapters(backbone, self.config.adapters)
            backbone.train(self.training)
            backbone.load_state_dict(unfolded_weights(backbone, self.backbone.state_dict()))
            self.backbone = backbone.to(self.mean.device)
            self.config = replace(self.config, folded=False)

    def features(self, images: Tensor, stages: int) -> Tensor:
        """Return the feature maps (B, C, h, w) after the first `stages` stages of the backbone."""
        features = (images - self.mean) / self.std
        for stage in self.backbone[:stages]:
            features = stage(features)
        return features

    def pooled_maps(self, features: Tensor, stages: int) -> list[Tensor]:
        """Return the feature maps (B, C, h, w) of every stage that is pooled.

        Args:
            features: Feature maps (B, C, h, w) after the first `stages` stages.
            stages: Number of stages that the features have passed.

        Raises:
            ValueError: If a stage before that is pooled: its maps are not there any more.
        """
        pooled = self.config.pooled or (len(self.backbone),)
        if pooled[0] < stages:
            raise ValueError(f"stages must be at most {pooled[0]}, the first stage that is pooled, got {stages}")
        kept = []
        for number in range(stages, pooled[-1] + 1):
            if number > stages:
                features = self.backbone[number - 1](features)
            if number in pooled:
                kept.append(features)
                features = features.view_as(features)  # see `pool`
        return kept

    def pool(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the head's input (B, P): global pooling of the maps of `pooled_maps`, whatever their size."""
        if not self.config.pooled:
            return maps[-1].mean((2, 3))
        if self.config.fused:
            maps = self.fusion(maps)
        parts = []
        for one, spread in zip(maps, self.spreads, strict=True):
            # Attribution methods rewrite the gradient of the tensor that enters a module. That must not be the gradient
            # that the maps get from their mean or from the next stage: hence a view, a tensor of its own.
            parts += [one.mean((2, 3)), spread(one.view_as(one))]
        return torch.cat(parts, 1)

    @property
    def stages_used(self) -> int:
        """Number of stages up to the last one that is pooled; those after it change no score."""
        return self.config.pooled[-1] if self.config.pooled else len(self.backbone)

    def head_input(self, images: Tensor) -> Tensor:
        """Return what the head sees (B, P) of photos (B, 3, H, W) in [0, 1]: pooled features, and tones if any."""
        tones = self.tones(images) if self.tones else None  # first: the last maps that a pass makes are the backbone's
        pooled = self.pool(self.pooled_maps(self.features(images, 0), 0))
        return pooled if tones is None else torch.cat((pooled, tones), 1)

    def scores_from(self, features: Tensor, stages: int) -> Tensor:
        """Return the unit scores (B,) that follow from what the first `stages` stages give.

        Args:
            features: Feature maps (B, C, h, w); where these are all stages that are used, also `head_input` (B, P).
            stages: Number of stages that the features have passed.

        Raises:
            ValueError: If the head sees tones, which maps of later stages do not tell.
        """
        if features.dim() == 2:
            return self.head(features).squeeze(1)
        seen = self.pool(self.pooled_maps(features, stages))
        if self.tones is not None:
            if stages:
                raise ValueError(
                    f"tones are those of the photo, which {stages} stages do not keep: freeze none, or all"
                )
            seen = torch.cat((seen, self.tones(features * self.std + self.mean)), 1)
        return self.head(seen).squeeze(1)


class Standardise(nn.Module):
    """Shift and scale of each feature, fitted once and fixed; the identity until then.

    Args:
        features: Number of features, P.
    """

    mean: Tensor
    deviation: Tensor
    fitted: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.register_buffer("fitted", torch.tensor(False))

    def fit(self, features: Tensor) -> None:
        """Take mean and deviation from features (N, P) of typical images; constant ones are only shifted."""
        deviation = features.std(0, correction=0)
        self.mean.copy_(features.mean(0))
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))
        self.fitted.fill_(True)

    def forward(self, features: Tensor) -> Tensor:
        """Return the standardised features (B, P)."""
        return (features - self.mean) / self.deviation
