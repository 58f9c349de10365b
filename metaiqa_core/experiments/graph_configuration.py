"""Settings of the experiments that make a graph model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from metaiqa_core.models.card import check_name
from metaiqa_core.training.graph_configuration import GraphTrainingConfig, QualityTuningConfig

SHORT_SIDE = 512
"""Short side to which larger photos are shrunk: that of the photos that the shares are measured on, pixels."""


@dataclass(frozen=True, kw_only=True)
class GraphModelConfig:
    """Settings of a graph model, of what it learns from, and of its card.

    Attributes:
        training: Settings of graph training.
        levels: Stages of the backbone that are the levels of a node's features, as numbers from 1; none: all but
            the last, which only widens.
        tone: Number of bins of the histograms of light and colour; 0 for none.
        top_down: Number of channels that the levels are fused on from the coarsest to the finest; 0: they are brought
            together after they are pooled.
        width: Width of a node's features, and of the hidden layers of both graph convolutions.
        edges: Whether there is a graph at all.
        most: Number of images at most that are learned from or judged, by database.
        good_share: Share of a database of authentic photos that counts as good, in which nothing is to be found.
        degraded: Number of distorted copies of each of these that are learned from.
        held_out_share: Share of the contents that nothing learns from and that the calibration is measured on.
        right: Share of the said words that should be right.
        accused: Share of the undamaged photos that may be accused of any defect.
        lost: Share of the clearly distorted photos whose word may become wrong for the sake of undamaged ones.
        seed: Seed of new layers, of the training and of the contents held out.
        name: Name of the model; "" takes the name of the run folder.
        training_data: Description of the photos and of who rated them; "" takes the databases' names.
        licence: Terms of the weights and of the data behind them.
        half: Whether the model's file holds its weights in half precision.
    """

    training: GraphTrainingConfig = GraphTrainingConfig(steps=800, type_nodes=8, level_weight=1.0, dropout=0.2)
    levels: tuple[int, ...] = ()
    tone: int = 16
    top_down: int = 0
    width: int = 256
    edges: bool = True
    most: Mapping[str, int] = field(default_factory=dict)
    good_share: float = 0.2
    degraded: int = 2
    held_out_share: float = 0.2
    right: float = 0.9
    accused: float = 0.03
    lost: float = 0.01
    seed: int = 0
    name: str = ""
    training_data: str = ""
    licence: str = "not stated"
    half: bool = True

    def __post_init__(self) -> None:
        for name in ("good_share", "held_out_share", "right", "accused", "lost"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must be in (0, 1), got {getattr(self, name)}")
        if not 2 <= self.width <= 4096:
            raise ValueError(f"width must be from 2 to 4096, got {self.width}")
        if self.degraded < 0:
            raise ValueError(f"degraded must be 0 or more, got {self.degraded}")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must be from 0 to {2**63 - 1}, got {self.seed}")
        if self.name:
            check_name(self.name)


@dataclass(frozen=True, kw_only=True)
class QualityConfig:
    """Settings of quality fine-tuning as an experiment.

    Attributes:
        quality: Settings of the training.
        most: Number of images at most that are learned from, by database.
        held_out_share: Share of the references, or of the photos where there are none, that nothing learns from and
            that SROCC and PLCC are measured on.
        seed: Seed of the choice of images and of the references held out.
        name: Name of the model; "" takes the name of the run folder.
        half: Whether the model's file holds its weights in half precision.
    """

    quality: QualityTuningConfig = QualityTuningConfig()
    most: Mapping[str, int] = field(default_factory=dict)
    held_out_share: float = 0.2
    seed: int = 0
    name: str = ""
    half: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.held_out_share < 1 or math.isnan(self.held_out_share):
            raise ValueError(f"held_out_share must be in (0, 1), got {self.held_out_share}")
        if self.name:
            check_name(self.name)
