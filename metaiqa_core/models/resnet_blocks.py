"""ResNets whose activations are separate modules that leave their input alone.

Torchvision's residual blocks call one in-place ReLU several times. Attribution methods such as DeepLIFT hook modules to
see each activation's input and output, which that one module can neither tell apart nor preserve. These networks have
torchvision's parameters under torchvision's names and compute the same numbers; training them takes more memory.

Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; Shrikumar et al., "Learning Important
Features Through Propagating Activation Differences", ICML 2017 (DeepLIFT).
"""

from typing import Any

from torch import Tensor, nn
from torchvision.models import resnet


class SeparateBasicBlock(resnet.BasicBlock):
    """Two 3x3 convolutions and a shortcut (ResNet18 and 34), with one ReLU module an activation."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        del self.relu
        self.relu1 = nn.ReLU()
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, C, h, w) to features (B, C', h', w')."""
        shortcut = x if self.downsample is None else self.downsample(x)
        residual = self.relu1(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        return self.relu2(residual + shortcut)


class SeparateBottleneck(resnet.Bottleneck):
    """A 1x1, a 3x3 and a 1x1 convolution and a shortcut (ResNet50), with one ReLU module an activation."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        del self.relu
        self.relu1 = nn.ReLU()
        self.relu2 = nn.ReLU()
        self.relu3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, C, h, w) to features (B, C', h', w')."""
        shortcut = x if self.downsample is None else self.downsample(x)
        residual = self.relu1(self.bn1(self.conv1(x)))
        residual = self.relu2(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        return self.relu3(residual + shortcut)


def resnet18(num_classes: int = 1000) -> resnet.ResNet:
    """Build a randomly initialised ResNet18: images (B, 3, H, W) to logits (B, num_classes)."""
    return _build(SeparateBasicBlock, [2, 2, 2, 2], num_classes)


def resnet34(num_classes: int = 1000) -> resnet.ResNet:
    """Build a randomly initialised ResNet34: images (B, 3, H, W) to logits (B, num_classes)."""
    return _build(SeparateBasicBlock, [3, 4, 6, 3], num_classes)


def resnet50(num_classes: int = 1000) -> resnet.ResNet:
    """Build a randomly initialised ResNet50: images (B, 3, H, W) to logits (B, num_classes)."""
    return _build(SeparateBottleneck, [3, 4, 6, 3], num_classes)


def _build(
    block: type[SeparateBasicBlock] | type[SeparateBottleneck], blocks_per_stage: list[int], num_classes: int
) -> resnet.ResNet:
    network = resnet.ResNet(block, blocks_per_stage, num_classes=num_classes)
    network.relu = nn.ReLU()
    return network
