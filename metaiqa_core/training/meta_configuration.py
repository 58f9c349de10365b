"""Settings of meta-training: the paper, the released code and this project as three named presets.

The released code is not the paper's algorithm. Each difference is a field here, so that either can be run and a
mixture can be studied.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args, get_origin, get_type_hints

from metaiqa_core.training.learning_configuration import LearningConfig


@dataclass(frozen=True, kw_only=True)
class PriorConfig(LearningConfig):
    """Settings that meta-training and the Baseline share: both learn a quality prior from distorted images.

    Attributes:
        epochs: Passes over all tasks.
        second_moment_decay: Decay rate of Adam's second moment, mu2.
        rate_decay: `step`: times 0.8 every 5 epochs (the paper); `quadratic`: times 0.9 to the power of a quarter of
            the squared epoch (the released code); `linear`: down to zero at the end; `none`.
        frozen_input: Input of the frozen stages: the whole `photo`, computed once and kept in memory, so that a crop
            has seen its surroundings; or the `crop`, computed each time, which costs less where photos are used only a
            few times.
        precision: `bf16` computes the network in bfloat16 where torch thinks it safe: faster, another update.
    """

    epochs: int = 100
    second_moment_decay: float = 0.99
    rate_decay: Literal["step", "quadratic", "linear", "none"] = "step"
    frozen_input: Literal["photo", "crop"] = "photo"
    precision: Literal["fp32", "bf16"] = "fp32"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, got {self.epochs}")
        if not 0 < self.second_moment_decay < 1:
            raise ValueError(f"second_moment_decay must be in (0, 1), got {self.second_moment_decay}")
        for name, hint in get_type_hints(type(self)).items():
            if get_origin(hint) is Literal and getattr(self, name) not in get_args(hint):
                raise ValueError(f"{name} must be one of {', '.join(get_args(hint))}, got {getattr(self, name)!r}")

    def _factor_in(self, epoch: int) -> float:
        """Return the factor of the learning rates in an epoch, counted from 0."""
        match self.rate_decay:
            case "step":
                return 0.8 ** (epoch // 5)
            case "quadratic":
                return 0.9 ** (epoch**2 // 4)
            case "linear":
                return 1 - epoch / self.epochs
            case "none":
                return 1.0


@dataclass(frozen=True, kw_only=True)
class MetaConfig(PriorConfig):
    """Settings of Algorithm 1, besides those of `PriorConfig`; the paper's (Section 4.1) where it states one.

    Attributes:
        tasks_per_batch: Tasks in a mini-batch, k.
        inner_steps: Adam steps on the support set and again on the query set of a task, S.
        inner_learning_rate: Learning rate of those steps, alpha.
        outer_learning_rate: Share of the mean displacement that the prior moves by, beta (Eq. 8).
        order: `support-then-query` takes S steps on each (the paper); `alternating` takes one on each, S times over.
        outer_update: Moment at which the prior moves: after each `mini-batch` of tasks (Eq. 8), or after each `pair` of
            a support and a query step, going on from the task's own weights.
        moments: Span after which Adam's moments start afresh: each `level` (the paper's Eqs. 5-7), each `task`, or the
            whole `run`.
        bias_correction: Whether to correct Adam's moments for their start at zero; the paper's Eqs. 4-7 do not.
        outer_decay: Whether the outer rate decays as the inner rate does.
        support_batch: Most images in a support step.
        query_batch: Most images in a query step.
        query_share: Share of a task's images in its query set; divided afresh each time that a task is drawn.
        query_by: Unit that a task is divided by. `image`: any image may be in the query set; `reference`: the query set
            has other content than the support set.
        batch_norm: `frozen`: use the running statistics as they are. `meta`: use the batch's; the running statistics
            are displaced and moved like the weights. `carried`: use the batch's; the running statistics pass from task
            to task (the released code). Weights that were published with their normalisation folded get it back first.
    """

    tasks_per_batch: int = 5
    inner_steps: int = 6
    inner_learning_rate: float = 1e-4
    outer_learning_rate: float = 1e-2
    order: Literal["support-then-query", "alternating"] = "support-then-query"
    outer_update: Literal["mini-batch", "pair"] = "mini-batch"
    moments: Literal["level", "task", "run"] = "level"
    bias_correction: bool = False
    outer_decay: bool = True
    support_batch: int = 75
    query_batch: int = 50
    query_share: float = 0.2
    query_by: Literal["image", "reference"] = "image"
    batch_norm: Literal["frozen", "meta", "carried"] = "frozen"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("tasks_per_batch", "inner_steps", "support_batch", "query_batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("inner_learning_rate", "outer_learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if not 0 < self.query_share < 1:
            raise ValueError(f"query_share must be in (0, 1), got {self.query_share}")
        if self.outer_update == "pair" and (self.order, self.tasks_per_batch) != ("alternating", 1):
            raise ValueError("outer_update pair needs order alternating and tasks_per_batch 1: it moves between steps")

    def rate_factor(self, epoch: int) -> float:
        """Return the factor of the learning rates in an epoch, counted from 0."""
        return self._factor_in(epoch)


@dataclass(frozen=True, kw_only=True)
class BaselineConfig(PriorConfig):
    """Settings of the Baseline (Section 4.6), besides those of `PriorConfig`: Adam on all distortion images at once.

    Attributes:
        image_passes: Images that are passed forward and backward in all; comparable with `image_passes` of the
            meta-training that it is compared with.
        batch_size: Images in a step.
        learning_rate: Learning rate of the backbone.
        rate_decay: Decay of the learning rate as in meta-training, except that `linear` falls with each step.
        epochs: Number of parts that `step` and `quadratic` divide the run into: the meta-training's epochs.
        batch_norm: `frozen`: use the running statistics as they are; `carried`: use the batch's and update them.
    """

    image_passes: int = 16_000
    batch_size: int = 50
    learning_rate: float = 1e-4
    rate_decay: Literal["step", "quadratic", "linear", "none"] = "none"
    batch_norm: Literal["frozen", "carried"] = "frozen"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("image_passes", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")

    def rate_factor(self, done: float) -> float:
        """Return the factor of the learning rates when that share of the steps, 0 to 1, is done."""
        return 1 - done if self.rate_decay == "linear" else self._factor_in(int(done * self.epochs))


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

RELEASED_CODE_KADID = replace(
    RELEASED_CODE, tasks_per_batch=1, inner_steps=5, outer_learning_rate=0.2, outer_update="pair"
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
"""What measured best of what was tried (`docs/models.md`): small batches, and batch normalisation at work."""

META_PRESETS = {
    "recommended": RECOMMENDED,
    "paper": PAPER,
    "released-code": RELEASED_CODE,
    "released-code-kadid": RELEASED_CODE_KADID,
}
