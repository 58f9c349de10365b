"""EfficientNet-Lite 0, 1 and 2 as plain stacks of stages, with live batch normalisation.

EfficientNet without squeeze-and-excitation and with ReLU6 throughout, made for small devices (Tan and Le,
*EfficientNet*, ICML 2019; the Lite variants: Liu, *Higher accuracy on vision models with EfficientNet-Lite*, TensorFlow
blog, 2020). The ImageNet weights that are to be had were trained in TensorFlow, whose "same" padding is asymmetric at
stride 2; the convolutions here pad alike, so that the weights compute what they were trained to compute.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class _Group:
    """Blocks of one width: kernel side, stride of the first, expansion of the channels, width, number of blocks."""

    kernel: int
    stride: int
    expansion: int
    channels: int
    blocks: int


_GROUPS = (
    _Group(3, 1, 1, 16, 1),
    _Group(3, 2, 6, 24, 2),
    _Group(5, 2, 6, 40, 2),
    _Group(3, 2, 6, 80, 3),
    _Group(5, 1, 6, 112, 3),
    _Group(5, 2, 6, 192, 4),
    _Group(3, 1, 6, 320, 1),
)
_STEM, _HEAD = 32, 1280
_EPS = 1e-3
_MOMENTUM = 0.01

WIDTH_AND_DEPTH = {"efficientnet_lite0": (1.0, 1.0), "efficientnet_lite1": (1.0, 1.1), "efficientnet_lite2": (1.1, 1.2)}
"""Factors of the channels and of the number of blocks, by backbone."""

MEAN, STD = (127 / 255,) * 3, (128 / 255,) * 3
"""Normalisation of RGB in [0, 1] that the ImageNet weights were trained with."""


class SameConv2d(nn.Conv2d):
    """A convolution whose output side is the input side over the stride, rounded up, padded as TensorFlow does.

    Where the padding is odd, the additional row and column lie below and to the right.
    """

    def padding_before(self, height: int, width: int) -> tuple[int, int]:
        """Return the rows above and the columns to the left that maps of this size are padded with."""
        return self._padding_of(height, 0) // 2, self._padding_of(width, 1) // 2

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        height, width = input.shape[-2:]
        vertical, horizontal = self._padding_of(height, 0), self._padding_of(width, 1)
        top, left = padding = self.padding_before(height, width)
        if vertical % 2 or horizontal % 2:
            input = F.pad(input, (left, horizontal - left, top, vertical - top))
            padding = (0, 0)
        return F.conv2d(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def _padding_of(self, side: int, axis: int) -> int:
        """Return the number of rows (axis 0) or columns (axis 1) that are added on both sides together."""
        reach, stride = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1, self.stride[axis]
        return max((math.ceil(side / stride) - 1) * stride + reach - side, 0)


class InvertedResidual(nn.Module):
    """Expand the channels, filter each on its own, project to fewer; added to the input where shapes allow.

    Args:
        channels: Width of the input.
        group: Kernel, expansion and width of the output.
        stride: Stride of the depthwise convolution.
    """

    def __init__(self, channels: int, group: _Group, stride: int) -> None:
        super().__init__()
        wide = channels * group.expansion
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if group.expansion != 1:
            layers |= _normalised("expand", channels, wide, 1)
        layers |= _normalised("depthwise", wide, wide, group.kernel, stride, groups=wide)
        layers |= _normalised("project", wide, group.channels, 1, active=False)
        self.layers = nn.Sequential(layers)
        self.has_shortcut = stride == 1 and channels == group.channels

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps (B, C', h', w') that follow from maps (B, C, h, w)."""
        filtered = self.layers(maps)
        return filtered + maps if self.has_shortcut else filtered


def efficientnet_lite(name: str) -> nn.Sequential:
    """Build the stages with random weights: the stem, seven groups of blocks, and the last convolution.

    Args:
        name: Name of the network, one of the keys of `WIDTH_AND_DEPTH`.

    Returns:
        Nine stages; maps are 1/2 of the image's side after the first and the second, then 1/4, 1/8, twice 1/16, and
        three times 1/32.
    """
    width, depth = WIDTH_AND_DEPTH[name]
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    stages["stem"] = nn.Sequential(_normalised("conv", 3, _STEM, 3, 2))
    channels = _STEM
    for number, group in enumerate(_GROUPS):
        # The first and the last group have as many blocks in every variant.
        deep = group.blocks if number in (0, len(_GROUPS) - 1) else math.ceil(group.blocks * depth)
        wide = _Group(group.kernel, group.stride, group.expansion, _scaled(group.channels, width), deep)
        blocks = [InvertedResidual(channels, wide, wide.stride)]
        blocks += [InvertedResidual(wide.channels, wide, 1) for _ in range(deep - 1)]
        stages[f"group{number + 1}"] = nn.Sequential(*blocks)
        channels = wide.channels
    stages["head"] = nn.Sequential(_normalised("conv", channels, _HEAD, 1))
    return nn.Sequential(stages)


def _normalised(
    name: str, inputs: int, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1, active: bool = True
) -> "OrderedDict[str, nn.Module]":
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers[name] = SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
    layers[f"{name}_norm"] = nn.BatchNorm2d(outputs, eps=_EPS, momentum=_MOMENTUM)
    if active:
        layers[f"{name}_relu"] = nn.ReLU6()
    return layers


def _scaled(channels: int, factor: float) -> int:
    """Return a width scaled and rounded to a multiple of eight, never by more than a tenth downwards."""
    scaled = max(8, int(channels * factor + 4) // 8 * 8)
    return scaled + 8 if scaled < 0.9 * channels * factor else scaled
