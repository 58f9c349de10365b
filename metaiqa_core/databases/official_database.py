"""The description of a published database, known without its files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from metaiqa_core.databases.score_sheet import ScoreSheet
from metaiqa_core.errors import DatabaseError


@dataclass(frozen=True)
class OfficialDatabase:
    """A published database: how to recognise it, how to read it, and where to ask for it.

    Attributes:
        key: Short name on the command line, such as `kadid10k`.
        name: Name as its authors write it.
        size: Number of rated images.
        raw_range: Lowest and highest possible raw score; higher is better.
        score_files: Patterns of the files with the scores, relative to the database's folder; any of them is enough.
        image_folders: Folders of its images, for messages.
        where: Place where its authors offer it. Nothing is ever downloaded.
        citation: Publication to cite.
        read_sheet: Function that reads the scores in the database's folder; raises `DatabaseError`.
        references: Number of reference images; 0 for authentic photos.
        distortion_types: Keys of the types in the order of their ids.
        subsets: Names of the official subsets or splits with the number of their images, None if that is not known.
        known_copies: Names of rated images that are one and the same photo in the official release.
        series: Whether its photos come in series of one scene; photos of one series stay on one side of any split made
            here.
    """

    key: str
    name: str
    size: int
    raw_range: tuple[float, float]
    score_files: tuple[str, ...]
    image_folders: str
    where: str
    citation: str
    read_sheet: Callable[[Path], ScoreSheet]
    references: int = 0
    distortion_types: tuple[str, ...] = ()
    subsets: tuple[tuple[str, int | None], ...] = ()
    known_copies: tuple[frozenset[str], ...] = ()
    series: bool = False

    @property
    def range_advice(self) -> str:
        """Advice for a score outside the range."""
        return f"{self.name} has no such score: unpack its score file anew"

    @property
    def layout(self) -> str:
        """Description of its folder, in words."""
        return f"{' or '.join(self.score_files)} with {self.image_folders}"

    def is_in(self, folder: Path) -> bool:
        """Tell whether one of its score files lies in this very folder."""
        return any(next(folder.glob(pattern), None) for pattern in self.score_files)

    def locate(self, folder: Path) -> Path | None:
        """Return this folder or the only folder directly in it that holds the scores; None if there is none.

        Raises:
            DatabaseError: If several folders in it do.
        """
        if self.is_in(folder):
            return folder
        inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and self.is_in(path)]
        if len(inside) > 1:
            raise DatabaseError(
                f"{folder} holds {self.name} twice, in {inside[0].name} and {inside[1].name}: name one."
            )
        return inside[0] if inside else None


IMAGES_ADVICE = "unpack the images anew, or name their folder with --images"
"""Advice for a missing image of a published database."""
