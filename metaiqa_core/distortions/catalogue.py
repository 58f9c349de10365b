"""The one list of all distortion types, and how to find one by its name."""

import difflib

from metaiqa_core.distortions.distortion_type import DistortionType
from metaiqa_core.distortions.kadid10k import KADID10K
from metaiqa_core.distortions.tid2013 import TID2013
from metaiqa_core.errors import DistortionError

CATALOGUE: tuple[DistortionType, ...] = KADID10K + TID2013
"""All 49 types: the 25 of KADID-10k by id, then the 24 of TID2013 by id."""

FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(entry.family for entry in CATALOGUE))
"""The families in the order in which the catalogue introduces them."""


def _names(entry: DistortionType) -> tuple[str, ...]:
    """All spellings of a type that a lookup accepts, in lower case."""
    names = (entry.abbreviation, str(entry.id), f"{entry.id:02d}", entry.name)
    return tuple(f"{entry.database}:{name}".casefold() for name in names)


_BY_NAME = {name: entry for entry in CATALOGUE for name in _names(entry)}


def find_distortion(text: str) -> DistortionType:
    """Look a distortion type up.

    Args:
        text: Database and the type's abbreviation, id or name, such as `kadid10k:GB`, `tid2013:11` or
            `tid2013:JPEG2000`; case does not matter.

    Returns:
        The entry of the catalogue.

    Raises:
        DistortionError: If there is no such type; the message names the nearest ones.

    Example:
        >>> find_distortion("tid2013:08").name
        'Gaussian blur'
    """
    wanted = text.strip().casefold()
    if wanted in _BY_NAME:
        return _BY_NAME[wanted]
    near = _near_matches(wanted)
    advice = f"did you mean {' or '.join(near)}?" if near else "choose one of the catalogue."
    raise DistortionError(f"Expected a distortion such as kadid10k:GB or tid2013:11, got {text!r}; {advice}")


def _near_matches(wanted: str) -> list[str]:
    """List up to four keys whose abbreviation or name is nearest to a text without a match, the nearest first."""
    spellings: dict[str, list[str]] = {}  # without the database, which many leave out
    for entry in CATALOGUE:
        for name in (entry.abbreviation, entry.name):
            spellings.setdefault(name.casefold(), []).append(entry.key)
    database, separator, name = wanted.rpartition(":")
    close = difflib.get_close_matches(name, spellings, n=3, cutoff=0.65)
    keys = list(dict.fromkeys(key for spelling in close for key in spellings[spelling]))
    same_database = [key for key in keys if separator and key.startswith(f"{database}:")]
    return (same_database or keys)[:4]
