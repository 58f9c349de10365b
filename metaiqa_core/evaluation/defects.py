"""How often the graph model names the right defect, how far off its levels are, and how much of that it knows.

Everything is measured on photos of contents that it has not learned from.
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from metaiqa_core.defect_words import NOTHING, Defect
from metaiqa_core.diagnosis import (
    STRONGEST,
    WEAKEST,
    DiagnosisCalibration,
    favour_nothing,
    probabilities,
    word_shares,
)
from metaiqa_core.errors import EvaluationError

Array = NDArray[np.floating[Any]]
_ADDED = tuple(np.arange(0, 2.51, 0.125).tolist())
"""What may be added to the logarithm of the odds of nothing found."""
CLEAR_LEVELS = (3, 4, 5)
"""Levels at which a defect should be told: at 1 and 2 most people hardly see it."""


@dataclass(frozen=True, eq=False)
class DefectReadings:
    """What a graph model says of photos, and what is true.

    Attributes:
        logits: (N, K): logits of the K defects that it knows.
        level: (N,): mean of the level.
        deviation: (N,): standard deviation of the level.
        type_code: (N, C): type codes.
        known: The K defects.
        defects: Defect of each photo.
        levels: (N,): severity of each photo, 0 to 5; NaN where it is not known.
        contents: Name of what each photo shows.
    """

    logits: Array
    level: Array
    deviation: Array
    type_code: Array
    known: tuple[Defect, ...]
    defects: tuple[Defect, ...]
    levels: Array
    contents: tuple[str, ...]

    def words(self, temperature: float = 1.0) -> tuple[NDArray[np.str_], Array]:
        """Return the most probable word of each photo, and its probability (N,)."""
        shares = word_shares(probabilities(self.logits, temperature), self.known)
        table = np.stack(list(shares.values()), 1)
        return np.array(list(shares))[table.argmax(1)], table.max(1)

    def types(self) -> NDArray[np.str_]:
        """Return the most probable type of each photo; "" where that is none."""
        kinds = sorted({defect.type for defect in self.known})
        shares = probabilities(self.logits, 1.0)
        table = np.stack([shares[:, [defect.type == kind for defect in self.known]].sum(1) for kind in kinds], 1)
        return np.array(kinds)[table.argmax(1)]

    @property
    def true_words(self) -> NDArray[np.str_]:
        """Word of each photo."""
        return np.array([defect.word for defect in self.defects])

    @property
    def true_types(self) -> NDArray[np.str_]:
        """Type of each photo; "" where there is no defect."""
        return np.array([defect.type for defect in self.defects])


@dataclass(frozen=True)
class DefectAccuracy:
    """Accuracy of a graph model on photos; a share is NaN where there is nothing to count.

    Attributes:
        photos: Number of photos.
        clear_photos: Number of photos with a defect at one of `CLEAR_LEVELS`.
        word: Share of these whose most probable word is right.
        type: Share of these whose most probable type is right.
        told: Share of these of which a word is said, which of a defect must be above the threshold.
        told_right: Share of the said words of defects that are right, over all photos.
        nothing: Share of the photos without a defect of which `nothing found` is the most probable.
        false_alarm: Share of the photos without a defect of which the word of a defect is said.
        level_error: Mean absolute error of the level, over photos with a defect.
        coverage: Share of these levels within their interval.
        likelihood: Mean negative log-likelihood of these levels, with its constant.
        retrieval: Share of the clear photos whose nearest type code, among photos of other contents, is of their type.
    """

    photos: int
    clear_photos: int
    word: float
    type: float
    told: float
    told_right: float
    nothing: float
    false_alarm: float
    level_error: float
    coverage: float
    likelihood: float
    retrieval: float

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the numbers, ready for JSON, with four decimals; None where there was nothing to count."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else round(value, 4)
            for name, value in asdict(self).items()
        }


def judge_defects(readings: DefectReadings, calibration: DiagnosisCalibration) -> DefectAccuracy:
    """Measure what a graph model says of photos.

    Args:
        readings: Readings by the model, with the truth beside each.
        calibration: Its temperature, threshold and interval.
    """
    readings = replace(readings, logits=favour_nothing(readings.logits, readings.known, calibration))
    words, shares = readings.words(calibration.temperature)
    may = [calibration.may_say(str(word), float(share)) for word, share in zip(words, shares, strict=True)]
    said = np.where(may, words, "")
    true_words, none = readings.true_words, readings.true_words == NOTHING
    clear = np.isin(readings.levels, CLEAR_LEVELS) & ~none
    claimed = (said != "") & (said != NOTHING)
    levels = np.isfinite(readings.levels) & (readings.levels > 0)
    errors = np.abs(readings.level.clip(WEAKEST, STRONGEST) - readings.levels)[levels]
    deviations = readings.deviation[levels]
    reach = calibration.deviations * deviations
    raw = readings.level[levels] - readings.levels[levels]
    likelihood = np.log(deviations) + (raw / deviations) ** 2 / 2 + math.log(2 * math.pi) / 2
    return DefectAccuracy(
        photos=len(words),
        clear_photos=int(clear.sum()),
        word=_share(words == true_words, clear),
        type=_share(readings.types() == readings.true_types, clear),
        told=_share(said != "", clear),
        told_right=_share(said == true_words, claimed),
        nothing=_share(words == NOTHING, none),
        false_alarm=_share(claimed, none),
        level_error=float(errors.mean()) if len(errors) else math.nan,
        coverage=float((np.abs(raw) <= reach).mean()) if len(errors) else math.nan,
        likelihood=float(likelihood.mean()) if len(errors) else math.nan,
        retrieval=retrieval_accuracy(readings, clear),
    )


def retrieval_accuracy(readings: DefectReadings, chosen: NDArray[np.bool_]) -> float:
    """Return the share of chosen photos whose nearest type code, among those of other contents, is of their type."""
    codes, kinds = readings.type_code[chosen], readings.true_types[chosen]
    contents = np.array(readings.contents)[chosen]
    if len(set(contents.tolist())) < 2:
        return math.nan
    squares = np.square(codes).sum(1)
    distances = squares[:, None] + squares - 2 * codes @ codes.T
    distances[contents[:, None] == contents] = np.inf
    return float((kinds[distances.argmin(1)] == kinds).mean())


def confusion(readings: DefectReadings) -> tuple[list[str], NDArray[np.int64]]:
    """Return the words that occur, and how many photos of each (row) are called each (column), the most probable."""
    words, _ = readings.words()
    names = sorted({*words.tolist(), *readings.true_words.tolist()})
    places = {name: place for place, name in enumerate(names)}
    table = np.zeros((len(names), len(names)), np.int64)
    for true, called in zip(readings.true_words.tolist(), words.tolist(), strict=True):
        table[places[true], places[called]] += 1
    return names, table


def calibrate_defects(
    readings: DefectReadings,
    *,
    measured_on: str,
    right: float = 0.9,
    interval: float = 0.9,
    accused: float = 0.01,
    accused_at_all: float = 1.0,
    lost: float | None = None,
) -> DiagnosisCalibration:
    """Fit temperature, threshold and interval on photos that the model has not learned from.

    The temperature makes the logits most likely. The threshold is the least at which the share of right ones among the
    said words of defects is as large as asked for. As most photos that people have are undamaged, unlike these, each
    word may need a higher one, at which few undamaged photos are accused of it, and all words one at which few are
    accused of anything; and the odds that nothing is to be found are raised as far as that costs few right words. The
    interval is conformal: a quantile of the levels' errors, in their own standard deviations.

    Args:
        readings: Readings of photos with and without defects by the model, with the truth beside each.
        measured_on: The photos, in words.
        right: Share of the said words that should be right, in (0, 1).
        interval: Nominal coverage of the level's interval, in (0, 1).
        accused: Share of the undamaged photos that may be accused of a word, in [0, 1).
        accused_at_all: Share of the undamaged photos that may be accused of any word, in [0, 1]; 1 sets no limit.
        lost: Share of the clearly distorted photos whose word may become wrong by raising the odds that nothing is
            found; None: these stay as they are.

    Raises:
        EvaluationError: If there are no photos with a known level, or none with a defect that the model knows.
    """
    places = {defect: place for place, defect in enumerate(readings.known)}
    known = np.array([defect in places for defect in readings.defects])
    levels = np.isfinite(readings.levels) & (readings.levels > 0)
    if not known.any() or not levels.any():
        raise EvaluationError("The diagnosis cannot be calibrated: expected photos with known defects and levels.")
    targets = np.array([places[defect] for defect in readings.defects if defect in places])
    logits = readings.logits[known]

    def loss(log_temperature: float) -> float:
        shares = probabilities(logits, math.exp(log_temperature))
        return float(-np.log(shares[np.arange(len(targets)), targets] + 1e-12).mean())

    temperature = math.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x)
    calibration = DiagnosisCalibration(temperature=temperature, interval=interval, measured_on=measured_on)
    calibration = replace(calibration, nothing=_added_to_nothing(readings, calibration, lost))
    readings = replace(readings, logits=favour_nothing(readings.logits, readings.known, calibration))
    words, shares = readings.words(temperature)
    claims = words != NOTHING
    order = np.argsort(-shares[claims])
    hits = (words == readings.true_words)[claims][order]
    good = np.nonzero(np.cumsum(hits) / np.arange(1, len(hits) + 1) >= right)[0]
    threshold = float(shares[claims][order][good[-1]]) if len(good) else 1.0
    undamaged = readings.true_words == NOTHING
    if undamaged.any() and accused_at_all < 1:
        claimed = np.where(claims, shares, 0.0)[undamaged]
        reached = float(np.quantile(claimed, 1 - accused_at_all, method="higher"))
        threshold = max(threshold, float(np.nextafter(reached, 1)))
    errors = np.abs(readings.level - readings.levels)[levels] / readings.deviation[levels]
    rank = min(math.ceil((len(errors) + 1) * interval), len(errors))
    deviations = float(np.sort(errors)[rank - 1])
    return replace(
        calibration,
        threshold=threshold,
        thresholds=_thresholds(readings, temperature, threshold, accused),
        deviations=min(max(deviations, 1e-3), 100.0),
    )


def _added_to_nothing(readings: DefectReadings, calibration: DiagnosisCalibration, lost: float | None) -> float:
    """Return the most that can be added to the odds of nothing found at the cost of few right words."""
    clear = np.isin(readings.levels, CLEAR_LEVELS) & (readings.true_words != NOTHING)
    if lost is None or not clear.any():
        return 0.0
    right = []
    for added in _ADDED:
        logits = favour_nothing(readings.logits, readings.known, replace(calibration, nothing=added))
        words, _ = replace(readings, logits=logits).words(calibration.temperature)
        right.append(_share(words == readings.true_words, clear))
    return max(added for added, share in zip(_ADDED, right, strict=True) if share >= max(right) - lost)


def _thresholds(readings: DefectReadings, temperature: float, least: float, accused: float) -> dict[str, float]:
    """Return, by word, the probability that at most a share of the undamaged photos exceeds, where above `least`."""
    undamaged = readings.true_words == NOTHING
    if not undamaged.any():
        return {}
    shares = word_shares(probabilities(readings.logits[undamaged], temperature), readings.known)
    found = {
        word: float(np.quantile(share, 1 - accused, method="higher"))
        for word, share in shares.items()
        if word != NOTHING
    }
    return {word: round(threshold, 4) for word, threshold in found.items() if threshold > least}


def _share(hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(hits[among].mean()) if among.any() else math.nan
