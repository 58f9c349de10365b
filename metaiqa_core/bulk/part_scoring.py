"""What one process of many does: score the photos of a part, with a model that it loads once."""

import functools
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from metaiqa_core import __version__
from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import failed_row, row_of
from metaiqa_core.bulk.photo_lists import ListedPhoto
from metaiqa_core.errors import MetaIQAError

Row = dict[str, Any]


@dataclass(frozen=True)
class Scoring:
    """How photos are scored, the same for all parts.

    Attributes:
        model: Name or absolute path of the model, which each machine must find.
        model_name: Name on the model's card.
        model_sha256: SHA-256 of its weights.
        engine: Name of the engine; None for the usual choice.
        full_size: Whether photos are also scored at 100 %.
        version: Version of this program.
    """

    model: str
    model_name: str
    model_sha256: str | None
    engine: str | None = None
    full_size: bool = False
    version: str = field(default=__version__)


@dataclass(frozen=True)
class PartScores:
    """Outcome of a part.

    Attributes:
        rows: A row for each photo, in order.
        seconds: Processor time that it took, seconds.
        problem: Reason why this process can score nothing at all, one sentence; empty otherwise.
    """

    rows: tuple[Row, ...] = ()
    seconds: float = 0.0
    problem: str = ""


def score_part(photos: Sequence[ListedPhoto], scoring: Scoring) -> PartScores:
    """Score photos one after another; one that fails is a row with its reason.

    Args:
        photos: The photos of the part, or a piece of it.
        scoring: Settings by which they are scored.
    """
    begin = time.process_time()
    try:
        assessor = _assessor(scoring)
    except MetaIQAError as error:
        return PartScores(problem=f"{platform.node()}: {error}")
    outcomes = assessor.assess_many([photo.path for photo in photos], at_full_size=scoring.full_size)
    rows = tuple(
        row_of(photo.file, outcome, scoring.model_name) for photo, outcome in zip(photos, outcomes, strict=True)
    )
    return PartScores(rows, time.process_time() - begin)


def lost_row(photo: ListedPhoto, scoring: Scoring) -> Row:
    """Return the row of a photo whose process died each time that it was scored."""
    reason = (
        f"{photo.path.rpartition('/')[2]} ended each process that scored it: it may need more memory than a machine "
        "has; try it alone with `score`."
    )
    return failed_row(photo.file, scoring.model_name, reason)


@functools.lru_cache(maxsize=1)
def _assessor(scoring: Scoring) -> Assessor:
    if scoring.version != __version__:
        raise MetaIQAError(f"this machine has version {__version__} of metaiqa, and {scoring.version} was started.")
    assessor = Assessor.load(scoring.model, engine=scoring.engine)
    if assessor.card.sha256 != scoring.model_sha256:
        raise MetaIQAError(f"the model {scoring.model} is another one here: give all machines the same file.")
    return assessor
