"""Self-calibrated convolution, and the adapter that gives it to a pretrained backbone.

Source: Liu, Hou, Cheng, Wang and Feng, *Improving Convolutional Networks with Self-Calibrated Convolutions*, CVPR 2020.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REDUCTION = 4
"""Factor r by which the maps are shrunk before the calibration (published)."""


class EnlargeTo(nn.Module):
    """Up: enlarge maps to the size of others by repeating the nearest value (published: `F.interpolate`)."""

    def forward(self, maps: Tensor, like: Tensor) -> Tensor:
        """Return maps (B, C, h, w) at the size of `like` (B, C', H, W): (B, C, H, W)."""
        return F.interpolate(maps, size=like.shape[2:], mode="nearest")


class SelfCalibration(nn.Module):
    """SC(b) = F4( F3(b) * sigmoid(b + Up(F2(AvgPool4(b)))) ), where F2 to F4 are 3x3 convolutions, each normalised.

    *Published* (Section 3.1, Eqs. 2 to 5), with the names of the published code, so that its weights fit.

    Note:
        The pooling counts incomplete windows at the edge (ceil mode), so that maps smaller than 4 x 4 have a value;
        where the side is a multiple of four this changes nothing. *Inferred.*

    Args:
        channels: Number of channels of the maps, before and after.
        stride: Stride of F4.
    """

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.k2 = nn.Sequential(
            nn.AvgPool2d(REDUCTION, ceil_mode=True), _convolution(channels), nn.BatchNorm2d(channels)
        )
        self.k3 = nn.Sequential(_convolution(channels), nn.BatchNorm2d(channels))
        self.k4 = nn.Sequential(_convolution(channels, stride), nn.BatchNorm2d(channels))
        self.enlarge = EnlargeTo()
        self.gate = nn.Sigmoid()

    def forward(self, maps: Tensor) -> Tensor:
        """Return the calibrated maps (B, C, h', w') of maps (B, C, h, w)."""
        gate = self.gate(maps + self.enlarge(self.k2(maps), maps))
        return self.k4(self.k3(maps) * gate)


class SelfCalibratedAdapter(nn.Module):
    """y = x + g * SC(x), with a scale g that is learned from 0: at the start it changes nothing.

    *Inferred*: the abstract names a self-calibrated backbone; this gives self-calibration to one that is pretrained
    without. The calibration works on fewer channels, between two 1x1 convolutions, as those of a bottleneck do: at 320
    channels it would otherwise have as many weights as the whole backbone.

    Args:
        channels: Number of channels of the maps.
        width: Most channels within.
    """

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__()
        inner = min(channels, width)
        self.reduce = nn.Conv2d(channels, inner, 1, bias=False)
        self.reduce_norm = nn.BatchNorm2d(inner)
        self.active = nn.ReLU()
        self.calibration = SelfCalibration(inner)
        self.expand = nn.Conv2d(inner, channels, 1, bias=False)
        self.scale = nn.Parameter(torch.zeros(1))

    def forward(self, maps: Tensor) -> Tensor:
        """Return the adapted maps (B, C, h, w) of maps (B, C, h, w)."""
        inner = self.active(self.reduce_norm(self.reduce(maps)))
        return maps + self.scale * self.expand(self.calibration(inner))


def _convolution(channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
