"""Which part of a network learns, and how its batch normalisation behaves meanwhile."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from metaiqa_core.errors import TrainingError
from metaiqa_core.models.batch_norm import idle_norms, norms_within_convolutions, set_statistics
from metaiqa_core.models.regressor import Regressor, Standardise
from metaiqa_core.training.frozen_features import KeptFeatures
from metaiqa_core.training.learning_configuration import LearningConfig

STATISTICS_PHOTOS = 64
"""Photos whose activations give folded batch normalisations their statistics back."""
STANDARDISED_PHOTOS = 256
"""Most photos whose pooled features give the shift and scale of a head's inputs."""


def freeze_stages(network: Regressor, frozen_stages: int, *, head_alone: bool = False) -> None:
    """Ask for gradients of all weights but those of the first stages, and lay the weights out as convolutions like it.

    Args:
        network: The network; changed in place.
        frozen_stages: Number of first stages of the backbone that keep their weights.
        head_alone: Whether all stages may be frozen, so that only the head learns.

    Raises:
        TrainingError: If there are not so many stages, or a stage is pooled that lies before the last frozen one while
            some stages learn.
    """
    used, name = network.stages_used, network.config.backbone
    if frozen_stages > used and head_alone:
        raise TrainingError(
            f"{frozen_stages} stages cannot be frozen where {name} has {used}: give 0 to {used} with --frozen-stages; "
            f"with {used} only the head learns."
        )
    if frozen_stages >= used and not head_alone:
        raise TrainingError(
            f"With {frozen_stages} frozen stages nothing of {name} would learn, which has {used}: give fewer with "
            f"--frozen-stages (0 to {used - 1})."
        )
    if network.config.tones and 0 < frozen_stages < used:
        raise TrainingError(
            f"With {frozen_stages} frozen stages the tones of the photos would not be kept, which this network sees: "
            f"give 0 with --frozen-stages" + (f", or all {used}: then only the head learns." if head_alone else ".")
        )
    if network.config.fused and frozen_stages == used:
        raise TrainingError(
            f"With all {used} stages frozen the fusion of their maps would not learn either: give at most "
            f"{network.config.pooled[0]} with --frozen-stages."
        )
    if network.config.pooled and network.config.pooled[0] < frozen_stages < used:
        raise TrainingError(
            f"With {frozen_stages} frozen stages the maps of stage {network.config.pooled[0]} would not be kept, which "
            f"this network pools: give at most {network.config.pooled[0]} with --frozen-stages"
            + (f", or all {used}: then only the head learns." if head_alone else ".")
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


def get_ready(network: Regressor, features: KeptFeatures, positions: Sequence[int], config: LearningConfig) -> None:
    """Get a network ready to learn: with the numbers that its first step already rests on.

    Args:
        network: The network; changed in place. Where some stages learn, its function stays.
        features: Features of the photos after its frozen stages.
        positions: Positions of the photos that it is going to learn from.
        config: Settings of its training.
    """
    if features.stages == network.stages_used:
        _standardise_head(network, features, positions)
    elif not config.fixed_statistics:
        _estimate_batch_norm_statistics(network, features, positions, config)


def _standardise_head(network: Regressor, features: KeptFeatures, positions: Sequence[int]) -> None:
    """Fit the shift and scale of a new head's inputs, which differ by orders of magnitude; fitted ones stay."""
    first = network.head[0]
    if isinstance(first, Standardise) and not bool(first.fitted):
        first.fit(torch.cat([features.whole(position) for position in _some(positions, STANDARDISED_PHOTOS)]))


def _estimate_batch_norm_statistics(
    network: Regressor, features: KeptFeatures, positions: Sequence[int], config: LearningConfig
) -> None:
    """Give idle batch normalisations beyond the frozen stages the statistics of some crops: weights folded need it.

    Without, the first batch would be normalised by what the weights never knew, and their function be lost. Those that
    have statistics are left alone.
    """
    learning = network.backbone[features.stages : network.stages_used]
    idle = idle_norms(learning)
    if not idle:
        return
    crops = np.random.default_rng((config.seed, 3))
    maps = features.batch(_some(positions, STATISTICS_PHOTOS), config.crop, False, crops)
    set_statistics(idle, learning, maps.contiguous(memory_format=torch.channels_last))


def _some(positions: Sequence[int], most: int) -> list[int]:
    """Return at most so many of the positions, evenly spread."""
    places = np.unique(np.linspace(0, len(positions) - 1, most).round().astype(int))
    return [positions[place] for place in places]


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


def training_scores(network: Regressor, features: Tensor, frozen_stages: int) -> Tensor:
    """Return the unit scores (B,) of what the frozen stages give, with gradients for the weights that learn."""
    if features.dim() == 4:
        features = features.contiguous(memory_format=torch.channels_last)
    with norms_within_convolutions(network.backbone[frozen_stages:]):
        return network.scores_from(features, frozen_stages)
