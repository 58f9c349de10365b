"""The one list of published databases, and how to find one by its name or in a folder."""

from collections.abc import Callable
from pathlib import Path

from metaiqa_core.databases.biq2021 import BIQ2021
from metaiqa_core.databases.cid2013 import CID2013
from metaiqa_core.databases.kadid10k import KADID10K
from metaiqa_core.databases.koniq10k import KONIQ10K
from metaiqa_core.databases.live_challenge import LIVE_CHALLENGE
from metaiqa_core.databases.official_database import OfficialDatabase
from metaiqa_core.databases.tid2013 import TID2013
from metaiqa_core.errors import DatabaseError

OFFICIAL: tuple[OfficialDatabase, ...] = (TID2013, KADID10K, CID2013, LIVE_CHALLENGE, KONIQ10K, BIQ2021)
"""The five databases of the paper, two with distortion types and three of authentic photos; then later ones."""


def find_official(name: str) -> OfficialDatabase:
    """Look a published database up by its key or name; case, spaces and dashes do not matter.

    Raises:
        DatabaseError: If there is no such database; the message lists them.

    Example:
        >>> find_official("KADID-10k").size
        10125
    """
    wanted = _plain(name)
    for official in OFFICIAL:
        if wanted in (_plain(official.key), _plain(official.name)):
            return official
    keys = ", ".join(official.key for official in OFFICIAL)
    raise DatabaseError(f"There is no database {name!r}: expected one of {keys}, or csv.")


def recognise(holds: Callable[[OfficialDatabase], Path | None]) -> tuple[OfficialDatabase, Path] | None:
    """Return the database whose score file exists, and its folder; None if there is none.

    Args:
        holds: Function that returns the folder with a database's score file, or None, such as
            `OfficialDatabase.locate` for a folder.

    Raises:
        DatabaseError: If there are several.
    """
    found = [(official, folder) for official in OFFICIAL if (folder := holds(official))]
    if len(found) > 1:
        names = " and ".join(official.name for official, _ in found)
        raise DatabaseError(f"{found[0][1].parent} holds {names}: name the folder of one of them.")
    return found[0] if found else None


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
