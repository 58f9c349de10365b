"""Settings that every training has, whether it learns a prior or fine-tunes one."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

MOST = 1e6
"""Largest rate, weight or limit: far above any that is of use, and far below what numbers of 32 bits can hold."""


@dataclass(frozen=True, kw_only=True)
class LearningConfig:
    """Settings that meta-training, the Baseline and fine-tuning share.

    Attributes:
        head_learning_rate: Learning rate of the linear layers; None: the backbone's.
        weight_decay: Strength of the penalty on the weights.
        crop: Side of the random square crop in pixels of the model's input; smaller photos are cropped to their side.
        flip: Whether to mirror half of the crops; a mirror image is as good as the photo.
        batch_norm: `frozen`: the running statistics stay and are used; else the batch's statistics are used.
        frozen_stages: Number of first stages of the backbone that keep their weights.
        seed: Seed of every random choice: tasks, their division, batches, crops, mirrors, dropout, a validation part,
            new layers.
    """

    head_learning_rate: float | None = None
    weight_decay: float = 1e-5
    crop: int = 224
    flip: bool = False
    batch_norm: Literal["frozen", "meta", "carried", "adapt"] = "frozen"
    frozen_stages: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{item.name} must be a finite number, got {value}")
            if isinstance(value, float) and abs(value) > MOST:
                raise ValueError(f"{item.name} must be at most {MOST:g}, got {value:g}")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must be from 0 to {2**63 - 1}, got {self.seed}")
        if self.crop < 32:
            raise ValueError(f"crop must be at least 32 pixels, got {self.crop}")
        if self.head_learning_rate is not None and not self.head_learning_rate > 0:
            raise ValueError(f"head_learning_rate must be above 0, got {self.head_learning_rate}")
        for name in ("weight_decay", "frozen_stages"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")

    @property
    def fixed_statistics(self) -> bool:
        """Whether batch normalisation keeps its running statistics, so that it can be folded."""
        return self.batch_norm == "frozen"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)
