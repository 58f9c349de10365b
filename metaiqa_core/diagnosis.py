"""The diagnosis of one photo by the graph model: what is wrong, how strongly, and how sure that is.

An answer has three forms: a word for a defect; `nothing found`; or no word, where none is probable enough to be said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Interval, MaxLen
from numpy.typing import NDArray

from metaiqa_core.defect_words import NOTHING, Defect
from metaiqa_core.json_files import STRICT

ROW_FIELDS = ("file", "word", "probability", "type", "level", "level_low", "level_high", "error")
"""Fields of a diagnosis's row, in the order of a table; the terminal, the page and Python share them."""

STRONGEST = 5.0
WEAKEST = 1.0
"""Ends of the scale of levels; what is not there has no level."""


@dataclass(frozen=True)
class DiagnosisCalibration:
    """How much a graph model's answers can be trusted, measured on photos that it has not learned from.

    Attributes:
        temperature: Divisor of the logits, by which probabilities are as large as the shares that are right.
        threshold: Least probability of the word of a defect that is said; that nothing is found is no accusation.
        thresholds: Higher ones, by word, of words that undamaged photos are easily accused of.
        interval: Nominal coverage of the level's interval, in (0, 1).
        deviations: Half the width of that interval, in standard deviations of the level: a conformal quantile.
        measured_on: The photos, in words.
        nothing: Amount that is added to the logarithm of the odds that nothing is to be found: most photos that people
            have are undamaged, unlike most of those that the model has learned from.
    """

    __pydantic_config__ = STRICT

    temperature: Annotated[float, Interval(gt=0, le=100)] = 1.0
    threshold: Annotated[float, Interval(ge=0, le=1)] = 0.0
    thresholds: dict[str, Annotated[float, Interval(ge=0, le=1)]] = field(default_factory=dict)
    interval: Annotated[float, Interval(gt=0, lt=1)] = 0.9
    deviations: Annotated[float, Interval(gt=0, le=100)] = 1.645
    measured_on: Annotated[str, MaxLen(10_000)] = ""
    nothing: Annotated[float, Interval(ge=0, le=100)] = 0.0

    def may_say(self, word: str, probability: float) -> bool:
        """Return whether a word is probable enough to be said."""
        return word == NOTHING or probability >= max(self.threshold, self.thresholds.get(word, 0.0))


@dataclass(frozen=True)
class Diagnosis:
    """What the graph model says of one photo.

    Attributes:
        word: One of `defect_words.WORDS`; None where it cannot tell: a defect is the most probable, and not enough so.
        probability: Probability of the most probable word, in [0, 1], whether it is said or not.
        type: Key of the most probable distortion type of that word, such as `kadid10k:GB`; None without a defect.
        level: Severity, 1 (mild) to 5 (strong); None without a defect.
        level_low: Lower end of the level's interval; None without a defect.
        level_high: Upper end of the level's interval; None without a defect.
        words: Probability of every word.
        type_code: The type code (C,), by which photos with alike defects are near each other.
        quality: Unit score of the graph model, about [0, 1].
    """

    word: str | None
    probability: float
    type: str | None
    level: float | None
    level_low: float | None
    level_high: float | None
    words: dict[str, float]
    type_code: tuple[float, ...]
    quality: float

    @property
    def sentence(self) -> str:
        """The answer in a sentence.

        >>> Diagnosis("blurred", 0.91, "kadid10k:GB", 3.2, 2.4, 4.0, {}, (), 0.4).sentence
        'Blurred, level 3.2 of 5 (91 % sure).'
        """
        if self.word is None:
            return "Cannot tell what is wrong with it, if anything."
        if self.word == NOTHING:
            return f"Nothing found ({self.probability * 100:.0f} % sure)."
        strength = f", level {self.level:.1f} of 5" if self.level is not None else ""
        return f"{self.word.capitalize()}{strength} ({self.probability * 100:.0f} % sure)."

    def to_row(self, file: str) -> dict[str, Any]:
        """Return the diagnosis as one row of a table, ready for JSON: a value for each of `ROW_FIELDS`.

        Args:
            file: Name of the photo.
        """
        return {name: getattr(self, name, None) for name in ROW_FIELDS} | {"file": file, "error": None}


def failed_row(file: str, error: str) -> dict[str, Any]:
    """Return the row of a photo without a diagnosis: every field of `ROW_FIELDS`, empty but for these two.

    Args:
        file: Name of the photo.
        error: Reason why there is no diagnosis, one sentence.
    """
    return dict.fromkeys(ROW_FIELDS) | {"file": file, "error": error}


def read_diagnosis(
    output: NDArray[np.float32], defects: Sequence[Defect], calibration: DiagnosisCalibration
) -> Diagnosis:
    """Return what the output of a graph model says.

    Args:
        output: (3 + K + C,): unit score, level, deviation of the level, K logits, C values of the type code.
        defects: The K defects.
        calibration: Temperature, threshold and interval.

    Raises:
        ValueError: If a value is not finite, or there are too few.
    """
    if len(output) < 3 + len(defects) or not np.isfinite(output).all():
        raise ValueError("the output of the graph model has too few values, or some are not finite")
    quality, level, deviation = map(float, output[:3])
    logits = favour_nothing(output[None, 3 : 3 + len(defects)], defects, calibration)
    shares = probabilities(logits, calibration.temperature)[0]
    words = word_shares(shares[None], defects)
    word = max(words, key=lambda one: float(words[one][0]))
    probability = min(float(words[word][0]), 1.0)
    said = word if calibration.may_say(word, probability) else None
    found = said is not None and said != NOTHING
    reach = calibration.deviations * deviation
    low, middle, high = (min(max(one, WEAKEST), STRONGEST) for one in (level - reach, level, level + reach))
    kind = max((share, defect.type) for share, defect in zip(shares, defects, strict=True) if defect.word == word)[1]
    return Diagnosis(
        word=said,
        probability=probability,
        type=kind if found else None,
        level=middle if found else None,
        level_low=low if found else None,
        level_high=high if found else None,
        words={name: float(value[0]) for name, value in words.items()},
        type_code=tuple(map(float, output[3 + len(defects) :])),
        quality=quality,
    )


def favour_nothing(
    logits: NDArray[np.floating[Any]], defects: Sequence[Defect], calibration: DiagnosisCalibration
) -> NDArray[np.floating[Any]]:
    """Return logits (N, K) in which nothing found is as much more probable as the calibration says.

    Args:
        logits: (N, K): logits of the defects.
        defects: The K defects.
        calibration: Temperature, and what is added.
    """
    added = [calibration.nothing if defect.word == NOTHING else 0.0 for defect in defects]
    return logits + calibration.temperature * np.array(added)


def probabilities(logits: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float64]:
    """Return the softmax (N, K) of logits (N, K) over a temperature.

    >>> probabilities(np.log([[3.0, 1.0]]), 1.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def word_shares(shares: NDArray[np.float64], defects: Sequence[Defect]) -> dict[str, NDArray[np.float64]]:
    """Return the probability (N,) of each word: the sum over its defects.

    Args:
        shares: (N, K): probability of each defect.
        defects: The K defects.
    """
    words: dict[str, NDArray[np.float64]] = {}
    for place, defect in enumerate(defects):
        words[defect.word] = words.get(defect.word, np.zeros(len(shares))) + shares[:, place]
    return words
