"""LIVE In the Wild Image Quality Challenge: 1,162 photos by phones and cameras, MOS 0 to 100.

    Data/AllImages_release.mat   the names, a cell array; Data/AllMOS_release.mat the scores in the same order
    Data/AllStdDev_release.mat   their standard deviations, not needed here
    Images/3.bmp                 the photos, some .bmp, some .JPG
    Images/trainingImages/       t1 to t7, with which the raters practised

The arrays begin with the seven practice photos: 1,169 entries of which 1,162 count. They are left out by name rather
than by position. `246.bmp` and `333.bmp` are one photo, rated twice.
"""

import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from metaiqa_core.databases.official_database import IMAGES_ADVICE, OfficialDatabase
from metaiqa_core.databases.score_sheet import ScoreRow, ScoreSheet
from metaiqa_core.errors import DatabaseError

_PRACTICE = re.compile(r"t[1-7]\.(bmp|jpe?g)", re.IGNORECASE)

_DAMAGE = (OSError, ValueError, TypeError, LookupError, NotImplementedError, zlib.error)
"""Exceptions that SciPy raises on damaged files, found by damaging some at random."""


def _read_sheet(folder: Path) -> ScoreSheet:
    data = folder / "Data"
    names = [_as_text(cell) for cell in _load(data / "AllImages_release.mat", "AllImages_release").ravel()]
    scores = _load(data / "AllMOS_release.mat", "AllMOS_release").ravel()
    if len(names) != len(scores):
        raise DatabaseError(
            f"AllImages_release.mat names {len(names)} photos and AllMOS_release.mat holds {len(scores)} scores: "
            "expected as many of both; unpack them from the same archive."
        )
    rows = [
        ScoreRow(f"AllImages_release.mat, entry {number}", name, _as_score(score))
        for number, (name, score) in enumerate(zip(names, scores, strict=True), start=1)
        if not _PRACTICE.fullmatch(name)
    ]
    if not rows:
        raise DatabaseError("AllImages_release.mat names no photos.")
    return ScoreSheet(
        name=LIVE_CHALLENGE.name,
        column="MOS",
        raw_range=LIVE_CHALLENGE.raw_range,
        folders=(folder / "Images",),
        rows=tuple(rows),
        range_advice=LIVE_CHALLENGE.range_advice,
        images_advice=IMAGES_ADVICE,
    )


def _load(path: Path, variable: str) -> np.ndarray:
    from scipy.io import loadmat  # SciPy's import is slow, and only this database needs it
    from scipy.io.matlab import MatReadError

    try:
        with path.open("rb") as file:
            content = loadmat(file, variable_names=[variable])
    except FileNotFoundError as error:
        raise DatabaseError(f"There is no file {path}; LIVE Challenge has one.") from error
    except (*_DAMAGE, MatReadError) as error:
        raise DatabaseError(f"{path.name} cannot be read as a MATLAB file: {error}.") from error
    if variable not in content:
        raise DatabaseError(f"{path.name} holds no variable {variable}; unpack it anew.")
    return np.asarray(content[variable])


def _as_text(cell: Any) -> str:
    """Unwrap a cell, which SciPy gives as an array of one text."""
    value = np.asarray(cell).ravel()
    if value.size != 1 or not isinstance(value[0], str) or not value[0]:
        raise DatabaseError(f"AllImages_release.mat must hold file names, got {str(cell)[:60]!r}.")
    return str(value[0])


def _as_score(value: Any) -> float | str:
    return float(value) if np.isrealobj(value) and np.issubdtype(np.asarray(value).dtype, np.number) else str(value)


LIVE_CHALLENGE = OfficialDatabase(
    key="live-challenge",
    name="LIVE Challenge",
    size=1162,
    raw_range=(0.0, 100.0),
    score_files=("Data/AllMOS_release.mat",),
    image_folders="Images/",
    where="https://live.ece.utexas.edu/research/ChallengeDB/index.html",
    citation=(
        "D. Ghadiyaram and A. C. Bovik, Massive online crowdsourced study of subjective and objective picture quality, "
        "IEEE Transactions on Image Processing 25, 2016"
    ),
    read_sheet=_read_sheet,
    known_copies=(frozenset({"246.bmp", "333.bmp"}),),
)
