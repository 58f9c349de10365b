"""One photo with its opinion score, and a database of them: the only form in which scores travel."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class RatedImage:
    """A photo and its opinion score.

    Attributes:
        path: Image file.
        unit_score: Opinion score in [0, 1], higher is better.
        raw_score: Opinion score on the scale that the database publishes.
        reference: Name of the pristine image it was made from, if any.
        distortion_type: Key of the distortion type, such as `kadid10k:GB`, if known.
        level: Distortion level from 1 (weakest), if known.
        subset: Official subset, if the database has them.
        name: Name of the image, unique in its database; that of its file where no other one is given.
    """

    path: Path
    unit_score: float
    raw_score: float
    reference: str | None = None
    distortion_type: str | None = None
    level: int | None = None
    subset: str | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.path.name)
        if not 0 <= self.unit_score <= 1:
            raise ValueError(f"unit_score must be in [0, 1], got {self.unit_score} for {self.name}")


@dataclass(frozen=True)
class Database:
    """Rated photos in a fixed order.

    Attributes:
        name: Name of the database in results.
        images: Photos; never empty.
        raw_range: Lowest and highest possible raw score, which become the unit scores 0 and 1.
        series: Whether photos come in series of one scene; near-duplicates stay on one side of any split made here.
    """

    name: str
    images: tuple[RatedImage, ...]
    raw_range: tuple[float, float]
    series: bool = False

    def __post_init__(self) -> None:
        if not self.images:
            raise ValueError("a database must hold at least one image")

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[RatedImage]:
        return iter(self.images)

    def groups(self) -> list[str]:
        """Return the name of each image's group, whose images stay on one side of a split.

        The group is the reference where there is one; elsewhere its file's content, so that identical files stay
        together. Where photos come in `series`, it is their scene instead: near-duplicates stay together as well.

        Raises:
            PhotoError: If the photos come in series and one of them cannot be read.
        """
        seen: dict[Path, str] = {}
        if self.series:
            from metaiqa_core.databases.series import name_scenes  # it decodes photos; most databases need it not

            seen |= name_scenes([image.path for image in self.images if not image.reference])
        return [image.reference or seen.setdefault(image.path, _content(image.path)) for image in self.images]

    def fingerprint(self) -> str:
        """Return a hash of the images' names, sizes in bytes and scores, to tell databases of one name apart."""
        rows = [
            (image.name, image.path.stat().st_size, image.unit_score, image.reference, image.distortion_type)
            for image in self.images
        ]
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def find_copy(self, other: "Database") -> Path | None:
        """Return a file of another database whose content this one has, too; None where there is none."""
        sizes = {image.path.stat().st_size for image in self.images}
        alike = [image.path for image in other.images if image.path.stat().st_size in sizes]  # spares reading the rest
        contents = {_content(image.path) for image in self.images} if alike else set()
        return next((path for path in alike if _content(path) in contents), None)

    def distortion_types(self) -> tuple[str, ...]:
        """Return the distortion types in the order in which they first occur; empty where none is known."""
        return tuple(dict.fromkeys(image.distortion_type for image in self.images if image.distortion_type))

    def subsets(self) -> tuple[str, ...]:
        """Return the official subsets in the order in which they first occur; empty where there are none."""
        return tuple(dict.fromkeys(image.subset for image in self.images if image.subset))

    def take(self, indices: list[int]) -> "Database":
        """Return the images at these positions, in that order."""
        return replace(self, images=tuple(self.images[index] for index in indices))


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
