"""Settings of joint training on several databases."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

SCALES = ("affine", "monotone", "residual")


@dataclass(frozen=True)
class JointConfig:
    """Settings of joint training; the defaults are those that measured best (docs/results.md).

    Attributes:
        steps: Adam steps in all.
        batch_size: Images in a step, divided among the databases by their shares.
        scale: Function from the one latent quality to a study's opinion scores: `affine`; `monotone`, a rising
            piecewise linear function; or `residual`, affine with a linear correction from the last hidden layer for
            each study.
        score_weight: Weight of the squared error of opinion scores; 0 to learn from pairs alone.
        pair_weight: Weight of the fidelity loss over the pairs within a database; 0 for none.
        pair_noise: Standard deviation of an opinion score by which a pair's order is uncertain, unit score.
        residual_decay: Weight of the squared length of the studies' corrections (`residual` only).
        head_crops: Number of crops on whose features the head learns alone first; 0: it does not.
        head_epochs: Passes of the head's own training over those crops.
        learning_rate: Learning rate of the backbone.
        head_learning_rate: Learning rate of the linear layers.
        scale_learning_rate: Learning rate of the studies' scales.
        weight_decay: Strength of AdamW's decoupled penalty on the weights.
        crop: Side of the random square crop in pixels of the model's input; smaller photos are cropped to their side.
        flip: Whether half of the crops are mirrored.
        frozen_stages: Number of first stages of the backbone that keep their weights.
        averaging: Decay of the exponential moving average of the weights, which then is the model, in [0, 1); 0 for
            none.
        gradient_norm: Longest allowed gradient; 0 for no limit.
        seed: Seed of order, crops, mirrors, dropout and new layers.
    """

    steps: int = 2000
    batch_size: int = 24
    scale: Literal["affine", "monotone", "residual"] = "affine"
    score_weight: float = 1.0
    pair_weight: float = 0.05
    pair_noise: float = 0.1
    residual_decay: float = 1e-3
    head_crops: int = 2048
    head_epochs: int = 30
    learning_rate: float = 1.5e-4
    head_learning_rate: float = 1e-4
    scale_learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    crop: int = 256
    flip: bool = True
    frozen_stages: int = 4
    averaging: float = 0.995
    gradient_norm: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.scale not in SCALES:
            raise ValueError(f"scale must be one of {', '.join(SCALES)}, got {self.scale!r}")
        if self.crop < 32:
            raise ValueError(f"crop must be at least 32 pixels, got {self.crop}")
        for name in ("learning_rate", "head_learning_rate", "scale_learning_rate", "pair_noise"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a positive number, got {getattr(self, name)}")
        for name in (
            "head_crops",
            "score_weight",
            "pair_weight",
            "residual_decay",
            "weight_decay",
            "frozen_stages",
            "gradient_norm",
        ):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if not self.score_weight + self.pair_weight > 0:
            raise ValueError("score_weight and pair_weight are both 0: nothing would be learned")
        if not 0 <= self.averaging < 1:
            raise ValueError(f"averaging must be in [0, 1), got {self.averaging}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)
