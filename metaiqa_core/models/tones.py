"""Tones: soft histograms of the light and the colours of a photo.

A backbone normalises its maps, and hardly sees whether a photo is dark, pale or burnt out.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metaiqa_core.models.spread import Spread

CHANNELS = 4
"""Channels that have a histogram each: red, green, blue and their mean."""
AVERAGED = 4
"""Side of the squares of pixels that are averaged first: noise and texture must not look like tones."""


class ToneMaps(nn.Module):
    """How near each place of a photo is to each of a number of tones, for each channel.

    A tone c is triangular, max(0, 1 - |x - c| (n - 1)), and the tones of a place add up to 1. It is put together from
    ramps max(0, x - k), for which attribution methods have their rules.

    Args:
        tones: Number n of tones, evenly spaced from 0 to 1.
    """

    knots: Tensor

    def __init__(self, tones: int) -> None:
        super().__init__()
        self.register_buffer("knots", torch.arange(-1, tones + 1) / (tones - 1), persistent=False)
        self.relu = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """Return the nearness (B, 4 n, h/4, w/4) of images (B, 3, h, w), RGB in [0, 1]."""
        small = F.avg_pool2d(images, AVERAGED)
        channels = torch.cat((small, small.mean(1, keepdim=True)), 1)
        ramps = self.relu(channels[:, :, None] - self.knots.view(1, 1, -1, 1, 1))
        tents = ramps[:, :, :-2] - 2 * ramps[:, :, 1:-1] + ramps[:, :, 2:]
        return (tents * (len(self.knots) - 3)).flatten(1, 2)


class Tones(nn.Module):
    """Mean and standard deviation of each tone over a photo: its soft histograms, and how decided they are.

    Args:
        tones: Number n of tones.
    """

    def __init__(self, tones: int) -> None:
        super().__init__()
        self.maps = ToneMaps(tones)
        self.spread = Spread()

    def forward(self, images: Tensor) -> Tensor:
        """Return the statistics (B, 8 n) of images (B, 3, h, w), RGB in [0, 1]."""
        maps = self.maps(images)
        return torch.cat((maps.mean((2, 3)), self.spread(maps.view_as(maps))), 1)  # a view: see `Regressor.pool`


def tone_features(tones: int) -> int:
    """Return the number of statistics of so many tones."""
    return 2 * CHANNELS * tones
