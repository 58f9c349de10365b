"""The assessment of one photo by a model: a score with its meaning and its uncertainty, as an object and as a row."""

import bisect
from dataclasses import dataclass
from typing import Any

import numpy as np

from metaiqa_core.errors import MetaIQAError
from metaiqa_core.preprocessing import Box

WORDS = ("Bad", "Poor", "Fair", "Good", "Excellent")
"""The five-grade quality scale (ITU-R BT.500), a fifth of the score scale each."""

ROW_FIELDS = (
    "file",
    "score",
    "interval_low",
    "interval_high",
    "interval_level",
    "word",
    "percentile",
    "population",
    "score_at_full_size",
    "model",
    "width",
    "height",
    "format",
    "notes",
    "error",
)
"""Fields of an assessment's row, in the order of a table; the terminal, the page and Python share them."""


@dataclass(frozen=True)
class QualityMap:
    """The zoomed-in reading: native-resolution tiles with their scores.

    Attributes:
        boxes: Tiles, in pixels of the photo.
        scores: Score of each tile, 0-100, higher is better.
    """

    boxes: tuple[Box, ...]
    scores: tuple[float, ...]

    @property
    def score(self) -> float:
        """Mean score of the tiles, 0-100."""
        return float(np.mean(self.scores))


@dataclass(frozen=True)
class Assessment:
    """The assessment of one photo by a model; all scores 0-100, higher is better.

    Attributes:
        score: Score of the photo as seen on a screen, shrunk as a whole to the model's resolution.
        interval_low: Lower end of the interval around `score`; None for a model without calibration.
        interval_high: Upper end of the interval; None for a model without calibration.
        interval_level: Nominal coverage of the interval, in (0, 1); None for a model without calibration.
        word: Grade of `score` on the five-grade scale.
        percentile: Share of the population that the model scores below this photo, %; None without calibration.
        population: Name of that population; None without calibration.
        at_full_size: Zoomed-in reading; None unless it was asked for.
        model: Name of the model.
        width: Upright width of the photo, pixels.
        height: Upright height of the photo, pixels.
        format: File format, or "array", "tensor", "PIL image".
        notes: Remarks on the decoding, one sentence each.
    """

    score: float
    interval_low: float | None
    interval_high: float | None
    interval_level: float | None
    word: str
    percentile: float | None
    population: str | None
    at_full_size: QualityMap | None
    model: str
    width: int
    height: int
    format: str
    notes: tuple[str, ...]

    def to_row(self, file: str) -> dict[str, Any]:
        """Return the assessment as one row of a table, ready for JSON: a value for each of `ROW_FIELDS`.

        Args:
            file: Name of the photo.
        """
        return {
            "file": file,
            "score": self.score,
            "interval_low": self.interval_low,
            "interval_high": self.interval_high,
            "interval_level": self.interval_level,
            "word": self.word,
            "percentile": self.percentile,
            "population": self.population,
            "score_at_full_size": self.at_full_size.score if self.at_full_size else None,
            "model": self.model,
            "width": self.width,
            "height": self.height,
            "format": self.format,
            "notes": "; ".join(self.notes),
            "error": None,
        }


def failed_row(file: str, model: str, error: str) -> dict[str, Any]:
    """Return the row of a photo without an assessment: every field of `ROW_FIELDS`, empty but for these three.

    Args:
        file: Name of the photo.
        model: Name of the model.
        error: Reason why there is no assessment, one sentence.
    """
    return dict.fromkeys(ROW_FIELDS) | {"file": file, "model": model, "error": error}


def row_of(file: str, outcome: Assessment | MetaIQAError, model: str) -> dict[str, Any]:
    """Return the row of an assessment or of a failure, numbers with four decimals.

    Args:
        file: Name of the photo.
        outcome: The assessment, or the reason why there is none.
        model: Name of the model.
    """
    row = failed_row(file, model, str(outcome)) if isinstance(outcome, MetaIQAError) else outcome.to_row(file)
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}


def word_of(score: float) -> str:
    """Return the grade of a score on the five-grade scale.

    >>> word_of(19.9), word_of(20), word_of(100)
    ('Bad', 'Poor', 'Excellent')
    """
    return WORDS[min(int(score // 20), 4)]


def percentile_of(score: float, quantiles: tuple[float, ...]) -> float:
    """Return the share of a population below a score, in %, read off its 101 quantiles and interpolated between them.

    >>> percentile_of(50.5, tuple(range(101)))
    50.5
    """
    above = bisect.bisect_right(quantiles, score)
    if above in (0, len(quantiles)):
        return 0.0 if above == 0 else 100.0
    low, high = quantiles[above - 1], quantiles[above]
    return above - 1 + (score - low) / (high - low)
