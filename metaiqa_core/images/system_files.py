"""Files that cameras, phones, servers and systems put beside photos: thumbnails, recycle bins, sidecars, snapshots.

They have suffixes of photos but are no photos of the user's. A folder scan leaves them out; a file that is named by
itself is always read.
"""

import re
from collections.abc import Sequence

_FOLDERS = frozenset({
    # Recycle bins of Windows, of network servers and of cameras; a name that begins with a dot needs no mention.
    "$recycle.bin", "recycler", "recycled", "recycle bin", "recycle.bin", "#recycle", "@recycle", "trashbox", "trash",
    "network trash folder", "lost.dir", "lost+found",
    # Thumbnails and previews: Synology and others, Sony's cameras, AVCHD, Android, galleries, Capture One.
    "@eadir", "thmbnl", "avchdtn", "canonmsc", "eosmisc", "thumbnails", "thumbnail", "thumbs", "thumb", "_thumbs",
    "_thumbnails", "captureone", "picasa originals",
    # Snapshots and working space of file systems and servers.
    "#snapshot", "@recently-snapshot", "~snapshot", "@tmp", "@sharebin", "@docker", "system volume information",
    "temporary items", "windowsimagebackup",
    # What macOS puts into an archive.
    "__macosx",
})  # fmt: skip
_FOLDER_PATTERN = re.compile(r"found\.\d{3}|.*\.(?:lrdata|lrcat-data|cocatalogdb)")
_FILES = frozenset({"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "sonycard.ind"})
_FILE_PATTERN = re.compile(
    r"syno(?:photo|file|video)_thumb.*"  # Synology's, where they were copied out of @eaDir
    r"|albumart(?:small|_\{.*\}_(?:large|small))\.jpe?g"  # Windows Media Player
    r"|~\$.*"  # locks of office programs
)
_CAMERA_FOLDERS = frozenset({"misc", "private", "mp_root", "avf_info"})
"""Folders beside DCIM on a memory card that belong to the camera."""
_LIBRARY = re.compile(r".*\.(?:photoslibrary|photolibrary|aplibrary|migratedphotolibrary)")
_ORIGINALS = frozenset({"originals", "masters"})
"""The folders of Apple's photo libraries that hold photos; the others hold smaller copies of them."""


def is_system_folder(name: str, siblings: Sequence[str] = (), parent: str = "") -> bool:
    """Return whether a folder belongs to a system rather than to the user.

    Args:
        name: Name of the folder, the last part of its path.
        siblings: Names of the folders beside it.
        parent: Name of the folder that it lies in.

    >>> is_system_folder("@eaDir"), is_system_folder("Misc"), is_system_folder("MISC", ["DCIM", "MISC"])
    (True, False, True)
    """
    name, parent = name.casefold(), parent.casefold()
    if name.startswith(".") or name in _FOLDERS or _FOLDER_PATTERN.fullmatch(name):
        return True
    if _LIBRARY.fullmatch(parent):
        return name not in _ORIGINALS
    on_a_card = parent == "dcim" or any(sibling.casefold() == "dcim" for sibling in siblings)
    return on_a_card and name in _CAMERA_FOLDERS


def is_system_file(name: str) -> bool:
    """Return whether a file belongs to a system by its name; names that begin with a dot do, such as `._IMG_1.jpg`.

    >>> is_system_file("._IMG_1.jpg"), is_system_file("Thumbs.db"), is_system_file("thumbs up.jpg")
    (True, True, False)
    """
    name = name.casefold()
    return name.startswith(".") or name in _FILES or _FILE_PATTERN.fullmatch(name) is not None
