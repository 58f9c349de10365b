"""KonIQ-10k: 10,073 photos from the web, MOS 1 to 5.

    koniq10k_scores_and_distributions.csv   image_name, c1 to c5, c_total, MOS, SD, MOS_zscore (also in a folder of
                                            that name, as its archive unpacks)
    koniq10k_distributions_sets.csv         the same with set = training, validation or test
    1024x768/*.jpg or 512x384/*.jpg         the photos at full and at half size

c1 to c5 are how many (or which share of) raters chose each grade; the MOS is their mean. The two files print different
numbers under `MOS`: the first this mean, the second a z-score based one from 0 to 100, which is no linear function of
it. So that a result does not depend on which file one happens to have, the score is the mean of the grades either way:
read from the first file, computed from c1 to c5 of the second. If both image folders are there, the full size is used.
"""

from pathlib import Path

from metaiqa_core.databases.csv_rows import read_csv_rows
from metaiqa_core.databases.official_database import IMAGES_ADVICE, OfficialDatabase
from metaiqa_core.databases.score_sheet import ScoreRow, ScoreSheet
from metaiqa_core.errors import DatabaseError

_SCORES = (
    "koniq10k_scores_and_distributions.csv",
    "koniq10k_scores_and_distributions/koniq10k_scores_and_distributions.csv",
)
_SETS = "koniq10k_distributions_sets.csv"
_GRADES = ("c1", "c2", "c3", "c4", "c5")
_SIZES = ("1024x768", "512x384")


def _read_sheet(folder: Path) -> ScoreSheet:
    sets = _read_sets(folder / _SETS) if (folder / _SETS).is_file() else {}
    scores = next((folder / name for name in _SCORES if (folder / name).is_file()), None)
    if scores:
        table = read_csv_rows(scores, ("image_name", "MOS"), "KonIQ-10k's score file")
    else:
        table = read_csv_rows(folder / _SETS, ("image_name", *_GRADES), "KonIQ-10k's file of sets")
    notes = []
    if not scores:
        notes.append(f"MOS computed from the grades c1 to c5 of {_SETS}, whose own MOS is on another scale.")
    if not sets:
        notes.append(f"The official sets are unknown: there is no {_SETS}.")
    size = next((name for name in _SIZES if (folder / name).is_dir()), _SIZES[0])
    return ScoreSheet(
        name=KONIQ10K.name,
        column="MOS",
        raw_range=KONIQ10K.raw_range,
        folders=(folder / size,),
        rows=tuple(_to_row(cells, place, sets, with_mos=bool(scores)) for place, cells in table),
        range_advice=KONIQ10K.range_advice,
        images_advice=IMAGES_ADVICE,
        notes=tuple(notes),
    )


def _read_sets(path: Path) -> dict[str, str]:
    known = [name for name, _ in KONIQ10K.subsets]
    sets: dict[str, str] = {}
    for place, cells in read_csv_rows(path, ("image_name", "set"), "KonIQ-10k's file of sets"):
        image, subset = cells["image_name"] or "", cells["set"] or ""
        if subset not in known:
            raise DatabaseError(f"{place}: set must be {', '.join(known[:-1])} or {known[-1]}, got {subset!r}.")
        if sets.setdefault(image, subset) != subset:
            raise DatabaseError(f"{place}: {image} is in two sets, {sets[image]} and {subset}; unpack the file anew.")
    return sets


def _to_row(cells: dict[str, str | None], place: str, sets: dict[str, str], *, with_mos: bool) -> ScoreRow:
    image = cells["image_name"]
    if not image:
        raise DatabaseError(f"{place}: the image name is empty.")
    if sets and image not in sets:
        raise DatabaseError(f"{place}: {_SETS} names no set for {image}; use the two files of one release.")
    return ScoreRow(place, image, cells["MOS"] if with_mos else _mean_grade(cells, place), subset=sets.get(image))


def _mean_grade(cells: dict[str, str | None], place: str) -> float:
    """Return the mean of the grades 1 to 5, each weighted by how many, or which share of, raters chose it."""
    try:
        weights = [float(cells[grade] or "") for grade in _GRADES]
    except ValueError as error:
        raise DatabaseError(f"{place}: c1 to c5 must be numbers, got {[cells[name] for name in _GRADES]}.") from error
    if not (min(weights) >= 0 and 0 < sum(weights) < float("inf")):  # also refuses NaN
        raise DatabaseError(f"{place}: c1 to c5 must be numbers or shares of raters, got {weights}.")
    return sum(grade * weight for grade, weight in enumerate(weights, start=1)) / sum(weights)


KONIQ10K = OfficialDatabase(
    key="koniq10k",
    name="KonIQ-10k",
    size=10_073,
    raw_range=(1.0, 5.0),
    score_files=(*_SCORES, _SETS),
    image_folders="1024x768/ or 512x384/",
    where="https://database.mmsp-kn.de/koniq-10k-database.html",
    citation=(
        "V. Hosu, H. Lin, T. Sziranyi and D. Saupe, KonIQ-10k: An ecologically valid database for deep learning of "
        "blind image quality assessment, IEEE Transactions on Image Processing 29, 2020"
    ),
    read_sheet=_read_sheet,
    subsets=(("training", 7058), ("validation", 1000), ("test", 2015)),
)
