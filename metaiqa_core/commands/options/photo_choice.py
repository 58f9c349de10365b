"""The argument PHOTO of commands: photos, folders of photos and quoted globs, and remarks on the files left out."""

import argparse
import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from metaiqa_core.errors import PhotoError
from metaiqa_core.foreign_text import printable
from metaiqa_core.images.photo_folders import FolderScan, without_paired_raws
from metaiqa_core.images.system_files import is_system_file, is_system_folder

_EXAMPLES = 3


@dataclass(frozen=True)
class PhotoChoice:
    """The photos that the arguments of a command name.

    Attributes:
        files: Photos in order, each once; some may not exist.
        scan: Record of the files that were left out of folders.
    """

    files: tuple[Path, ...]
    scan: FolderScan

    @property
    def is_complete(self) -> bool:
        """Whether every folder could be read."""
        return not self.scan.unreadable

    def remarks(self) -> list[str]:
        """Return remarks on the files that were left out, ready for a terminal."""
        scan, remarks = self.scan, []
        if scan.system_files:
            remarks.append(
                f"skipped {_counted(scan.system_files, 'file')} of the system (hidden files, thumbnails, recycle bins "
                "and the like): name one by itself to score it"
            )
        if scan.lone_raws:
            remarks.append(
                f"skipped {_counted(len(scan.lone_raws), 'camera raw file')} without a JPEG beside it "
                f"({_examples(scan.lone_raws)}): export it as JPEG to score it"
            )
        if scan.linked_folders:
            remarks.append(
                f"did not enter {_counted(len(scan.linked_folders), 'linked folder')} "
                f"({_examples(scan.linked_folders)}): name it to score what is in it"
            )
        for folder, reason in scan.unreadable.items():
            remarks.append(
                f"the folder {printable(str(folder))} cannot be read ({reason}): its photos are missing here"
            )
        return remarks


def add_photo_argument(parser: argparse.ArgumentParser, number: str = "+") -> None:
    """Declare PHOTO; `find_photos` reads it.

    Args:
        parser: Parser of the command.
        number: Number of them that may be given, in argparse's terms.
    """
    parser.add_argument("photos", nargs=number, metavar="PHOTO", help="a photo, a folder of photos, or a quoted glob")


def find_photos(names: Sequence[str]) -> PhotoChoice:
    """Return the files that paths, folders and globs stand for: folders recursively, photos only, in order of name.

    Raises:
        PhotoError: If a name is empty, a folder or a glob holds no photo, or no file exists at all.
    """
    scan = FolderScan()
    files: list[Path] = []
    for name in names:
        if not name:  # Path would take it for the folder of this process
            raise PhotoError(
                "An empty name was given for a photo: expected a photo, a folder or a glob; a variable of the shell "
                "may be empty."
            )
        if os.path.isdir(name):  # noqa: PTH112 - a folder that is out of reach is False here, an error there
            files.extend(_photos_of_folder(name, scan))
        elif glob.has_magic(name) and not os.path.lexists(name):
            found = _matches(name, scan)
            if not found:
                raise PhotoError(f"Nothing matches {name}: check the folder and the pattern.")
            files.extend(found)
        else:
            files.append(Path(name))  # a missing file becomes a row with its reason, and the others are scored
    if not files:
        folder, reason = next(iter(scan.unreadable.items()))
        raise PhotoError(f"The folder {folder} cannot be read ({reason}): check its permissions.")
    if not any(_may_exist(file) for file in files):
        named = files[0].name if len(files) == 1 else f"{files[0].name} or any other of the {len(files)} photos"
        raise PhotoError(f"There is no file {named}: check the name and the folder.")
    once: dict[str, Path] = {}
    for file in without_paired_raws(files):
        once.setdefault(os.path.abspath(file), file)  # noqa: PTH100 - resolve() would take a link for its photo
    return PhotoChoice(tuple(once.values()), scan)


def _photos_of_folder(name: str, scan: FolderScan) -> list[Path]:
    here = FolderScan()
    found = here.photos_in(Path(name))
    if not found and not here.unreadable:
        beside = "; ".join(PhotoChoice((), here).remarks())
        raise PhotoError(
            f"The folder {name} holds no photo: expected files such as .jpg, .png or .heic"
            + (f" ({beside})." if beside else ".")
        )
    scan.add(here)
    return found


def _matches(pattern: str, scan: FolderScan) -> list[Path]:
    """Expand a glob, `**` for folders at any depth; a system's files are left out and counted."""
    parts = Path(pattern).parts
    fixed = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    base, wanted = Path(*parts[:fixed]), parts[fixed:]
    if "**" in wanted:  # the library's own follows links to folders, round and round
        return sorted(file for file in scan.files_in(base) if _fits(file.relative_to(base).parts, wanted))
    found = []
    for match in sorted(map(Path, glob.glob(pattern))):  # noqa: PTH207 - patterns may be absolute
        *folders, name = match.relative_to(base).parts
        if os.path.isdir(match):  # noqa: PTH112 - see above
            continue
        if is_system_file(name) or any(map(is_system_folder, folders)):
            scan.system_files += 1
        else:
            found.append(match)
    return found


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether the parts of a path fit those of a glob."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _fits(parts, pattern[1:]) or (len(parts) > 0 and _fits(parts[1:], pattern))
    return len(parts) > 0 and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _may_exist(file: Path) -> bool:
    """Return False only for a file that is known to be missing; one out of reach gets a reason of its own later."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return True
    return True


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _examples(paths: Sequence[Path]) -> str:
    names = ", ".join(printable(path.name) for path in paths[:_EXAMPLES])
    return f"{names}, ..." if len(paths) > _EXAMPLES else names
