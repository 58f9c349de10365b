"""The state of an unfinished run: written whole now and then, and only continued by the same configuration."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from metaiqa_core.errors import TrainingError
from metaiqa_core.files import is_full_disk, write_whole
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.settings import seconds
from metaiqa_core.tasks import DistortionTask
from metaiqa_core.training.fingerprint import is_same_recipe
from metaiqa_core.training.photos import TrainingPhotos

STATE_SECONDS = 20.0
"""Most seconds of work lost when a run is killed, unless `METAIQA_STATE_SECONDS` sets another number; no result depends
on it."""


def state_seconds(environment: Mapping[str, str] = os.environ) -> float:
    """Return the most seconds of work lost when a run is killed: `METAIQA_STATE_SECONDS`, or `STATE_SECONDS`.

    Raises:
        SettingsError: If the variable holds no seconds.
    """
    return seconds(environment, "METAIQA_STATE_SECONDS", STATE_SECONDS)


class RunState:
    """A run's state in a file, or nowhere.

    Args:
        file: State file; None: nothing is kept, and there is nothing to go on from.
        signature: The run's recipe, JSON-ready; a state of another recipe is refused.

    Raises:
        SettingsError: If `METAIQA_STATE_SECONDS` holds no seconds.
    """

    def __init__(self, file: Path | None, signature: Mapping[str, Any]) -> None:
        self._file = file
        self._signature = json.dumps(signature)
        self._seconds = state_seconds()
        self._saved_at = monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the state was saved too long ago; never where there is no file."""
        return self._file is not None and monotonic() - self._saved_at >= self._seconds

    def load(self, *parts: str) -> dict[str, Any] | None:
        """Return the state that an earlier process saved; None if there is none.

        Args:
            *parts: Names that the state was saved with.

        Raises:
            TrainingError: If it is damaged, lacks a part or belongs to another configuration.
        """
        if self._file is None or not self._file.exists():
            return None
        damaged = TrainingError(f"The state of the run in {self._file} is damaged: delete it to start this run afresh.")
        try:
            state = torch.load(self._file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged pickle makes the unpickler fail in nearly any way
            raise damaged from error
        if not isinstance(state, dict) or not is_same_recipe(str(state.get("signature")), self._signature):
            raise TrainingError(
                f"The run in {self._file.parent} was started with another configuration: choose another --run-dir, or "
                "delete it."
            )
        if not state.keys() >= set(parts):
            raise damaged
        return state

    def save(self, **state: Any) -> None:
        """Write a state; without a file nothing happens.

        Args:
            **state: Tensors, numbers and containers of them.

        Raises:
            TrainingError: If it cannot be written; the previous state stays.
        """
        if self._file is None:
            return
        content = {"signature": self._signature, **state}
        try:
            write_whole(self._file, lambda temporary: torch.save(content, temporary))
        except (OSError, RuntimeError) as error:
            if is_full_disk(error):
                raise TrainingError(
                    f"The disk is full, so the state of the run cannot be written to {self._file}; the one before it "
                    "is still there: make room and start the same command again."
                ) from error
            raise TrainingError(
                f"The state of the run cannot be written to {self._file}: {error}. The state before it is still there: "
                "make room and start the same command again."
            ) from error
        self._saved_at = monotonic()


def run_signature(network: Regressor, config: Mapping[str, Any], start: str) -> dict[str, Any]:
    """Return what makes one run the same as another whatever it learns from, JSON-ready.

    Args:
        network: Network that learns.
        config: Settings of the run, JSON-ready.
        start: `hash_of_weights` of the network before it learns.
    """
    return {
        "config": dict(config),
        "network": network.config.to_dict(),
        "device": network.mean.device.type,
        "start": start,
    }


def photos_signature(photos: TrainingPhotos, training: Sequence[int]) -> dict[str, Any]:
    """Return what tells the photos that one run learns from apart from another's, JSON-ready.

    Args:
        photos: Rated photos.
        training: Positions in `photos` to learn from.
    """
    return {
        "preprocessing": photos.preprocessing.to_dict(),
        "training": file_names(photos, training),
        "unit_scores": photos.unit_scores[list(training)].tolist(),
    }


def task_signature(photos: TrainingPhotos, tasks: Sequence[DistortionTask]) -> dict[str, Any]:
    """Return what tells the distortion tasks that one run learns from apart from another's, JSON-ready.

    Args:
        photos: Rated photos; the tasks' positions count them.
        tasks: Tasks to learn from.
    """
    return {
        "preprocessing": photos.preprocessing.to_dict(),
        "tasks": {task.name: file_names(photos, task.positions) for task in tasks},
        "unit_scores": [photos.unit_scores[list(task.positions)].tolist() for task in tasks],
    }


def file_names(photos: TrainingPhotos, positions: Sequence[int]) -> list[str]:
    """Return the names of photos' image files, without their folders."""
    return [photos.images[position].name for position in positions]
