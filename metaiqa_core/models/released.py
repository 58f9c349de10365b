"""The network of the code that the MetaIQA authors released, which differs from the paper's.

The paper pools ResNet18's features and adds two linear layers (Eq. 1). The released code keeps ResNet18 whole, ImageNet
classifier included, and regresses the score from its 1000 logits.

Source: Zhu et al., "MetaIQA: Deep Meta-Learning for No-Reference Image Quality Assessment", CVPR 2020;
https://github.com/zhuhancheng/MetaIQA.
"""

import torch
from torch import Tensor, nn

from metaiqa_core.models.backbones import IMAGENET_MEAN, IMAGENET_STD
from metaiqa_core.models.resnet_blocks import resnet18


class ReleasedHead(nn.Module):
    """ImageNet logits to a unit score: linear layers 1000-1024-512-1, the score squashed by a sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(1000, 1024)
        self.bn1 = nn.BatchNorm1d(1024)
        self.relu1 = nn.PReLU()
        self.drop1 = nn.Dropout(0.5)
        self.fc2 = nn.Linear(1024, 512)
        self.bn2 = nn.BatchNorm1d(512)
        self.relu2 = nn.PReLU()
        self.drop2 = nn.Dropout(0.5)
        self.fc3 = nn.Linear(512, 1)
        self.sig = nn.Sigmoid()

    def forward(self, logits: Tensor) -> Tensor:
        """Map logits (B, 1000) to unit scores (B, 1)."""
        hidden = self.drop1(self.relu1(self.bn1(self.fc1(logits))))  # (B, 1024)
        hidden = self.drop2(self.relu2(self.bn2(self.fc2(hidden))))  # (B, 512)
        return self.sig(self.fc3(hidden))


class ReleasedRegressor(nn.Module):
    """Predicts the unit score of photos as the released code does: 13,242,923 parameters, 140 state-dict entries.

    `resnet_layer` and `net` are the released code's names, so that its checkpoints fit without renaming.

    Note:
        Normalisation is part of the network here; the released code leaves it to its data loader.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.resnet_layer = resnet18()
        self.net = ReleasedHead()
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Score photos.

        Args:
            images: (B, 3, H, W) float, RGB in [0, 1], of any size from 32 pixels a side.

        Returns:
            Unit scores (B,) in [0, 1], higher is better.
        """
        logits = self.resnet_layer((images - self.mean) / self.std)  # (B, 1000)
        return self.net(logits).squeeze(1)
