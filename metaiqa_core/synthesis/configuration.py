"""Configuration of a synthesis: the database to imitate, with types, levels, seed and window."""

from dataclasses import asdict, dataclass
from typing import Any

from metaiqa_core.distortions import LEVELS, DistortionType, find_distortion
from metaiqa_core.distortions.catalogue import CATALOGUE
from metaiqa_core.distortions.distortion_type import Database
from metaiqa_core.distortions.opinion_scores import RAW_RANGES

NAMES: dict[Database, str] = {"kadid10k": "kadid10k-style", "tid2013": "tid2013-kodak"}
"""Names of the re-synthesised databases; never the database's own name."""

FULL_SIZE = (512, 384)  # (width, height) of every image of both databases, pixels
MINIMUM_SIDE = 64  # pixels


@dataclass(frozen=True)
class SynthesisConfig:
    """Everything that determines the pixels, which excludes the target folder and the number of processes.

    Attributes:
        like: Key of the database to imitate.
        seed: Seed of the random draws. The seed of an image also depends on the name of its reference and on its level,
            but not on its position: adding photos or types changes no other image.
        types: Keys of the types to make, such as `kadid10k:GB`; by default all of the database.
        levels: Levels to make, each from 1 to 5.
        size: (width, height) of the windows, pixels; portrait photos get theirs upright.
        smallest_size: Photos that do not fill `size` get a smaller window of its shape, but at least this.
    """

    like: Database
    seed: int = 0
    types: tuple[str, ...] = ()
    levels: tuple[int, ...] = LEVELS
    size: tuple[int, int] = FULL_SIZE
    smallest_size: tuple[int, int] = FULL_SIZE

    def __post_init__(self) -> None:
        if self.like not in NAMES:
            raise ValueError(f"like must be {' or '.join(NAMES)}, got {self.like!r}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, got {self.seed}")
        if not self.levels or not set(self.levels) <= set(LEVELS) or list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"levels must be different ones of 1 to 5 in ascending order, got {self.levels}")
        if min(*self.size, *self.smallest_size) < MINIMUM_SIDE:
            raise ValueError(f"no side of a window may be below {MINIMUM_SIDE} pixels, got {self.size}")
        if self.smallest_size[0] > self.size[0] or self.smallest_size[1] > self.size[1]:
            raise ValueError(f"smallest_size {self.smallest_size} must not exceed size {self.size}")
        if self.like == "tid2013" and (self.size, self.smallest_size) != (FULL_SIZE, FULL_SIZE):
            raise ValueError("the windows of tid2013-kodak are 512x384: people scored no others")
        everything = tuple(entry for entry in CATALOGUE if entry.database == self.like)
        chosen = {find_distortion(name).key for name in self.types} or {entry.key for entry in everything}
        if foreign := sorted(chosen - {entry.key for entry in everything}):
            raise ValueError(f"{foreign[0]} is no type of {self.like}")
        object.__setattr__(self, "types", tuple(entry.key for entry in everything if entry.key in chosen))

    @property
    def name(self) -> str:
        """Name of the database: `kadid10k-style` or `tid2013-kodak`."""
        return NAMES[self.like]

    @property
    def raw_range(self) -> tuple[float, float]:
        """Lowest and highest raw score of the database that is imitated."""
        return RAW_RANGES[self.like]

    @property
    def distortions(self) -> tuple[DistortionType, ...]:
        """The catalogue's entries of `types`, by id."""
        return tuple(find_distortion(key) for key in self.types)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON knows them."""
        return asdict(self)
