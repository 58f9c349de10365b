"""ZIP archives: the photos to keep, or the sidecars of all."""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from metaiqa_core.errors import OutputError
from metaiqa_core.foreign_text import name_text
from metaiqa_core.sorting.decisions import Decision
from metaiqa_core.sorting.sidecars import SidecarNames, sidecar_path
from metaiqa_core.sorting.sorted_photo import SortedPhoto
from metaiqa_core.sorting.xmp import rating_of, write_rating

LARGEST_ARCHIVE = 500 * 10**6
"""Length of the photos in one archive, bytes; a single larger photo is an archive of its own."""


def parts(photos: Iterable[SortedPhoto], largest: int = LARGEST_ARCHIVE) -> list[list[SortedPhoto]]:
    """Divide photos into archives of at most `largest` bytes, in their order."""
    found: list[list[SortedPhoto]] = []
    length = 0
    for photo in photos:
        if not found or length + photo.size > largest:
            found.append([])
            length = 0
        found[-1].append(photo)
        length += photo.size
    return found


def zip_of_photos(photos: Sequence[SortedPhoto], content: Callable[[SortedPhoto], bytes]) -> bytes:
    """Return an archive of photos, their files as they came.

    Args:
        photos: Photos; two of one name both get in, the second one as `name (2).jpg`.
        content: Function that returns the content of a photo's file.

    Raises:
        OutputError: If a name leads out of the archive.
    """
    return _zipped((path, content(photo)) for path, photo in _distinct(photos))


def zip_of_sidecars(photos: Sequence[SortedPhoto], names: SidecarNames = SidecarNames.FULL) -> bytes:
    """Return an archive of sidecars, to be unpacked in the folder that the photos came from.

    Args:
        photos: Photos; those with neither a score nor a decision get none.
        names: Way in which the sidecars are named.

    Raises:
        OutputError: If a name leads out of the archive, or two photos would share a sidecar.
    """
    entries: dict[PurePosixPath, bytes] = {}
    for photo in photos:
        rating = rating_of(photo.word, photo.decision, photo.score, photo.model)
        if photo.score is None and photo.decision == Decision.UNDECIDED:
            continue
        path = sidecar_path(photo.path(), names)
        if path in entries:
            raise OutputError(f"Two photos would share the sidecar {name_text(path.as_posix())}: rename one of them.")
        entries[path] = write_rating(rating) or b""
    return _zipped(entries.items())


def _distinct(photos: Iterable[SortedPhoto]) -> Iterator[tuple[PurePosixPath, SortedPhoto]]:
    taken: set[str] = set()
    for photo in photos:
        path = first = photo.path()
        number = 2
        while path.as_posix().casefold() in taken:  # most disks take names that differ in case for one
            path = first.with_name(f"{first.stem} ({number}){first.suffix}")
            number += 1
        taken.add(path.as_posix().casefold())
        yield path, photo


def _zipped(entries: Iterable[tuple[PurePosixPath, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # photos are compressed already
        for path, content in entries:
            archive.writestr(name_text(path.as_posix()), content)
    return buffer.getvalue()
