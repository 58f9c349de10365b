"""Which part of a network learns, and how its batch normalisation behaves meanwhile."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from metaiqa_core.errors import TrainingError
from metaiqa_core.models.batch_norm import idle_norms, norms_within_convolutions, set_statistics
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.training.frozen_features import FrozenFeatures

STATISTICS_PHOTOS = 64
"""Photos whose activations give folded batch normalisations their statistics back."""


def freeze_stages(network: Regressor, frozen_stages: int) -> None:
    """Ask for gradients of all weights but those of the first stages, and lay the weights out as convolutions like it.

    Args:
        network: The network; changed in place.
        frozen_stages: Number of first stages of the backbone that keep their weights.

    Raises:
        TrainingError: If no stage is left to learn, or a stage before the last frozen one is pooled.
    """
    used = network.config.pooled[-1] if network.config.pooled else len(network.backbone)
    if frozen_stages >= used:
        raise TrainingError(
            f"With {frozen_stages} frozen stages nothing of {network.config.backbone} would learn, which has "
            f"{used}: give fewer with --frozen-stages (0 to {used - 1})."
        )
    if network.config.pooled and frozen_stages > network.config.pooled[0]:
        raise TrainingError(
            f"With {frozen_stages} frozen stages the maps of stage {network.config.pooled[0]} would not be kept, which "
            f"this network pools: give at most {network.config.pooled[0]} with --frozen-stages."
        )
    network.to(memory_format=torch.channels_last)
    network.requires_grad_(True)
    for stage in [*network.backbone[:frozen_stages], *network.backbone[used:]]:
        stage.requires_grad_(False)


def training_mode(network: Regressor, frozen_stages: int, *, fixed_statistics: bool) -> None:
    """Switch to training; frozen stages, and batch normalisation with fixed statistics, stay in evaluation mode.

    Args:
        network: The network; changed in place.
        frozen_stages: Number of first stages of the backbone that keep their weights.
        fixed_statistics: Whether batch normalisation keeps its running statistics and uses them.
    """
    network.train()
    for module in network.backbone.modules():
        if fixed_statistics and isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    for stage in list(network.backbone)[:frozen_stages]:
        stage.eval()


def estimate_batch_norm_statistics(
    network: Regressor, features: FrozenFeatures, positions: Sequence[int], crop: int, seed: int
) -> None:
    """Get a network ready to learn with the statistics of its batches: weights that were published folded need it.

    Without, the first batch would be normalised by what the weights never knew, and their function be lost.

    Args:
        network: The network; its function stays. Its idle batch normalisations beyond the frozen stages get the
            statistics of `STATISTICS_PHOTOS` crops; those that have statistics are left alone.
        features: Feature maps of crops after the frozen stages.
        positions: Positions of the photos that it is going to learn from.
        crop: Side of a crop in pixels of the model's input.
        seed: Seed of the crops.
    """
    learning = network.backbone[features.stages :]
    idle = idle_norms(learning)
    if not idle:
        return
    some = np.unique(np.linspace(0, len(positions) - 1, STATISTICS_PHOTOS).round().astype(int))
    maps = features.batch([positions[place] for place in some], crop, False, np.random.default_rng((seed, 3)))
    set_statistics(idle, learning, maps.contiguous(memory_format=torch.channels_last))


@contextmanager
def seeded_dropout(generator: np.random.Generator, device: torch.device) -> Iterator[None]:
    """Let dropout draw from torch's generators of this device and of the processor, seeded from this one.

    They belong to the caller between two steps, and are as they were afterwards.

    Args:
        generator: Source of the seed.
        device: Device of the network.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(generator.integers(2**31)))
        yield


def training_scores(network: Regressor, maps: Tensor, frozen_stages: int) -> Tensor:
    """Return the unit scores (B,) of frozen stages' maps (B, C, h, w), with gradients for the weights that learn."""
    with norms_within_convolutions(network.backbone[frozen_stages:]):
        return network.scores_from(maps, frozen_stages)
