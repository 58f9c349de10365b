"""Settings of joint training as an experiment: the databases' parts in it, and what the model sees of a photo."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from metaiqa_core.experiments.new_model import NewModelConfig
from metaiqa_core.training.joint_configuration import JointConfig

NATIVE_SIDE = 64
"""Images that were made from references are seen at their own size: their damage is measured in pixels."""


@dataclass(frozen=True, kw_only=True)
class JointTrainingConfig(NewModelConfig):
    """Settings of joint training, besides those of `NewModelConfig`.

    Attributes:
        joint: Steps, rates and losses.
        shares: Share of each batch that a database's images make up, by the database's name; 1 where none is given.
        shown: Names of the databases on the mean of whose scales the model answers; none: the first one.
        judged: Name of the database that repeated splits measure on; "" takes the first one.
        held_out: Names of image files that no training learns from, and that the finished model is judged on.
        pooled: Numbers of the stages that a new network pools, see `RegressorConfig`; a model brings its own.
        smallest_side: Short side to which smaller photos are enlarged before the model sees them, pixels.
        half: Whether the model's file holds its weights in half precision.
    """

    joint: JointConfig = JointConfig()
    shares: Mapping[str, float] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    judged: str = ""
    held_out: frozenset[str] = frozenset()
    pooled: tuple[int, ...] = ()
    smallest_side: int = NATIVE_SIDE
    half: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for database, share in self.shares.items():
            if not 0 < share < math.inf:
                raise ValueError(f"the share of {database} must be a finite number above 0, got {share:g}.")
