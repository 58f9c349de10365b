"""Sidecars of `score --write-xmp`: stars beside each photo, written as soon as it is scored."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from metaiqa_core.errors import OutputError
from metaiqa_core.foreign_text import printable
from metaiqa_core.sorting.decisions import Decision
from metaiqa_core.sorting.sidecars import SidecarNames, sidecar_path, write_sidecar
from metaiqa_core.sorting.xmp import rating_of

Row = dict[str, Any]
_EXAMPLES = 3


def add_sidecar_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of sidecars."""
    parser.add_argument(
        "--write-xmp",
        action="store_true",
        help="write the grade as stars into an XMP sidecar beside each photo; whatever else it holds stays",
    )
    parser.add_argument(
        "--xmp-names",
        choices=[names.value for names in SidecarNames],  # argparse shows a member as the program writes it
        default=SidecarNames.FULL.value,
        help="full: photo.jpg.xmp, for darktable and digiKam; stem: photo.xmp, for Lightroom and Bridge, which read it "
        "beside camera raw files (default: %(default)s)",
    )
    parser.add_argument(
        "--replace-stars", action="store_true", help="with --write-xmp, replace stars that somebody else gave"
    )


class SidecarWriter:
    """Writes sidecars and remembers which ones it left alone.

    Args:
        names: Way in which the sidecars are named.
        replace: Whether to replace stars that somebody else gave.
    """

    def __init__(self, names: SidecarNames, *, replace: bool) -> None:
        self._names, self._replace = names, replace
        self._written: dict[Path, Path] = {}
        self._kept: list[Path] = []
        self.problems: list[str] = []

    def beside(self, scored: Iterable[tuple[Path, Row]]) -> Iterator[tuple[Path, Row]]:
        """Pass rows on, each after its photo has its sidecar; a photo without a score gets none."""
        for photo, row in scored:
            if row["error"] is None:
                self._write(photo, row)
            yield photo, row

    def remarks(self) -> list[str]:
        """Return remarks on the sidecars that were left alone, ready for a terminal."""
        if not self._kept:
            return self.problems
        names = ", ".join(printable(path.name) for path in self._kept[:_EXAMPLES])
        more = ", ..." if len(self._kept) > _EXAMPLES else ""
        return [
            f"kept the stars that somebody else gave in {len(self._kept):,} sidecar"
            f"{'' if len(self._kept) == 1 else 's'} ({names}{more}): --replace-stars would replace them",
            *self.problems,
        ]

    def _write(self, photo: Path, row: Row) -> None:
        path = sidecar_path(photo, self._names)
        if (other := self._written.setdefault(path, photo)) != photo:
            self.problems.append(
                f"{printable(path.name)} holds the stars of {printable(other.name)}, so that {printable(photo.name)} "
                "has none: use --xmp-names full"
            )
            return
        try:
            rating = rating_of(row["word"], Decision.UNDECIDED, row["score"], row["model"])
            if not write_sidecar(path, rating, replace=self._replace):
                self._kept.append(path)
        except OutputError as error:
            self.problems.append(str(error))
