"""Selection of references from a folder: photos are found, checked, cut to windows and named."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.errors import DatabaseError, PhotoError
from metaiqa_core.images import Photo, decode
from metaiqa_core.images.photo_folders import FolderScan
from metaiqa_core.progress import Progress, Work
from metaiqa_core.synthesis.configuration import SynthesisConfig
from metaiqa_core.synthesis.pristine import refuse_flaws
from metaiqa_core.synthesis.windows import Window, kodak_window, style_window


@dataclass(frozen=True)
class Reference:
    """A photo that was accepted.

    Attributes:
        name: Name, unique within the database whatever the case of letters; file names are made of it.
        photo: File of the photo.
        window: Part of the photo that is used, and the reduction before it is cut.
        sha256: SHA-256 of the window's pixels, 64 hexadecimal digits.
    """

    name: str
    photo: Path
    window: Window
    sha256: str


@dataclass(frozen=True)
class Selection:
    """The photos of a folder, sorted.

    Attributes:
        references: Accepted photos, sorted by name.
        refused: Reason for each refused photo, by file name within the folder.
    """

    references: tuple[Reference, ...]
    refused: dict[str, str]


def find_photos(folders: Sequence[Path]) -> list[Path]:
    """List all photos of folders, recursively, in order of name; files of systems are left out.

    Raises:
        DatabaseError: If a folder is missing, cannot be read or holds no photo.
    """
    photos: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise DatabaseError(f"There is no folder {folder}: --photos names a folder of pristine photos.")
        scan = FolderScan()
        found = scan.photos_in(folder)
        if scan.unreadable:
            closed, reason = next(iter(scan.unreadable.items()))
            raise DatabaseError(f"The folder {closed} cannot be read ({reason}): without it this is another database.")
        if not found:
            raise DatabaseError(f"The folder {folder} holds no photo: expected files such as .png, .jpg or .webp.")
        photos.extend(found)
    return photos


def select_references(photos: Sequence[Path], config: SynthesisConfig) -> Work[Selection]:
    """Check every photo; yields one step a photo.

    Args:
        photos: Files of the photos.
        config: Configuration, which gives the size of the windows and the smallest size.

    Returns:
        The references, and the reason for each photo that was refused.

    Raises:
        DatabaseError: If no photo can be used.
    """
    accepted: dict[str, Reference] = {}
    refused: dict[str, str] = {}
    seen: dict[str, str] = {}  # windows by content: one photo under two names would leak through a split by reference
    for step, path in enumerate(photos, start=1):
        try:
            photo = decode(path)
            window = choose_window(path, photo, config)
            digest = hashlib.sha256(window.cut(photo.pixels).tobytes()).hexdigest()
            reference = Reference(_name(path, accepted, config), path, window, digest)
            if digest in seen:
                raise PhotoError(f"{path.name} shows the same as {seen[digest]}.")
            seen[digest] = path.name
            accepted[reference.name] = reference
        except PhotoError as error:
            refused[path.name if path.name not in refused else str(path)] = str(error)
        yield Progress("checking photos", step, len(photos))
    if not accepted:
        first = next(iter(refused.values()))
        raise DatabaseError(f"None of the {len(photos)} photos can be used. The first: {first}")
    return Selection(tuple(accepted[name] for name in sorted(accepted)), refused)


def choose_window(path: Path, photo: Photo, config: SynthesisConfig) -> Window:
    """Choose the window of a photo.

    Raises:
        PhotoError: If the photo is too small or not pristine; the message gives the reason.
    """
    if config.like == "tid2013":
        return kodak_window(photo.pixels.shape[1], photo.pixels.shape[0], path.name)
    window = style_window(path, photo, config.size, config.smallest_size)
    refuse_flaws(path, photo, window)
    return window


def cut(reference: Reference) -> NDArray[np.uint8]:
    """Decode a reference's photo and return its window: uint8 (H, W, 3)."""
    return reference.window.cut(decode(reference.photo).pixels)


def _name(path: Path, taken: dict[str, Reference], config: SynthesisConfig) -> str:
    """Return a name for file systems of any kind: TID2013's numbers for Kodak's photos, else the stem made plain."""
    stem = re.sub(r"[^a-z0-9-]+", "-", path.stem.lower()).strip("-") or "photo"
    if config.like == "tid2013":
        if stem in taken:
            raise PhotoError(f"{path.name} is there twice: {taken[stem].photo} is used.")
        return stem
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name
