"""Labels of re-synthesised images, in the raw scale of the database that is imitated.

Three sources: the opinion score of that very combination of photo, type and level (TID2013 on the Kodak suite, with the
database's own score file), or the mean score of the type and level, which ships in `assets/labels`, taken as it is
(`means`) or refined by how much a photo's content shows of the damage (`refined`).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from metaiqa_core.distortions import DistortionType
from metaiqa_core.distortions.opinion_scores import RAW_RANGES, opinion_of
from metaiqa_core.errors import DatabaseError

LabelSource = Literal["people", "means", "refined"]

_TID2013_NAME = re.compile(r"i(\d\d)_(\d\d)_([1-5])\.bmp", re.IGNORECASE)  # the published file mixes I and i


@dataclass(frozen=True)
class Label:
    """The opinion score of one image.

    Attributes:
        mos: Mean opinion score in the database's raw scale, higher is better.
        std: Standard deviation of such scores over the photos of the database, raw scale; None for people's own scores.
        source: Source of the score.
    """

    mos: float
    std: float | None
    source: LabelSource


def mean_label(distortion: DistortionType, level: int) -> Label:
    """Return the mean opinion score of a type and level."""
    low, high = RAW_RANGES[distortion.database]
    opinion = opinion_of(distortion, level)
    return Label(low + opinion.mean * (high - low), opinion.std * (high - low), "means")


def read_tid2013_scores(path: Path) -> dict[tuple[int, int, int], float]:
    """Read TID2013's score file, `mos_with_names.txt`: one line an image, its score (0 to 9) and its name.

    Returns:
        The scores by (reference, type id, level).

    Raises:
        DatabaseError: If the file is missing or no such file; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise DatabaseError(f"There is no file {path}: --scores names TID2013's mos_with_names.txt.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DatabaseError(
            f"{path.name} cannot be read as a text file: expected TID2013's mos_with_names.txt."
        ) from error
    scores: dict[tuple[int, int, int], float] = {}
    low, high = RAW_RANGES["tid2013"]
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        match = _TID2013_NAME.fullmatch(words[-1])
        if len(words) != 2 or not match:
            raise DatabaseError(
                f"{path.name}, line {number}: expected a score and a name such as '5.51429 I01_01_1.bmp', "
                f"got {line[:60]!r}."
            )
        try:
            score = float(words[0])
        except ValueError:
            score = float("nan")
        if not low <= score <= high:  # also refuses NaN
            raise DatabaseError(f"{path.name}, line {number}: expected a score from 0 to 9, got {words[0]!r}.")
        scores[int(match[1]), int(match[2]), int(match[3])] = score
    if not scores:
        raise DatabaseError(f"{path.name} is empty: expected TID2013's mos_with_names.txt.")
    return scores


def people_label(
    scores: dict[tuple[int, int, int], float], photo: Path, distortion: DistortionType, level: int
) -> Label:
    """Return the opinion score of a type and level on this very photo of the Kodak suite.

    Raises:
        DatabaseError: If the score file does not hold it.
    """
    key = (int(photo.stem[-2:]), distortion.id, level)
    if key not in scores:
        raise DatabaseError(
            "The score file holds no score of i{:02}_{:02}_{}.bmp: use the complete mos_with_names.txt.".format(*key)
        )
    return Label(scores[key], None, "people")
