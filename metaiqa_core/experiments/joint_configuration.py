"""Settings of joint training as an experiment: the databases' parts in it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from metaiqa_core.experiments.several_databases import SeveralDatabasesConfig
from metaiqa_core.training.joint_configuration import JointConfig


@dataclass(frozen=True, kw_only=True)
class JointTrainingConfig(SeveralDatabasesConfig):
    """Settings of joint training, besides those of `SeveralDatabasesConfig`.

    Attributes:
        joint: Steps, rates and losses.
        shares: Share of each batch that a database's images make up, by the database's name; 1 where none is given.
        shown: Names of the databases on the mean of whose scales the model answers; none: the first one.
        pooled: Numbers of the stages that a new network pools, see `RegressorConfig`; a model brings its own.
    """

    joint: JointConfig = JointConfig()
    shares: Mapping[str, float] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    pooled: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for database, share in self.shares.items():
            if not 0 < share < math.inf:
                raise ValueError(f"the share of {database} must be a finite number above 0, got {share:g}.")
