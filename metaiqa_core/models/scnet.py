"""SCNet-50: a ResNet50 whose 3x3 convolutions are split in two, one half of which calibrates itself.

*Published*: Liu et al., *Improving Convolutional Networks with Self-Calibrated Convolutions*, CVPR 2020, with the names
of the published code, so that its ImageNet weights fit (`--initial-weights FILE`); no package holds them.
"""

from torch import Tensor, cat, nn
from torchvision.models import resnet

from metaiqa_core.models.self_calibration import SelfCalibration

EXPANSION = 4


class SelfCalibratedBottleneck(nn.Module):
    """Two halves a and b of the width, an ordinary and a self-calibrated one, joined again (published, Figure 2).

    a = ReLU(BN(1x1 x)), b likewise; a' = ReLU(BN(3x3, stride s)(a)); b' = ReLU(SC(b)), whose last convolution has the
    stride; y = ReLU(BN(1x1(concat(a', b'))) + shortcut). Every activation is a module of its own and none works in
    place, for attribution methods that hook them.

    Args:
        inputs: Number of channels of the maps.
        planes: A quarter of the number of channels that come out.
        stride: Stride of the block.
        downsample: The shortcut, where shapes differ.
    """

    def __init__(self, inputs: int, planes: int, stride: int = 1, downsample: nn.Module | None = None) -> None:
        super().__init__()
        half = planes // 2
        self.conv1_a = nn.Conv2d(inputs, half, 1, bias=False)
        self.bn1_a = nn.BatchNorm2d(half)
        self.conv1_b = nn.Conv2d(inputs, half, 1, bias=False)
        self.bn1_b = nn.BatchNorm2d(half)
        self.k1 = nn.Sequential(nn.Conv2d(half, half, 3, stride, padding=1, bias=False), nn.BatchNorm2d(half))
        self.scconv = SelfCalibration(half, stride)
        self.conv3 = nn.Conv2d(2 * half, planes * EXPANSION, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * EXPANSION)
        self.relu1_a, self.relu1_b, self.relu2_a, self.relu2_b, self.relu3 = (nn.ReLU() for _ in range(5))
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, C, h, w) to features (B, C', h', w')."""
        shortcut = x if self.downsample is None else self.downsample(x)
        ordinary = self.relu2_a(self.k1(self.relu1_a(self.bn1_a(self.conv1_a(x)))))
        calibrated = self.relu2_b(self.scconv(self.relu1_b(self.bn1_b(self.conv1_b(x)))))
        return self.relu3(self.bn3(self.conv3(cat([ordinary, calibrated], 1))) + shortcut)


class SCNet(nn.Module):
    """The classifier: images (B, 3, H, W) to logits (B, num_classes); only its stages are used here.

    Args:
        blocks: Number of blocks of each of the four stages.
        num_classes: Number of classes.
    """

    def __init__(self, blocks: tuple[int, int, int, int] = (3, 4, 6, 3), num_classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.layer1 = _stage(64, 64, blocks[0], 1)
        self.layer2 = _stage(256, 128, blocks[1], 2)
        self.layer3 = _stage(512, 256, blocks[2], 2)
        self.layer4 = _stage(1024, 512, blocks[3], 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * EXPANSION, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Classify images (B, 3, H, W)."""
        maps = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        maps = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        return self.fc(self.avgpool(maps).flatten(1))


def scnet50() -> SCNet:
    """Build a randomly initialised SCNet-50, 25,564,584 parameters with its fc (published)."""
    return SCNet()


def _stage(inputs: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    outputs = planes * EXPANSION
    downsample = None
    if stride != 1 or inputs != outputs:
        downsample = nn.Sequential(resnet.conv1x1(inputs, outputs, stride), nn.BatchNorm2d(outputs))
    first = SelfCalibratedBottleneck(inputs, planes, stride, downsample)
    return nn.Sequential(first, *(SelfCalibratedBottleneck(outputs, planes) for _ in range(1, blocks)))
