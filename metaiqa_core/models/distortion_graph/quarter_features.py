"""Features of a photo's quarters: mean and deviation of every channel of every level, for any input size.

Kept for many photos, they are what the graph learns from: the backbone then rests.
"""

import torch
from torch import Tensor, nn

from metaiqa_core.models.distortion_graph.graph_config import GraphConfig
from metaiqa_core.models.regressor import Regressor

TONE_CHANNELS = 5
"""Channels of the tone level: red, green, blue, lightness, and the distance of the largest from the smallest."""


class Quarters(nn.Module):
    """Mean and standard deviation of each channel over the four quarters of its maps.

    *Inferred*: the nodes of a photo's own graph are its parts, so that its answer does not depend on other photos. They
    are cut from the feature maps, which costs nothing, and a part has seen its surroundings. Where a side is odd, two
    quarters share the row or column in the middle.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Return the statistics (B, 4, 2 C) of maps (B, C, h, w), quarters row by row."""
        height, width = maps.shape[2:]
        rows = slice(0, (height + 1) // 2), slice(height // 2, None)
        columns = slice(0, (width + 1) // 2), slice(width // 2, None)
        parts = [maps[:, :, row, column] for row in rows for column in columns]
        statistics = [
            torch.cat([part.mean((2, 3)), (part.var((2, 3), correction=0) + 1e-6).sqrt()], 1) for part in parts
        ]
        return torch.stack(statistics, 1)


class ToneBins(nn.Module):
    """How near each pixel is to each of a number of tones, whose means are soft histograms of light and colour.

    *Inferred*: a backbone normalises its maps, and hardly sees whether a photo is pale or dark. A tone is triangular,
    relu(1 - |x - c| (n - 1)), and the tones of a pixel add up to 1. Pairs of rows and columns are averaged first.

    Args:
        bins: Number n of tones.
    """

    centres: Tensor

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.linspace(0, 1, bins), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the nearness (B, 5 n, h/2, w/2) of images (B, 3, h, w), RGB in [0, 1]."""
        small = nn.functional.avg_pool2d(images, 2)
        light = small.mean(1, keepdim=True)
        spread = small.amax(1, keepdim=True) - small.amin(1, keepdim=True)
        channels = torch.cat([small, light, spread], 1)
        bins = len(self.centres)
        distances = (channels[:, :, None] - self.centres.view(1, 1, -1, 1, 1)).abs() * (bins - 1)
        return (1 - distances).clamp(min=0).flatten(1, 2)


class QuarterFeatures(nn.Module):
    """The backbone of the graph model: from photos to the features of their quarters.

    Multi-scale fusion [A], on the levels that the configuration names, and with [mean, std] of each [I].

    Args:
        config: Configuration of the graph model.
        start: Network to take the weights of the backbone and, if it fuses the same stages, of the fusion from; its
            stages and adapters must be the same; None: random weights.

    Attributes:
        width: Number of features of a quarter.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: GraphConfig, start: Regressor | None = None) -> None:
        super().__init__()
        network = Regressor(config.backbone)
        if start is not None:
            network.backbone.load_state_dict(start.backbone.state_dict())
            own, wanted = start.config, config.backbone
            if wanted.fused and (own.fused, own.pooled) == (wanted.fused, wanted.pooled):
                network.fusion.load_state_dict(start.fusion.state_dict())
        self.config = config
        self.backbone = network.backbone[: config.backbone.pooled[-1]]  # what comes after is never asked for
        self.fusion = network.fusion if config.backbone.fused else None
        self.tone = ToneBins(config.tone) if config.tone else None
        levels = len(config.backbone.pooled)
        self.quarters = nn.ModuleList(Quarters() for _ in range(levels + bool(config.tone)))
        self.register_buffer("mean", network.mean, persistent=False)
        self.register_buffer("std", network.std, persistent=False)
        self.width = sum(network.level_channels) * 2 + 2 * TONE_CHANNELS * config.tone

    def forward(self, images: Tensor) -> Tensor:
        """Return the features (B, 4, P) of images (B, 3, H, W), RGB in [0, 1], of any size from 128 pixels a side."""
        maps = (images - self.mean) / self.std
        levels = []
        for number, stage in enumerate(self.backbone, start=1):
            maps = stage(maps)
            if number in self.config.backbone.pooled:
                levels.append(maps)
        if self.fusion is not None:
            levels = self.fusion(levels)
        if self.tone is not None:
            levels = [self.tone(images), *levels]
        return torch.cat([quarter(one) for quarter, one in zip(self.quarters, levels, strict=True)], 2)
