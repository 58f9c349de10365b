"""BIQ2021: 12,000 photos of 512 pixels from three sources, MOS 0 to 1, split by its authors into training and test.

    Train (Images and MOS).csv   Image Name, MOS and two empty columns: 10,000 photos
    Test (Images and MOS).csv    the same of 2,000 others
    Images/ss03 (3753).jpg       the photos of both; one is spelled .JPG

The first four letters of a name say where a photo comes from: an amateur's gallery, photos taken with noise, blur,
shake and bad light on purpose, or a web site (ss03). The authors call the gallery subset 1 and the damaged photos
subset 2, but to look at, ss01 holds the damaged photos and ss02 the gallery. Nearly all of ss01 are series of one scene
with successive numbers, which splits of one's own keep together. The official split does not: it is for comparison
with published results.

Assumed: that the test file is laid out as the training file, which alone was looked at when this was written.
"""

from pathlib import Path

from metaiqa_core.databases.csv_rows import read_csv_rows
from metaiqa_core.databases.official_database import IMAGES_ADVICE, OfficialDatabase
from metaiqa_core.databases.score_sheet import ScoreRow, ScoreSheet
from metaiqa_core.errors import DatabaseError

_SPLITS = {"training": "Train (Images and MOS).csv", "test": "Test (Images and MOS).csv"}
_NAME_COLUMN, _MOS_COLUMN = "Image Name", "MOS"


def _read_sheet(folder: Path) -> ScoreSheet:
    present = {split: folder / file for split, file in _SPLITS.items() if (folder / file).is_file()}
    places: dict[str, tuple[str, str]] = {}
    rows: list[ScoreRow] = []
    for split, path in present.items():
        for place, cells in read_csv_rows(path, (_NAME_COLUMN, _MOS_COLUMN), f"BIQ2021's {split} split"):
            image = cells[_NAME_COLUMN]
            if not image:
                raise DatabaseError(f"{place}: the image name is empty.")
            other, first = places.setdefault(image.casefold(), (split, place))
            if other != split:  # twice in one split is judged as in every other database
                raise DatabaseError(
                    f"{place}: {image} is in both splits, here and in {first}; unpack the two files anew."
                )
            rows.append(ScoreRow(place, image, cells[_MOS_COLUMN], subset=split))
    return ScoreSheet(
        name=BIQ2021.name,
        column=_MOS_COLUMN,
        raw_range=BIQ2021.raw_range,
        folders=(folder / "Images",),
        rows=tuple(rows),
        range_advice=BIQ2021.range_advice,
        images_advice=IMAGES_ADVICE,
        notes=tuple(
            f"Only the {' and '.join(present)} split is read: there is no {file}, which names the {split} photos."
            for split, file in _SPLITS.items()
            if split not in present
        ),
        series=BIQ2021.series,
    )


BIQ2021 = OfficialDatabase(
    key="biq2021",
    name="BIQ2021",
    size=12_000,
    raw_range=(0.0, 1.0),
    score_files=tuple(_SPLITS.values()),
    image_folders="Images/",
    where="https://github.com/nisarahmedrana/BIQ2021",
    citation=(
        "N. Ahmed and H. M. S. Asif, BIQ2021: a large-scale blind image quality assessment database, "
        "Journal of Electronic Imaging 31(5), 2022"
    ),
    read_sheet=_read_sheet,
    subsets=(("training", 10_000), ("test", 2_000)),
    series=True,
)
