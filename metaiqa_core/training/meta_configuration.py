"""What meta-training may vary: the paper, the released code and this project as three named presets.

The released code is not the paper's algorithm. Each difference is a field here, so that either can be run and a
mixture can be studied.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class MetaConfig:
    """Settings of Algorithm 1; defaults are the paper's (Section 4.1) where it states one.

    Attributes:
        epochs: Passes over all tasks.
        tasks_per_batch: Tasks in a mini-batch, k.
        inner_steps: Adam steps on the support set and again on the query set of a task, S.
        inner_learning_rate: Rate of those steps, alpha.
        head_learning_rate: Their rate for the linear layers; None: as the backbone.
        outer_learning_rate: Share of the mean displacement that the prior moves by, beta (Eq. 8).
        order: `support-then-query` takes S steps on each (the paper); `alternating` takes one on each, S times over.
        outer_update: Move the prior after each `mini-batch` of tasks (Eq. 8), or after each `pair` of a support and a
            query step, going on from the task's own weights.
        moments: Adam's moments start afresh for each `level` (the paper's Eqs. 5-7), each `task`, or once a `run`.
        bias_correction: Correct Adam's moments for their start at zero; the paper's Eqs. 4-7 do not.
        second_moment_decay: Decay rate of Adam's second moment, mu2.
        weight_decay: Strength of the penalty on the weights, through the gradient.
        rate_decay: `step`: times 0.8 every 5 epochs (the paper); `quadratic`: times 0.9 to the power of a quarter of
            the squared epoch (the released code); `linear`: down to zero at the end; `none`.
        outer_decay: Whether the outer rate decays as the inner rate does.
        support_batch: Most images in a support step.
        query_batch: Most images in a query step.
        query_share: Share of a task's images in its query set; divided afresh each time that a task is drawn.
        query_by: `image`: any image may be asked for; `reference`: the query set has other content than the support.
        crop: Side of the random square crop in pixels of the model's input.
        flip: Mirror half of the crops.
        batch_norm: `frozen`: use the running statistics as they are. `meta`: use the batch's; the running statistics
            are displaced and moved like the weights. `carried`: use the batch's; the running statistics pass from task
            to task (the released code). Weights that were published with their normalisation folded get it back first.
        frozen_stages: That many first stages of the backbone keep their weights.
        frozen_input: What those stages are computed on: the whole `photo`, once, and kept in memory, so that a crop has
            seen its surroundings; or the `crop`, each time, which costs less where photos are used only a few times.
        precision: `bf16` computes the network in bfloat16 where torch thinks it safe: faster, another update.
        seed: Of tasks, divisions, batches, crops, mirrors, dropout and new layers.
    """

    epochs: int = 100
    tasks_per_batch: int = 5
    inner_steps: int = 6
    inner_learning_rate: float = 1e-4
    head_learning_rate: float | None = None
    outer_learning_rate: float = 1e-2
    order: Literal["support-then-query", "alternating"] = "support-then-query"
    outer_update: Literal["mini-batch", "pair"] = "mini-batch"
    moments: Literal["level", "task", "run"] = "level"
    bias_correction: bool = False
    second_moment_decay: float = 0.99
    weight_decay: float = 1e-5
    rate_decay: Literal["step", "quadratic", "linear", "none"] = "step"
    outer_decay: bool = True
    support_batch: int = 75
    query_batch: int = 50
    query_share: float = 0.2
    query_by: Literal["image", "reference"] = "image"
    crop: int = 224
    flip: bool = False
    batch_norm: Literal["frozen", "meta", "carried"] = "frozen"
    frozen_stages: int = 0
    frozen_input: Literal["photo", "crop"] = "photo"
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "tasks_per_batch", "inner_steps", "support_batch", "query_batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("inner_learning_rate", "outer_learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if self.head_learning_rate is not None and not self.head_learning_rate > 0:
            raise ValueError(f"head_learning_rate must be above 0, got {self.head_learning_rate}")
        for name in ("weight_decay", "frozen_stages"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")
        for name in ("query_share", "second_moment_decay"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must be in (0, 1), got {getattr(self, name)}")
        if self.crop < 32:
            raise ValueError(f"crop must be at least 32 pixels, got {self.crop}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        if self.outer_update == "pair" and (self.order, self.tasks_per_batch) != ("alternating", 1):
            raise ValueError("outer_update pair needs order alternating and tasks_per_batch 1: it moves between steps")

    def rate_factor(self, epoch: int) -> float:
        """Return what the learning rates are multiplied by in an epoch, counted from 0."""
        return _rate_factor(self.rate_decay, epoch, self.epochs)

    @property
    def fixed_statistics(self) -> bool:
        """Whether batch normalisation keeps its running statistics, so that it can be folded."""
        return self.batch_norm == "frozen"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class BaselineConfig:
    """Settings of the Baseline (Section 4.6): Adam on all distortion images at once; the same names mean the same.

    Attributes:
        image_passes: Images that are passed forward and backward in all; comparable with `image_passes` of the
            meta-training that it is compared with.
        batch_size: Images in a step.
        learning_rate: Of the backbone.
        head_learning_rate: Of the linear layers; None: as the backbone.
        second_moment_decay: Decay rate of Adam's second moment.
        weight_decay: Strength of the penalty on the weights, through the gradient.
        rate_decay: As in meta-training, but that `linear` falls with each step.
        epochs: Into how many `step` and `quadratic` divide the run: those of the meta-training.
        crop: Side of the random square crop in pixels of the model's input.
        flip: Mirror half of the crops.
        batch_norm: `frozen`: use the running statistics as they are; `carried`: use the batch's and update them.
        frozen_stages: That many first stages of the backbone keep their weights.
        frozen_input: What those stages are computed on, `photo` or `crop`.
        precision: `bf16` computes the network in bfloat16 where torch thinks it safe.
        seed: Of batches, crops, mirrors, dropout and new layers.
    """

    image_passes: int = 16_000
    batch_size: int = 50
    learning_rate: float = 1e-4
    head_learning_rate: float | None = None
    second_moment_decay: float = 0.99
    weight_decay: float = 1e-5
    rate_decay: Literal["step", "quadratic", "linear", "none"] = "none"
    epochs: int = 100
    crop: int = 224
    flip: bool = False
    batch_norm: Literal["frozen", "carried"] = "frozen"
    frozen_stages: int = 0
    frozen_input: Literal["photo", "crop"] = "photo"
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("image_passes", "batch_size", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.learning_rate > 0 or (self.head_learning_rate is not None and not self.head_learning_rate > 0):
            raise ValueError("learning rates must be above 0")
        if self.rate_decay not in _CHOICES["rate_decay"]:
            raise ValueError(f"rate_decay must be one of {', '.join(_CHOICES['rate_decay'])}, got {self.rate_decay!r}")

    def rate_factor(self, done: float) -> float:
        """Return what the learning rates are multiplied by when that share of the steps is done."""
        if self.rate_decay == "linear":
            return 1 - done
        return _rate_factor(self.rate_decay, int(done * self.epochs), self.epochs)

    @property
    def fixed_statistics(self) -> bool:
        """Whether batch normalisation keeps its running statistics, so that it can be folded."""
        return self.batch_norm == "frozen"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)


def _rate_factor(decay: str, epoch: int, epochs: int) -> float:
    match decay:
        case "step":
            return 0.8 ** (epoch // 5)
        case "quadratic":
            return 0.9 ** (epoch**2 // 4)
        case "linear":
            return 1 - epoch / epochs
        case _:
            return 1.0


_CHOICES = {
    "order": ("support-then-query", "alternating"),
    "outer_update": ("mini-batch", "pair"),
    "moments": ("level", "task", "run"),
    "rate_decay": ("step", "quadratic", "linear", "none"),
    "query_by": ("image", "reference"),
    "batch_norm": ("frozen", "meta", "carried"),
    "frozen_input": ("photo", "crop"),
    "precision": ("fp32", "bf16"),
}

PAPER = MetaConfig(batch_norm="meta")
"""What Sections 3 and 4.1 say. Not given there, and taken from the released code: batches and split."""

RELEASED_CODE = MetaConfig(
    epochs=50,
    inner_steps=2,
    head_learning_rate=1e-2,
    outer_learning_rate=1.0,
    order="alternating",
    moments="run",
    bias_correction=True,
    second_moment_decay=0.999,
    weight_decay=0.0,
    rate_decay="quadratic",
    outer_decay=False,
    flip=True,
    batch_norm="carried",
)
"""The authors' script on TID2013: the sum of five displacements over five is an outer rate of 1."""

RELEASED_CODE_KADID = MetaConfig(
    epochs=50,
    tasks_per_batch=1,
    inner_steps=5,
    head_learning_rate=1e-2,
    outer_learning_rate=0.2,
    order="alternating",
    outer_update="pair",
    moments="run",
    bias_correction=True,
    second_moment_decay=0.999,
    weight_decay=0.0,
    rate_decay="quadratic",
    outer_decay=False,
    flip=True,
    batch_norm="carried",
)
"""The authors' script on KADID-10k, which moves the prior by a fifth after every pair of steps."""

RECOMMENDED = MetaConfig(
    epochs=10,
    inner_steps=3,
    inner_learning_rate=2e-4,
    head_learning_rate=1e-3,
    outer_learning_rate=1.0,
    rate_decay="linear",
    support_batch=16,
    query_batch=16,
    query_share=0.5,
    query_by="reference",
    flip=True,
    batch_norm="meta",
)
"""What measured best of what was tried (`assets/priors/README.md`): small batches, and batch normalisation at work."""

META_PRESETS = {
    "recommended": RECOMMENDED,
    "paper": PAPER,
    "released-code": RELEASED_CODE,
    "released-code-kadid": RELEASED_CODE_KADID,
}
