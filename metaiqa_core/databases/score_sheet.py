"""Rows of a database's score file, matched with its image files by one set of rules for every database.

A reader turns one layout into a `ScoreSheet` and nothing more. Numbers, scales, files and double rows are judged here,
in one loop, so that reading a database and checking it can never disagree.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.errors import DatabaseError
from metaiqa_core.foreign_text import path_from_text, text_from_csv


@dataclass(frozen=True)
class ScoreRow:
    """One row of a score file, not judged yet.

    Attributes:
        place: File and line, for messages: "dmos.csv, line 3".
        image: Name of the image, relative to the folder of the images.
        score: Score, as text or as a number.
        reference: Name of the pristine image, if any.
        distortion_type: Key of the distortion type, such as `kadid10k:GB`, if known.
        level: Distortion level from 1 (weakest), if known.
        subset: Official subset, if the database has them.
    """

    place: str
    image: str
    score: str | float | None
    reference: str | None = None
    distortion_type: str | None = None
    level: int | None = None
    subset: str | None = None


@dataclass(frozen=True)
class ScoreSheet:
    """The rows of a score file with everything that is needed to judge them.

    Attributes:
        name: Name of the database.
        column: Name of the score's column.
        raw_range: Lowest and highest possible score: unit score 0 and 1. Higher is better.
        folders: Folders of the images; the first folder that has an image counts.
        rows: Rows; never empty.
        range_advice: Advice where a score lies outside the range.
        images_advice: Advice where an image is missing.
        notes: Decisions made in reading, one sentence each.
        series: Whether the photos come in series of one scene.
    """

    name: str
    column: str
    raw_range: tuple[float, float]
    folders: tuple[Path, ...]
    rows: tuple[ScoreRow, ...]
    range_advice: str
    images_advice: str
    notes: tuple[str, ...] = ()
    series: bool = False


@dataclass(frozen=True)
class Finding:
    """Something wrong with a database.

    Attributes:
        kind: Kind of the mistake in one or two words, such as missing, no score, out of range or listed twice.
        subject: Image or file with the mistake.
        sentence: Message with what was expected, what came and what to do.
    """

    kind: str
    subject: str
    sentence: str


@dataclass(frozen=True)
class MatchedSheet:
    """A score sheet after every row was judged and its image looked up.

    Attributes:
        rated: Images whose score and file are both right, in the sheet's order.
        files: Image files that rows name, each with its row.
        findings: Mistakes, in the sheet's order.
    """

    rated: tuple[RatedImage, ...]
    files: dict[Path, ScoreRow]
    findings: tuple[Finding, ...]


def match_images(sheet: ScoreSheet) -> MatchedSheet:
    """Judge every row of a sheet and look its image up; nothing is raised, everything is collected."""
    low, high = sheet.raw_range
    images = _ImageFolders(sheet.folders)
    rated: list[RatedImage] = []
    files: dict[Path, ScoreRow] = {}
    findings: list[Finding] = []
    for row in sheet.rows:
        score = _judge_score(row, sheet)
        path = images.find(row.image)
        if isinstance(score, Finding):
            findings.append(score)
        if path is None:
            sentence = f"{row.place}: there is no image {row.image} in {sheet.folders[0]}; {sheet.images_advice}."
            findings.append(Finding("missing", row.image, sentence))
        elif path in files:
            sentence = f"{row.place}: {row.image} was rated already in {files[path].place}; keep one of the two rows."
            findings.append(Finding("listed twice", row.image, sentence))
        else:
            files[path] = row
            if not isinstance(score, Finding):
                rated.append(_rate(row, path, score, (score - low) / (high - low)))
    return MatchedSheet(_named_apart(rated, files), files, tuple(findings))


def to_database(sheet: ScoreSheet) -> Database:
    """Make a database of a sheet in which nothing is wrong.

    Raises:
        DatabaseError: If a score or an image is missing or wrong; the message names the first row that is.
    """
    matched = match_images(sheet)
    if matched.findings:
        others = len(matched.findings) - 1
        more = f" {others:,} more such problems: `databases check` lists them all." if others else ""
        raise DatabaseError(matched.findings[0].sentence + more)
    return Database(sheet.name, matched.rated, sheet.raw_range, sheet.series)


def _judge_score(row: ScoreRow, sheet: ScoreSheet) -> float | Finding:
    low, high = sheet.raw_range
    try:
        score = float("" if row.score is None else row.score)
    except ValueError:
        return Finding("no score", row.image, f"{row.place}: {sheet.column} must be a number, got {row.score!r}.")
    if not low <= score <= high:  # also refuses NaN
        sentence = f"{row.place}: {sheet.column} {score:g} lies outside {low:g} to {high:g}; {sheet.range_advice}."
        return Finding("no score" if score != score else "out of range", row.image, sentence)
    return score


def _rate(row: ScoreRow, path: Path, raw_score: float, unit_score: float) -> RatedImage:
    return RatedImage(
        path=path,
        unit_score=unit_score,
        raw_score=raw_score,
        reference=row.reference,
        distortion_type=row.distortion_type,
        level=row.level,
        subset=row.subset,
    )


def _named_apart(rated: Sequence[RatedImage], files: Mapping[Path, ScoreRow]) -> tuple[RatedImage, ...]:
    """Give images of one file name in several folders the names by which their rows tell them apart."""
    times = Counter(image.name for image in rated)
    return tuple(
        replace(image, name=Path(files[image.path].image).as_posix()) if times[image.name] > 1 else image
        for image in rated
    )


@dataclass
class _ImageFolders:
    """Finds images by name; where none has exactly that name, one that differs only in case or outer spaces will do.

    A name that no file has may be one as tables of this program write it: not UTF-8, or led by a sign of formulas.

    Each folder is listed once: that is faster than asking for thousands of files one by one, and the path that comes
    out is spelled as on the disk.
    """

    folders: Sequence[Path]
    listings: dict[Path, dict[str, Path]] = field(default_factory=dict)

    def find(self, name: str) -> Path | None:
        found = self._find_as_written(name)
        return found or self._find_as_written(str(path_from_text(text_from_csv(name))))

    def _find_as_written(self, name: str) -> Path | None:
        for folder in self.folders:
            wanted = folder / name
            listing = self._listing(wanted.parent)
            found = listing.get(wanted.name) or listing.get(_caseless(wanted.name.strip()))
            if found and found.is_file():
                return found
        return None

    def _listing(self, folder: Path) -> dict[str, Path]:
        if folder not in self.listings:
            try:
                names = sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths, are what is looked up
            except (FileNotFoundError, NotADirectoryError, ValueError):  # the last: a name with a zero byte
                names = []
            caseless = {_caseless(name): folder / name for name in names}
            self.listings[folder] = caseless | {name: folder / name for name in names}
        return self.listings[folder]


def _caseless(name: str) -> str:
    # The slash, which no file name has, keeps these keys apart from the exact names.
    return f"/{name.casefold()}"
