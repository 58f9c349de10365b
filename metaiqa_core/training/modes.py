"""Which part of a network learns, and how its batch normalisation behaves meanwhile."""

import torch
from torch import Tensor, nn

from metaiqa_core.models.backbones import norms_within_convolutions
from metaiqa_core.models.regressor import Regressor


def let_learn(network: Regressor, frozen_stages: int) -> None:
    """Ask for gradients of all weights but those of the first stages, in the memory layout that convolutions like."""
    network.to(memory_format=torch.channels_last)
    network.requires_grad_(True)
    for stage in list(network.backbone)[:frozen_stages]:
        stage.requires_grad_(False)


def training_mode(network: Regressor, frozen_stages: int, *, fixed_statistics: bool) -> None:
    """Switch to training; frozen stages, and batch normalisation with fixed statistics, stay in evaluation mode."""
    network.train()
    for module in network.backbone.modules():
        if fixed_statistics and isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    for stage in list(network.backbone)[:frozen_stages]:
        stage.eval()


def scores_to_learn_from(network: Regressor, maps: Tensor, frozen_stages: int) -> Tensor:
    """Return the unit scores (B,) of frozen stages' maps (B, C, h, w), to be differentiated by what learns."""
    with norms_within_convolutions(network.backbone[frozen_stages:]):
        return network.scores_from(maps, frozen_stages)
