"""Settings of fine-tuning, and the named presets."""

from dataclasses import dataclass, replace
from typing import Literal

from metaiqa_core.training.learning_configuration import LearningConfig


@dataclass(frozen=True, kw_only=True)
class FineTuneConfig(LearningConfig):
    """Settings of fine-tuning (Eqs. 9-10), besides those of `LearningConfig`; defaults are the paper's (Section 4.1).

    Attributes:
        epochs: Passes over the training images.
        batch_size: Images in a step.
        learning_rate: Learning rate of the backbone.
        decoupled_decay: Whether to apply the penalty to the weights directly (AdamW) rather than through the gradient
            (Adam).
        schedule: Course of the rates. `step` multiplies them by 0.8 every 5 epochs (the paper); `one-cycle` warms up to
            them over 15 % of the steps and falls to zero along a cosine (torch's OneCycleLR, with its cycled momentum).
        correlation_weight: Weight of (1 - PLCC) / 2 within each batch, beside the squared error.
        batch_norm: Statistics of batch normalisation. `frozen` keeps the running ones and uses them; `adapt` uses the
            batch's and updates the running ones.
        averaging: Decay of the exponential moving average of the weights, which then is the model; 0 for none.
        gradient_norm: Longest allowed gradient; 0 for no limit.
        validation_share: Share of the training images held back to choose the epoch, in [0, 1); 0: the last epoch is
            kept.
    """

    epochs: int = 100
    batch_size: int = 50
    learning_rate: float = 1e-5
    decoupled_decay: bool = False
    schedule: Literal["step", "one-cycle"] = "step"
    correlation_weight: float = 0.0
    batch_norm: Literal["frozen", "adapt"] = "adapt"
    averaging: float = 0.0
    gradient_norm: float = 0.0
    validation_share: float = 0.0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.learning_rate <= 0 or (self.head_learning_rate is not None and self.head_learning_rate <= 0):
            raise ValueError("learning rates must be above 0")
        super().__post_init__()
        for name in ("correlation_weight", "gradient_norm"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")
        for name in ("averaging", "validation_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")
        if self.schedule not in ("step", "one-cycle"):
            raise ValueError(f"schedule must be step or one-cycle, got {self.schedule!r}")
        if self.batch_norm not in ("frozen", "adapt"):
            raise ValueError(f"batch_norm must be frozen or adapt, got {self.batch_norm!r}")


PAPER = FineTuneConfig()

RECOMMENDED = FineTuneConfig(
    epochs=8,
    batch_size=16,
    learning_rate=1e-4,
    head_learning_rate=1e-3,
    weight_decay=1e-2,
    decoupled_decay=True,
    schedule="one-cycle",
    crop=384,
    flip=True,
    frozen_stages=7,
    batch_norm="frozen",
    averaging=0.99,
    gradient_norm=1.0,
)
"""What measured best of what was tried: native scale, large crops, low stages kept, averaged weights."""

FINE_TUNE_PRESETS = {"recommended": RECOMMENDED, "paper": PAPER}

LEAST_STEPS = 40
"""Steps that fine-tuning takes however few the photos are: with fewer, a start is hardly changed."""


def enough_epochs(config: FineTuneConfig, photos: int, least_steps: int) -> FineTuneConfig:
    """Return the configuration with so many epochs that few photos, too, make enough steps.

    Args:
        config: Settings of fine-tuning.
        photos: Number of training photos.
        least_steps: Least number of steps; 0 leaves the epochs as they are.
    """
    steps_per_epoch = max(1, photos // config.batch_size)
    return replace(config, epochs=max(config.epochs, -(-least_steps // steps_per_epoch)))
