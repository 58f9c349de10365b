"""Photos in folders, and the files that were left out, with the reason.

Links to folders are not entered, as `find` and `grep -r` do not, so that a loop ends and no photo counts twice.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from metaiqa_core.images.formats import READABLE_SUFFIXES
from metaiqa_core.images.system_files import is_system_file, is_system_folder

RAW_SUFFIXES = frozenset({
    ".3fr", ".arq", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".k25", ".kdc",
    ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw",
    ".x3f",
})  # fmt: skip
"""Lower-case suffixes of camera raw files with their dot."""
_MAXIMUM_COUNTED = 100_000
_RAW_PART = re.compile(r"\.raw-\d+(?:\.\w+)?$")  # a Pixel's PXL_1.RAW-01.COVER.jpg beside PXL_1.RAW-02.ORIGINAL.dng


@dataclass
class FolderScan:
    """Record of a walk through folders.

    Attributes:
        system_files: Number of files left out because they belong to a system.
        linked_folders: Links to folders that were not entered.
        unreadable: The system's reason for each folder that could not be read.
        lone_raws: Camera raw files without a readable photo beside them.
    """

    system_files: int = 0
    linked_folders: list[Path] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)
    lone_raws: list[Path] = field(default_factory=list)

    def add(self, other: "FolderScan") -> None:
        """Add the record of another walk."""
        self.system_files += other.system_files
        self.linked_folders += other.linked_folders
        self.unreadable |= other.unreadable
        self.lone_raws += other.lone_raws

    def photos_in(self, folder: Path) -> list[Path]:
        """Return the photos of a folder and of the folders in it, in order of name; system files left out and counted.

        A camera raw file and the photo of the same name beside it are one photo; a raw file alone is noted.
        """
        files = [file for file in self.files_in(folder) if file.suffix.lower() in (*READABLE_SUFFIXES, *RAW_SUFFIXES)]
        kept = without_paired_raws(sorted(files))
        self.lone_raws += [file for file in kept if is_raw(file)]
        return [file for file in kept if not is_raw(file)]

    def files_in(self, folder: Path) -> Iterator[Path]:
        """Yield the files of a folder and of the folders in it, links to files among them, in no order."""
        waiting = [folder]
        while waiting:
            place = waiting.pop()
            try:
                with os.scandir(place) as listing:
                    entries = list(listing)
            except OSError as error:
                self.unreadable[place] = error.strerror or str(error)
                continue
            # Joined to the folder, since an entry of "." would be called "./a.jpg" where Path says "a.jpg".
            folders = [entry.name for entry in entries if _is_folder(entry)]
            for name in folders:
                if is_system_folder(name, folders, Path(os.path.abspath(place)).name):  # noqa: PTH100
                    self.system_files += _count(place / name)
                else:
                    waiting.append(place / name)
            for entry in entries:
                if _is_folder(entry):
                    continue
                if is_system_file(entry.name):
                    self.system_files += 1
                elif entry.is_symlink() and os.path.isdir(place / entry.name):  # noqa: PTH112 - False, not an error, if locked
                    self.linked_folders.append(place / entry.name)
                elif _may_be_read(entry):
                    yield place / entry.name


def without_paired_raws(files: Iterable[Path]) -> list[Path]:
    """Return the files without the camera raw files that have a readable photo of the same name beside them."""
    files = list(files)
    photos = {_pair_name(file) for file in files if file.suffix.lower() in READABLE_SUFFIXES}
    return [file for file in files if not (is_raw(file) and _pair_name(file) in photos)]


def is_raw(file: Path) -> bool:
    """Return whether a file is a camera raw file by its suffix."""
    return file.suffix.lower() in RAW_SUFFIXES


def _pair_name(file: Path) -> tuple[Path, str]:
    return file.parent, _RAW_PART.sub("", file.stem.casefold())


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _may_be_read(entry: os.DirEntry[str]) -> bool:
    """Tell a file, or a link that leads nowhere and becomes an error of its own, from pipes, sockets and devices."""
    try:
        return entry.is_file() or entry.is_symlink()
    except OSError:
        return True


def _count(folder: Path) -> int:
    """Return the number of files in a system's folder; counting stops early, since a snapshot may hold a whole disk."""
    number = 0
    for _, _, files in os.walk(folder):
        number += len(files)
        if number > _MAXIMUM_COUNTED:
            break
    return number
