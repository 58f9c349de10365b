"""Check a database: its files, and everything that is missing, superfluous, unreadable, out of range or double.

One checker serves every database: the differences between databases are in their `ScoreSheet` and `OfficialDatabase`.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from metaiqa_core.databases.catalogue import find_official
from metaiqa_core.databases.official_database import OfficialDatabase
from metaiqa_core.databases.reading import CSV, read_sheet, refuse_wrong_options
from metaiqa_core.databases.score_sheet import Finding, MatchedSheet, ScoreRow, ScoreSheet, match_images
from metaiqa_core.errors import DatabaseError, PhotoError
from metaiqa_core.files import sha256_of
from metaiqa_core.images import READABLE_SUFFIXES, decode
from metaiqa_core.progress import Progress, Work

_UNUSABLE = {"scores", "missing", "no score", "out of range", "listed twice", "unreadable"}
_INCOMPLETE = {"scores", "missing", "incomplete"}


@dataclass(frozen=True)
class CheckReport:
    """The findings of a check.

    Attributes:
        name: Name of the database.
        folder: Folder that was checked.
        image_folders: Folders in which the images were searched.
        expected: Number of images in the published database; None for a CSV database.
        listed: Number of rows in the score file.
        present: Number of image files that rows name and that exist.
        references: Number of different references.
        distortion_types: Number of different distortion types.
        subsets: Number of listed images by official subset.
        findings: All mistakes in the database.
        notes: Remarks on what is unusual but not wrong, one sentence each.
    """

    name: str
    folder: Path
    image_folders: tuple[Path, ...] = ()
    expected: int | None = None
    listed: int = 0
    present: int = 0
    references: int = 0
    distortion_types: int = 0
    subsets: tuple[tuple[str, int], ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether the database can be read for training and evaluation as it is."""
        return not any(finding.kind in _UNUSABLE for finding in self.findings)

    @property
    def complete(self) -> bool:
        """Whether every image of the database is listed and there."""
        return not any(finding.kind in _INCOMPLETE for finding in self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """Number of findings of each kind, in the order of their first."""
        return dict(Counter(finding.kind for finding in self.findings))


def check_database(
    path: Path,
    name: str,
    *,
    images: Path | None = None,
    mos_range: tuple[float, float] | None = None,
) -> Work[CheckReport]:
    """Check a database, decoding every image; yields progress an image.

    Args:
        path: Folder of the database, or a CSV file.
        name: Name of a published database, or `csv`.
        images: Folder of the image files, if they lie elsewhere.
        mos_range: Scale of a CSV database's scores.

    Returns:
        The report; a score file that cannot be read is a finding in it.

    Raises:
        DatabaseError: If there is no such database, nothing at `path`, or an option does not fit.
    """
    official = None if name.casefold() == CSV else find_official(name)
    if not path.exists():
        advice = f" {official.name} is not downloaded: ask for it at {official.where}." if official else ""
        raise DatabaseError(f"There is no folder or file {path}.{advice}")
    refuse_wrong_options(official, images, mos_range)
    expected = official.size if official else None
    try:
        sheet = read_sheet(path, name, images=images, mos_range=mos_range)
    except DatabaseError as error:
        title = official.name if official else path.stem
        return CheckReport(title, path, expected=expected, findings=(Finding("scores", path.name, str(error)),))
    matched = match_images(sheet)
    unreadable, copies, notes = yield from _check_files(matched, official)
    return CheckReport(
        name=sheet.name,
        folder=path,
        image_folders=tuple(folder for folder in sheet.folders if folder.is_dir()),
        expected=expected,
        listed=len(sheet.rows),
        present=len(matched.files),
        references=len({row.reference for row in sheet.rows if row.reference}),
        distortion_types=len({row.distortion_type for row in sheet.rows if row.distortion_type}),
        subsets=tuple(_subset_sizes(sheet).items()),
        findings=(
            *matched.findings,
            *unreadable,
            *copies,
            *_find_extra(sheet, matched),
            *_find_incomplete(sheet, official),
        ),
        notes=(*sheet.notes, *notes),
    )


def _check_files(
    matched: MatchedSheet, official: OfficialDatabase | None
) -> Work[tuple[list[Finding], list[Finding], list[str]]]:
    """Read every image; report images that cannot be decoded and copies, and note the copies that do no harm."""
    unreadable: list[Finding] = []
    contents: dict[str, list[ScoreRow]] = defaultdict(list)
    for step, (path, row) in enumerate(matched.files.items(), start=1):
        try:
            contents[sha256_of(path)].append(row)
            decode(path)
        except (PhotoError, OSError) as error:
            unreadable.append(Finding("unreadable", row.image, f"{row.image} cannot be used: {error}"))
        yield Progress(f"reading {path.name}", step, len(matched.files))
    known = {frozenset(map(str.casefold, names)) for names in (official.known_copies if official else ())}
    copies: list[Finding] = []
    notes: list[str] = []
    for rows in contents.values():
        if len(rows) < 2:
            continue
        names = ", ".join(row.image for row in rows)
        if frozenset(row.image.casefold() for row in rows) in known:
            notes.append(f"One photo under several names, also in the official release: {names}.")
        elif rows[0].reference and len({row.reference for row in rows}) == 1:
            notes.append(f"Byte-identical, of one reference, so that no split separates them: {names}.")
        else:
            sentence = f"Byte-identical images: {names}; unpack them anew, or keep one of them."
            copies.append(Finding("duplicated", names, sentence))
    return unreadable, copies, notes


def _find_extra(sheet: ScoreSheet, matched: MatchedSheet) -> list[Finding]:
    """Find pictures that lie beside the rated ones but that no row names; references may lie there too."""
    references = {row.reference.casefold() for row in sheet.rows if row.reference}
    folders = sorted({path.parent for path in matched.files} or {path for path in sheet.folders if path.is_dir()})
    return [
        Finding("extra", path.name, f"{path.name} lies among the images but has no score; it is not used.")
        for folder in folders
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in READABLE_SUFFIXES
        and not path.name.startswith(".")  # such as the ._ files that macOS leaves in archives
        and path not in matched.files
        and path.stem.casefold() not in references
    ]


def _find_incomplete(sheet: ScoreSheet, official: OfficialDatabase | None) -> list[Finding]:
    """Compare the numbers of listed images with the published ones."""
    if official is None:
        return []
    sizes = _subset_sizes(sheet)
    wanted: list[tuple[str, int | None, int]] = [("", official.size, len(sheet.rows))]
    if sizes:  # otherwise the file that names them is not there, which is a note
        wanted += [(f" ({name})", size, sizes.get(name, 0)) for name, size in official.subsets]
    return [
        Finding(
            "incomplete",
            official.name + part,
            f"{official.name}{part} has {'images' if size is None else f'{size:,} images'}, the score file {listed:,}.",
        )
        for part, size, listed in wanted
        if (listed == 0 if size is None else listed != size)
    ]


def _subset_sizes(sheet: ScoreSheet) -> dict[str, int]:
    return dict(Counter(row.subset for row in sheet.rows if row.subset))
