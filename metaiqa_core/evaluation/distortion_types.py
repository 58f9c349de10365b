"""Agreement by distortion type: within the images of each type, and between the types.

SROCC over a whole database of distorted images mixes two questions: whether a model ranks the images of one distortion,
as leave-one-distortion-out asks (Section 4.2), and whether it knows which distortions people mind more than others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from metaiqa_core.evaluation.criteria import MINIMUM_IMAGES, srocc


@dataclass(frozen=True)
class AgreementByType:
    """Agreement of predictions with opinion scores within and between distortion types.

    Attributes:
        n: Number of images of each type.
        srocc: SROCC within each type; None where scores are constant or images fewer than three.
        ranked: Number of types that have an SROCC.
        within: Mean SROCC over those types; None if there are none.
        between: SROCC of the types' mean predictions with their mean opinion scores; None where it is not defined.
    """

    n: dict[str, int]
    srocc: dict[str, float | None]
    ranked: int
    within: float | None
    between: float | None


def agreement_by_type(predicted: ArrayLike, opinion: ArrayLike, types: Sequence[str | None]) -> AgreementByType:
    """Compare predictions with opinion scores within and between distortion types.

    Args:
        predicted: Predicted scores, (n,) float, on a scale where higher is better.
        opinion: Opinion scores, (n,) float, on a scale where higher is better.
        types: Distortion type of each image; images without one are left out.
    """
    predicted, opinion = np.asarray(predicted, dtype=np.float64), np.asarray(opinion, dtype=np.float64)
    of_type = {kind: np.array([one == kind for one in types]) for kind in dict.fromkeys(types) if kind}
    sroccs = {kind: _srocc(predicted[chosen], opinion[chosen]) for kind, chosen in of_type.items()}
    known = [value for value in sroccs.values() if value is not None]
    means = [[scores[chosen].mean() for chosen in of_type.values()] for scores in (predicted, opinion)]
    return AgreementByType(
        n={kind: int(chosen.sum()) for kind, chosen in of_type.items()},
        srocc=sroccs,
        ranked=len(known),
        within=float(np.mean(known)) if known else None,
        between=_srocc(*map(np.array, means)),
    )


def _srocc(predicted: np.ndarray, opinion: np.ndarray) -> float | None:
    if len(opinion) < MINIMUM_IMAGES or np.ptp(predicted) == 0 or np.ptp(opinion) == 0:
        return None
    return srocc(predicted, opinion)
