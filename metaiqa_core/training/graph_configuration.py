"""Settings of graph training and of the quality fine-tuning after it."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class GraphTrainingConfig:
    """Settings of graph training; the published ones where the abstract or GraphIQA states one.

    Attributes:
        steps: Number of steps.
        defects_per_step: Number of defects whose images make up a step; that there is none is always one of them.
        type_graphs: Number of graphs of each of these defects, whose nodes are images of many contents and levels.
        type_nodes: Number of nodes of such a graph, N; 32 is published with GraphIQA.
        photo_graphs: Number of photos of each of these defects that are graphs of their own.
        margin: Margin of the triplet discriminator; 0.1 is published with GraphIQA.
        triplet_weight: Weight of the triplet discriminator.
        level_weight: Weight of the level's loss; 0.25 is published with GraphIQA.
        defect_weight: Weight of the cross-entropy of the defects, which gives them probabilities.
        level_loss: `likelihood`: Gaussian negative log-likelihood; `sampled`: squared error of mu + s * eps, which is
            published with GraphIQA and drives s to 0.
        faint_weight: Weight in it of photos at level 1, which look like photos without a defect, in [0, 1].
        label_smoothing: Share of the cross-entropy's target that all defects share, in [0, 1).
        dropout: Probability that a feature of a node is not seen, in [0, 1).
        learning_rate: Largest learning rate; it rises over the first tenth of the steps and then falls along a cosine.
        weight_decay: Strength of the penalty on the weights (AdamW).
        averaging: Decay of the exponential moving average of the weights, which then is the model; 0 for none.
        seed: Seed of every random choice.
    """

    steps: int = 600
    defects_per_step: int = 16
    type_graphs: int = 1
    type_nodes: int = 32
    photo_graphs: int = 4
    margin: float = 0.1
    triplet_weight: float = 1.0
    level_weight: float = 0.25
    defect_weight: float = 1.0
    level_loss: Literal["likelihood", "sampled"] = "likelihood"
    faint_weight: float = 0.3
    label_smoothing: float = 0.0
    dropout: float = 0.1
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    averaging: float = 0.99
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("defects_per_step", 2), ("type_nodes", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("type_graphs", "photo_graphs"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if self.type_graphs + self.photo_graphs < 2:
            raise ValueError("a triplet needs two graphs of a defect: raise type_graphs or photo_graphs")
        for name in ("margin", "triplet_weight", "level_weight", "defect_weight", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a finite number of 0 or more, got {getattr(self, name)}")
        for name in ("label_smoothing", "dropout", "averaging"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")
        if not 0 <= self.faint_weight <= 1:
            raise ValueError(f"faint_weight must be in [0, 1], got {self.faint_weight}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be a finite number above 0, got {self.learning_rate}")
        if self.level_loss not in ("likelihood", "sampled"):
            raise ValueError(f"level_loss must be likelihood or sampled, got {self.level_loss!r}")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must be from 0 to {2**63 - 1}, got {self.seed}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class QualityTuningConfig:
    """Settings of quality fine-tuning.

    Attributes:
        quality_steps: Number of steps.
        quality_batch: Number of photos in a step, each a graph of its own.
        quality_rate: Largest learning rate; it rises over the first tenth of the steps and then falls along a cosine.
        learns: `head`: the layer that gives the score alone, so that what is said of defects stays as it is; `graph`:
            all of the graph module.
        quality_dropout: Probability that a feature of a node is not seen while the graph learns, in [0, 1).
        quality_weight_decay: Strength of the penalty on the weights (AdamW).
        quality_seed: Seed of the batches.
    """

    quality_steps: int = 600
    quality_batch: int = 64
    quality_rate: float = 2e-3
    learns: Literal["head", "graph"] = "head"
    quality_dropout: float = 0.0
    quality_weight_decay: float = 1e-2
    quality_seed: int = 0

    def __post_init__(self) -> None:
        for name in ("quality_steps", "quality_batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.quality_rate < math.inf:
            raise ValueError(f"quality_rate must be a finite number above 0, got {self.quality_rate}")
        if self.learns not in ("head", "graph"):
            raise ValueError(f"learns must be head or graph, got {self.learns!r}")
        if not 0 <= self.quality_dropout < 1:
            raise ValueError(f"quality_dropout must be in [0, 1), got {self.quality_dropout}")
        if not 0 <= self.quality_weight_decay < math.inf:
            raise ValueError(
                f"quality_weight_decay must be a finite number of 0 or more, got {self.quality_weight_decay}"
            )
        if not 0 <= self.quality_seed < 2**63:
            raise ValueError(f"quality_seed must be from 0 to {2**63 - 1}, got {self.quality_seed}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)
