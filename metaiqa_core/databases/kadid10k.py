"""KADID-10k: 81 reference photos with 25 distortion types at 5 levels, scores 1 to 5.

    dmos.csv                   dist_img, ref_img, dmos, var
    images/I01_01_01.png       reference, type, level
    images/I01.png             the pristine photos lie among them and are not rated

The column `dmos` is higher for better images, despite its name (a degradation category rating whose 5 is
"imperceptible"); `var` holds standard deviations.
"""

import re
from pathlib import Path

from metaiqa_core.databases.csv_rows import read_csv_rows
from metaiqa_core.databases.official_database import IMAGES_ADVICE, OfficialDatabase
from metaiqa_core.databases.score_sheet import ScoreRow, ScoreSheet
from metaiqa_core.errors import DatabaseError

# The distortion catalogue's abbreviations by id; a test compares them with it. Importing it would import PyTorch.
_TYPES = (
    *("GB", "LB", "MB", "CD", "CS", "CQ", "CSA1", "CSA2", "JP2K", "JPEG", "WN", "WNCC", "IN"),
    *("MN", "Denoise", "Brighten", "Darken", "MS", "Jitter", "NEP", "Pixelate", "Quantization", "CB", "HS", "CC"),
)
_NAME = re.compile(r"(I\d\d)_(0[1-9]|1\d|2[0-5])_0([1-5])\.png", re.IGNORECASE)


def _read_sheet(folder: Path) -> ScoreSheet:
    rows = read_csv_rows(folder / "dmos.csv", ("dist_img", "ref_img", "dmos"), "KADID-10k's score file")
    return ScoreSheet(
        name=KADID10K.name,
        column="dmos",
        raw_range=KADID10K.raw_range,
        folders=(folder / "images",),
        rows=tuple(_to_row(cells, place) for place, cells in rows),
        range_advice=KADID10K.range_advice,
        images_advice=IMAGES_ADVICE,
    )


def _to_row(cells: dict[str, str | None], place: str) -> ScoreRow:
    name, reference = cells["dist_img"] or "", cells["ref_img"] or ""
    match = _NAME.fullmatch(name)
    if not match:
        raise DatabaseError(f"{place}: expected a name such as I01_01_01.png, got {name!r}.")
    if reference.casefold() != f"{match[1]}.png".casefold():
        raise DatabaseError(f"{place}: {name} belongs to {match[1]}.png, but ref_img says {reference!r}.")
    return ScoreRow(
        place=place,
        image=name,
        score=cells["dmos"],
        reference=match[1].upper(),
        distortion_type=f"kadid10k:{_TYPES[int(match[2]) - 1]}",
        level=int(match[3]),
    )


KADID10K = OfficialDatabase(
    key="kadid10k",
    name="KADID-10k",
    size=10_125,
    raw_range=(1.0, 5.0),
    score_files=("dmos.csv",),
    image_folders="images/",
    where="https://database.mmsp-kn.de/kadid-10k-database.html",
    citation="H. Lin, V. Hosu and D. Saupe, KADID-10k: A large-scale artificially distorted IQA database, QoMEX 2019",
    read_sheet=_read_sheet,
    references=81,
    distortion_types=tuple(f"kadid10k:{name}" for name in _TYPES),
)
