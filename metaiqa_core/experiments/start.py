"""The start of a training: a model of this project, or a classifier's backbone under a new head."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import torch

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.backbones import BACKBONES, imagenet_weights
from metaiqa_core.models.checkpoints import load_checkpoint
from metaiqa_core.models.efficientnet_lite import WIDTH_AND_DEPTH
from metaiqa_core.models.foreign.imported import read_foreign_state_dict
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.training.fingerprint import hash_of_weights

logger = logging.getLogger(__name__)

DROPOUT = 0.2
SHORT_SIDE = 500
"""Short side of the network's input with a backbone, pixels, where none is named."""
PROCESSOR = torch.device("cpu")


@dataclass(frozen=True)
class NewParts:
    """Parts that a start gets besides its own; at their start, adapters change nothing, and a new head is random.

    Attributes:
        adapters: Stages that a self-calibrated adapter follows, as numbers from 1; none: those that it has.
        levels: Stages that are pooled, as numbers from 1; none: those that it pools.
        fused: Number of channels that these are fused on, top-down; 0: as the start has it.
    """

    adapters: tuple[int, ...] = ()
    levels: tuple[int, ...] = ()
    fused: int = 0

    def added_to(self, config: RegressorConfig) -> RegressorConfig:
        """Return the configuration of a network with these parts.

        Raises:
            ValueError: If they do not fit together.
        """
        pooled, fused = self.levels or config.pooled, self.fused or config.fused
        if pooled == config.pooled and fused == config.fused:
            return replace(config, adapters=self.adapters or config.adapters)
        adapters, hidden = self.adapters or config.adapters, RegressorConfig().hidden
        return replace(config, adapters=adapters, pooled=pooled, fused=fused, centres=0, hidden=hidden)

    @property
    def named(self) -> str:
        """The parts as the end of a start's description; "" for none."""
        said = {"adapters after stages": self.adapters, "pooled stages": self.levels}
        named = "".join(f", {what} {', '.join(map(str, stages))}" for what, stages in said.items() if stages)
        return named + (f", fused on {self.fused} channels" if self.fused else "")


NO_PARTS = NewParts()


@dataclass(frozen=True)
class Origin:
    """Names a start, without loading it.

    Attributes:
        model: Name or file of a model in this project's format; "" to start from a backbone.
        backbone: Name of the backbone, one of `BACKBONES`, where no model is named.
        weights: Weights of the backbone: `imagenet`, `random`, or a file with the torchvision classifier's state dict.
        short_side: Short side of the network's input, pixels; None: a model's own, and `SHORT_SIDE` with a backbone.
        device: Device to train on.
        parts: Parts that it gets besides its own.

    >>> Origin(backbone="vgg")
    Traceback (most recent call last):
    ValueError: backbone must be one of ..., got 'vgg'
    """

    model: str = ""
    backbone: str = "resnet18"
    weights: str = "imagenet"
    short_side: int | None = None
    device: torch.device = PROCESSOR
    parts: NewParts = NO_PARTS

    def __post_init__(self) -> None:
        if not self.model and self.backbone not in BACKBONES:
            raise ValueError(f"backbone must be one of {', '.join(BACKBONES)}, got {self.backbone!r}")
        if not self.weights:
            raise ValueError("weights must be imagenet, random or a file, got nothing")
        if self.short_side is not None:
            Preprocessing(short_side=self.short_side)  # refuses a resolution that is none

    def load(self, *, folded: bool) -> "Start":
        """Return the start.

        Args:
            folded: Whether to fold batch normalisation, whose statistics then stay fixed; otherwise a folded one is
                unfolded. It is `fixed_statistics` of the configuration that will train the network.

        Raises:
            CheckpointError: If the weights cannot be had, are of another architecture, or cannot be trained.
            ValueError: If the new parts do not fit the network.
        """
        if self.model:
            start = start_from_model(self.model, folded=folded, device=self.device, parts=self.parts)
            return start.seen_at(self.short_side) if self.short_side is not None else start
        short_side = self.short_side if self.short_side is not None else SHORT_SIDE
        return start_from_backbone(
            self.backbone, self.weights, short_side, folded=folded, device=self.device, parts=self.parts
        )


