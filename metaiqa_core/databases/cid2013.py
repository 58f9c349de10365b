"""CID2013: photos of eight scenes by 79 cameras and phones, rated in six image sets, MOS 0 to 100.

    CID2013 data - version 12112014.xlsx   sheet "CID2013 MOS": Source_ID, two MOS columns, attributes
    IS1/co1/IS_I_C01_D01.jpg               image set I, scene (cluster) 1, device 1; so up to IS6/ and co8/

Known from public code that reads the database: the workbook's and the sheet's name, the columns `Source_ID`,
`Image set specific  MOS` (with two spaces) and `Realigned MOS`, the pattern of the names and folders, and 474 images in
the published version (the paper counts 480). The realigned MOS puts the six sets, which different people rated, on one
scale, as a model needs that is trained on four sets and tested on two. It is used here.

Assumed: that the header is among the sheet's first rows, that another version of the workbook keeps these names, and
that realigned scores stay within 0 to 100; a score that does not is reported, not clipped. Scenes recur across cameras
but no image is made from another, so that there is no reference.
"""

import re
import zipfile
import zlib
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from metaiqa_core.databases.official_database import IMAGES_ADVICE, OfficialDatabase
from metaiqa_core.databases.score_sheet import ScoreRow, ScoreSheet
from metaiqa_core.errors import DatabaseError

_SHEET, _NAME_COLUMN, _MOS_COLUMN = "CID2013 MOS", "Source_ID", "Realigned MOS"
_HEADER_ROWS = 10  # the header is looked for in so many first rows
_IMAGE_SETS = ("I", "II", "III", "IV", "V", "VI")
_SOURCE = re.compile(r"IS_(I|II|III|IV|V|VI)_C0?([1-8])_D\d+", re.IGNORECASE)

_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
)
"""Exceptions that openpyxl raises on damaged files, found by damaging some at random."""


def _read_sheet(folder: Path) -> ScoreSheet:
    path = min(folder.glob(CID2013.score_files[0]))
    table = _read_workbook(path)
    header_at, columns = _find_header(table, path)
    rows = [
        _to_row(cells[columns[_NAME_COLUMN]], cells[columns[_MOS_COLUMN]], f"{path.name}, row {number}")
        for number, cells in enumerate(table, start=1)
        if number > header_at and cells[columns[_NAME_COLUMN]] not in (None, "")
    ]
    if not rows:
        raise DatabaseError(f"{path.name} has a header but no images.")
    return ScoreSheet(
        name=CID2013.name,
        column=_MOS_COLUMN,
        raw_range=CID2013.raw_range,
        folders=(folder,),
        rows=tuple(rows),
        range_advice=CID2013.range_advice,
        images_advice=IMAGES_ADVICE,
        notes=("Scores are the realigned MOS, one scale for all six image sets.",),
    )


def _read_workbook(path: Path) -> list[tuple[Any, ...]]:
    from openpyxl import load_workbook  # only this database needs it
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        workbook = load_workbook(path, read_only=True, data_only=True)
        try:
            if _SHEET not in workbook.sheetnames:
                raise DatabaseError(f"{path.name} has no sheet {_SHEET!r}, but {', '.join(workbook.sheetnames[:5])}.")
            return [tuple(row) for row in workbook[_SHEET].iter_rows(values_only=True)]
        finally:
            workbook.close()
    except (*_DAMAGE, InvalidFileException) as error:
        raise DatabaseError(f"{path.name} cannot be read as an Excel workbook: {error}.") from error


def _find_header(table: list[tuple[Any, ...]], path: Path) -> tuple[int, dict[str, int]]:
    """Return the header's row, counted from 1, and where its two columns stand."""
    for number, cells in enumerate(table[:_HEADER_ROWS], start=1):
        names = [" ".join(str(cell or "").split()) for cell in cells]
        if _NAME_COLUMN in names and _MOS_COLUMN in names:
            return number, {name: names.index(name) for name in (_NAME_COLUMN, _MOS_COLUMN)}
    raise DatabaseError(
        f"{path.name} has no columns {_NAME_COLUMN} and {_MOS_COLUMN} in the first rows of the sheet {_SHEET}."
    )


def _to_row(source: Any, score: Any, place: str) -> ScoreRow:
    match = _SOURCE.fullmatch(str(source).strip())
    if not match:
        raise DatabaseError(f"{place}: expected a Source_ID such as IS_I_C01_D01, got {source!r}.")
    subset = f"IS{_IMAGE_SETS.index(match[1].upper()) + 1}"
    value = score if isinstance(score, str | int | float) else None
    return ScoreRow(place, f"{subset}/co{match[2]}/{match[0]}.jpg", value, subset=subset)


CID2013 = OfficialDatabase(
    key="cid2013",
    name="CID2013",
    size=474,
    raw_range=(0.0, 100.0),
    score_files=("CID2013 data*.xlsx",),
    image_folders="IS1/co1/ to IS6/co8/",
    where="https://zenodo.org/record/2647033",
    citation=(
        "T. Virtanen et al., CID2013: A database for evaluating no-reference image quality assessment algorithms, "
        "IEEE Transactions on Image Processing 24, 2015"
    ),
    read_sheet=_read_sheet,
    subsets=tuple((f"IS{number}", None) for number in range(1, 7)),
)
