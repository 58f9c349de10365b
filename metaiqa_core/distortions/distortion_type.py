"""One distortion type: its name, its five levels, and the recipe that applies it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from metaiqa_core.distortions.randomness import RandomStreams

Database = Literal["kadid10k", "tid2013"]
Family = Literal["blur", "colour", "compression", "transmission", "noise", "brightness", "spatial", "sharpness"]
LevelRule = Literal["fixed", "psnr", "own"]

LEVELS = (1, 2, 3, 4, 5)

Recipe = Callable[[Tensor, float, RandomStreams], Tensor]
"""(images, parameter, streams) -> distorted images; both image batches are (B, 3, H, W) float32 RGB in [0, 1]."""


@dataclass(frozen=True)
class DistortionType:
    """One distortion type of one database, with everything that its five levels need.

    Attributes:
        database: Database that defines the type.
        id: Number of the type in that database, as in its file names.
        abbreviation: Short name, unique within the database.
        name: Name in words.
        family: Group of related types.
        description: Appearance of a distorted photo, in one sentence.
        parameter_name: Name of the level parameter, with its unit.
        parameters: Parameters of levels 1 to 5.
        level_rule: `fixed`: the parameter is used as it is, whatever the photo. `psnr`: the parameter is a PSNR in dB
            and the strength is searched per photo until it is met within 0.3 dB, or as near as the photo allows.
            `own`: another rule, which `parameter_name` states.
        monotone: Whether every level damages at least as much as the one before it, by construction.
        batched: Whether the recipe treats a whole batch at once; otherwise it is given one image at a time.
        recipe: Function that applies the type.
    """

    database: Database
    id: int
    abbreviation: str
    name: str
    family: Family
    description: str
    parameter_name: str
    parameters: tuple[float, float, float, float, float]
    recipe: Recipe = field(repr=False, compare=False)
    level_rule: LevelRule = "fixed"
    monotone: bool = True
    batched: bool = True

    @property
    def key(self) -> str:
        """Unique name that `find_distortion` and the command line take, such as `kadid10k:GB`."""
        return f"{self.database}:{self.abbreviation}"

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"
