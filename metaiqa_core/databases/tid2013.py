"""TID2013: 25 reference photos with 24 distortion types at 5 levels, MOS 0 to 9.

    mos_with_names.txt              a line an image: the MOS, a space, the name
    distorted_images/i01_01_1.bmp   reference, type, level
    reference_images/I01.BMP        the pristine photos, not rated

The letters' case follows no rule: of the 3,000 names in the score file 75 begin with `I`, 50 of those end with `.BMP`
(types 11 and 13 at level 1), and the files on the disk need not agree. Names are therefore compared without case.
"""

import re
from pathlib import Path

from metaiqa_core.databases.official_database import IMAGES_ADVICE, OfficialDatabase
from metaiqa_core.databases.score_sheet import ScoreRow, ScoreSheet
from metaiqa_core.errors import DatabaseError

# The distortion catalogue's abbreviations by id; a test compares them with it. Importing it would import PyTorch.
_TYPES = (
    *("AGN", "ANC", "SCN", "MN", "HFN", "IN", "QN", "GB", "DEN", "JPEG", "JP2K", "JGTE"),
    *("J2TE", "NEPN", "Block", "MS", "CTC", "CCS", "MGN", "CN", "LCNI", "ICQD", "CHA", "SSR"),
)
_NAME = re.compile(r"i(0[1-9]|1\d|2[0-5])_(0[1-9]|1\d|2[0-4])_([1-5])\.bmp", re.IGNORECASE)


def _read_sheet(folder: Path) -> ScoreSheet:
    path = folder / "mos_with_names.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatabaseError(f"{path.name} cannot be read as a text file: {error}.") from error
    rows = [
        _read_row(line, f"{path.name}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()
    ]
    if not rows:
        raise DatabaseError(f"{path.name} is empty: expected a MOS and a name on each line.")
    return ScoreSheet(
        name=TID2013.name,
        column="MOS",
        raw_range=TID2013.raw_range,
        folders=(folder / "distorted_images",),
        rows=tuple(rows),
        range_advice=TID2013.range_advice,
        images_advice=IMAGES_ADVICE,
    )


def _read_row(line: str, place: str) -> ScoreRow:
    *score, name = line.split()
    match = _NAME.fullmatch(name)
    if not match:
        raise DatabaseError(f"{place}: expected a MOS and a name such as 5.51429 I01_01_1.bmp, got {line[:60]!r}.")
    return ScoreRow(
        place=place,
        image=match[0],
        score=" ".join(score),
        reference=f"I{match[1]}",
        distortion_type=f"tid2013:{_TYPES[int(match[2]) - 1]}",
        level=int(match[3]),
    )


TID2013 = OfficialDatabase(
    key="tid2013",
    name="TID2013",
    size=3000,
    raw_range=(0.0, 9.0),
    score_files=("mos_with_names.txt",),
    image_folders="distorted_images/",
    where="http://www.ponomarenko.info/tid2013.htm",
    citation=(
        "N. Ponomarenko et al., Image database TID2013: Peculiarities, results and perspectives, "
        "Signal Processing: Image Communication 30, 2015"
    ),
    read_sheet=_read_sheet,
    references=25,
    distortion_types=tuple(f"tid2013:{name}" for name in _TYPES),
)
