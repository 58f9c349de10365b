"""Predictions for images that no training learned from, which choices and calibrated intervals rest on."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.criteria import MINIMUM_IMAGES, plcc, srocc
from metaiqa_core.files import write_text


@dataclass(frozen=True)
class HeldOut:
    """One database's held-out images with what a model says of them.

    Attributes:
        database: Name of the database.
        images: Names of the image files.
        opinion: Opinion scores, unit scores on the database's own scale.
        predicted: Scores by the model, unit scores on the scale that it answers on.
        offset: Offset that converts opinion scores to the model's scale, added after the gain.
        gain: Gain that converts opinion scores to the model's scale.
    """

    database: str
    images: tuple[str, ...]
    opinion: tuple[float, ...]
    predicted: tuple[float, ...]
    offset: float
    gain: float

    def on_the_model_s_scale(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the predicted scores and the opinion scores (N,), both on the scale that the model answers on."""
        return np.array(self.predicted), self.offset + self.gain * np.array(self.opinion)


def write_held_out(file: Path, judged: Sequence[HeldOut]) -> None:
    """Write the predictions of all databases into one file, whole or not at all."""
    write_text(file, json.dumps([asdict(one) for one in judged], indent=1) + "\n")


def read_held_out(file: Path) -> list[HeldOut]:
    """Read what `write_held_out` wrote.

    Raises:
        EvaluationError: If the file is missing or damaged.
    """
    try:
        return [
            HeldOut(
                one["database"],
                tuple(one["images"]),
                tuple(map(float, one["opinion"])),
                tuple(map(float, one["predicted"])),
                float(one["offset"]),
                float(one["gain"]),
            )
            for one in json.loads(file.read_text(encoding="utf-8"))
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            f"{file} holds no held-out predictions: expected what joint-train or kernel-head wrote there."
        ) from error


def held_out_accuracy(judged: Sequence[HeldOut]) -> dict[str, Any]:
    """Return SROCC and PLCC on each database's held-out images, for a card; of too few or equal ones there is none."""
    accuracy = {}
    for one in judged:
        if len(one.images) < MINIMUM_IMAGES or len(set(one.predicted)) == 1 or len(set(one.opinion)) == 1:
            continue  # too few, or too much alike, to correlate
        accuracy[f"held out of {one.database}"] = {
            "n": len(one.images),
            "srocc": round(srocc(one.predicted, one.opinion), 4),
            "plcc": round(plcc(one.predicted, one.opinion), 4),
        }
    return accuracy
