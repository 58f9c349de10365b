"""Sidecar files beside photos: their names, and writing them without loss of what others wrote there."""

from enum import StrEnum
from pathlib import Path, PurePath
from typing import TypeVar

from metaiqa_core.errors import OutputError
from metaiqa_core.files import write_whole
from metaiqa_core.foreign_text import printable
from metaiqa_core.sorting.xmp import Rating, write_rating

AnyPath = TypeVar("AnyPath", bound=PurePath)
_LARGEST = 16 * 2**20
"""Size of the largest sidecar that is read, bytes."""


class SidecarNames(StrEnum):
    """How sidecars are named."""

    FULL = "full"
    """photo.jpg.xmp: darktable and digiKam."""
    STEM = "stem"
    """photo.xmp: Lightroom and Bridge, which read it beside camera raw files."""


def sidecar_path(photo: AnyPath, names: SidecarNames = SidecarNames.FULL) -> AnyPath:
    """Return the sidecar of a photo.

    >>> sidecar_path(PurePath("a/b.jpg"), SidecarNames.STEM).as_posix()
    'a/b.xmp'
    """
    return photo.with_name(f"{photo.name}.xmp" if names == SidecarNames.FULL else f"{photo.stem}.xmp")


def write_sidecar(path: Path, rating: Rating, *, replace: bool = False) -> bool:
    """Write a rating into a sidecar, whose other contents stay; return whether it holds the rating now.

    Args:
        path: The sidecar, which may exist.
        rating: Rating to write.
        replace: Whether to replace stars or a label that somebody else gave; otherwise such a sidecar stays as it is.

    Raises:
        OutputError: If the existing file is no XMP that can be read, or the system refuses.
    """
    shown = printable(path.name)
    try:
        before = _content(path)
        after = write_rating(rating, before, replace=replace)
        if after is not None and after != before:
            content = after
            write_whole(path, lambda temporary: temporary.write_bytes(content))
    except OutputError as error:
        raise OutputError(f"{shown} stays as it is, since {error}.") from error
    except OSError as error:
        raise OutputError(
            f"{shown} cannot be written ({error.strerror or error}): check the folder's permissions and its disk."
        ) from error
    return after is not None


def _content(path: Path) -> bytes | None:
    if not path.exists():
        return None
    if not path.is_file():
        raise OutputError("it is no regular file: move it away, and start again")
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OutputError(f"it has more than {_LARGEST // 2**20} MiB: move it away, and start again")
    return content