@dataclass(frozen=True)
class Start:
    """The start of a training.

    Attributes:
        make: Function that builds the network; new layers draw from torch's global generator.
        preprocessing: Steps from a photo to the network's input.
        origin: Description of the start for cards and logs.
        backbone: Name of the network's backbone.
        learned_from: Opinion scores that its weights have learned from; empty for a backbone.
        device: Device that its networks are on and are trained on.
        recipe: Recipe of the model that it is, from its card; empty for a backbone.
    """

    make: Callable[[], Regressor]
    preprocessing: Preprocessing
    origin: str
    backbone: str
    learned_from: str = ""
    device: torch.device = PROCESSOR
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def hash(self) -> str:
        """Hash of its weights, which tells it from another of the same name; new layers are those of seed 0."""
        return hash_of_weights(self.build(0))

    @property
    def has_learned_from(self) -> str:
        """Sentence that says which scores it has learned from: on their images it cannot be tested; "" for none."""
        return f"{self.origin} has learned from {self.learned_from}" if self.learned_from else ""

    def seen_at(self, short_side: int) -> Self:
        """Return the same start for photos of another short side, in pixels; smaller ones are enlarged no further."""
        minimum = min(self.preprocessing.minimum_side, short_side)
        return replace(self, preprocessing=replace(self.preprocessing, short_side=short_side, minimum_side=minimum))

    def network(self, seed: int) -> Regressor:
        """Return a new network on the device; a seed gives new layers the same weights on any device."""
        return self.build(seed).to(self.device)

    def build(self, seed: int) -> Regressor:
        """Return a new network on the processor, with new layers from a seed; no global generator moves."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.make()


def start_from_model(name: str, *, folded: bool, device: torch.device = PROCESSOR, parts: NewParts = NO_PARTS) -> Start:
    """Return a model of ours as a start; the arguments are those of `Origin`.

    Raises:
        CheckpointError: If there is none, or it cannot be trained.
    """
    checkpoint = load_checkpoint(name)
    network, card = checkpoint.network, checkpoint.card
    if not isinstance(network, Regressor):
        raise CheckpointError(
            f"{card.name} is for scoring only (its architecture is {card.architecture}): "
            "fine-tune one of our own models, or start with --backbone resnet18."
        )
    make = partial(_copy, network, folded, parts)
    learned_from, backbone = card.training_data, network.config.backbone
    return Start(make, checkpoint.preprocessing, card.name, backbone, learned_from, device, card.recipe)


def start_from_backbone(
    backbone: str,
    weights: str,
    short_side: int,
    *,
    folded: bool,
    device: torch.device = PROCESSOR,
    parts: NewParts = NO_PARTS,
) -> Start:
    """Return a classifier's backbone under a new head as a start; the arguments are those of `Origin`.

    Raises:
        CheckpointError: If the weights cannot be had or are of another architecture.
    """
    config = parts.added_to(RegressorConfig(backbone=backbone, dropout=DROPOUT, folded=folded))
    preprocessing = Preprocessing(short_side=short_side)
    if weights == "random":
        logger.warning("WARNING: the backbone starts from random weights; expect far lower accuracy.")
        origin = f"{backbone}, random weights{parts.named}"
        return Start(partial(Regressor, config), preprocessing, origin, backbone, device=device)
    state = imagenet_weights(backbone) if weights == "imagenet" else read_foreign_state_dict(weights)
    whose = "TensorFlow's" if backbone in WIDTH_AND_DEPTH else "torchvision's"
    named = f"{whose} ImageNet weights" if weights == "imagenet" else f"from {Path(weights).name}"
    make = partial(Regressor, config, backbone_weights=state, source=weights)
    return Start(make, preprocessing, f"{backbone}, {named}{parts.named}", backbone, device=device)


def _copy(network: Regressor, folded: bool, parts: NewParts) -> Regressor:
    config = parts.added_to(network.config)
    copy, weights = Regressor(config), network.state_dict()
    if config.pooled != network.config.pooled or config.fused != network.config.fused:  # what follows is new
        weights = {name: value for name, value in weights.items() if name.startswith("backbone.")}
    copy.load_state_dict(weights, strict=config == network.config)
    if folded:
        copy.fold()
    else:
        copy.unfold()
    return copy
