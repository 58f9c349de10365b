"""A photo with its score and the decision on it: what all lists, scripts and sidecars are made of."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from metaiqa_core.errors import OutputError
from metaiqa_core.foreign_text import printable
from metaiqa_core.sorting.decisions import Decision

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class SortedPhoto:
    """One photo.

    Attributes:
        name: Path relative to the folder that the photos came from, its parts separated by `/`.
        size: Length of the file, bytes.
        decision: Decision on it.
        score: Score, 0-100; None where there is none.
        word: Grade of the score; None where there is no score.
        model: Name of the model; empty where there is no score.
    """

    name: str
    size: int
    decision: Decision = Decision.UNDECIDED
    score: float | None = None
    word: str | None = None
    model: str = ""

    def path(self) -> PurePosixPath:
        """Return the name as a relative path.

        Raises:
            OutputError: If it leads out of its folder.
        """
        return relative_path(self.name)


def relative_path(name: str) -> PurePosixPath:
    """Return a name as a relative path.

    Raises:
        OutputError: If it is empty or leads out of its folder, so that a script or an archive could reach elsewhere.
    """
    path = PurePosixPath(name)
    # Windows takes both slashes, and drops spaces and dots at the end of a part.
    climbs = any(part.startswith("..") and not part.strip(". ") for part in re.split(r"[/\\]", name))
    leads_out = path.is_absolute() or climbs or _DRIVE.match(name) or name.startswith("\\")
    if leads_out or not path.parts or "\0" in name:
        raise OutputError(
            f"The name {printable(name)!r:.120} leads out of the folder of the photos: rename the photo first."
        )
    return path
