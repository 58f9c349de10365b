"""The state of an unfinished run: written whole after each epoch, and only continued by the same configuration."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from metaiqa_core.errors import TrainingError
from metaiqa_core.files import is_full_disk, write_whole
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.tasks import DistortionTask
from metaiqa_core.training.fingerprint import is_same_recipe
from metaiqa_core.training.photos import TrainingPhotos

STATE_SECONDS = 20.0
"""Most seconds of work lost when a run is killed, unless `METAIQA_STATE_SECONDS` sets another; no
result depends on it."""


def state_is_due(kept: float) -> bool:
    """Say whether the state, last kept at a `time.monotonic()`, should be kept again."""
    return monotonic() - kept >= float(os.environ.get("METAIQA_STATE_SECONDS", STATE_SECONDS))


def task_signature(
    network: Regressor, photos: TrainingPhotos, tasks: Sequence[DistortionTask], start: str
) -> dict[str, Any]:
    """Return what, besides its configuration, makes one run over distortion tasks the same as another (JSON-ready).

    Args:
        network: The network that learns.
        photos: Rated photos; the tasks' positions count them.
        tasks: The tasks.
        start: `hash_of_weights` of the network before it learns.
    """
    return {
        "network": network.config.to_dict(),
        "device": network.mean.device.type,
        "preprocessing": photos.preprocessing.to_dict(),
        "start": start,
        "tasks": {task.name: [photos.images[position].path.name for position in task.positions] for task in tasks},
        "unit_scores": [photos.unit_scores[list(task.positions)].tolist() for task in tasks],
    }


def save_state(path: Path, signature: dict[str, Any], **state: Any) -> None:
    """Write tensors, numbers and containers of them.

    Args:
        path: The state file.
        signature: The run's recipe (JSON-ready); another one does not continue the state.
        **state: Tensors, numbers and containers of them.

    Raises:
        TrainingError: If it cannot be written; the previous state stays.
    """
    try:
        write_whole(path, lambda temporary: torch.save({"signature": json.dumps(signature), **state}, temporary))
    except (OSError, RuntimeError) as error:
        if is_full_disk(error):
            raise TrainingError(
                f"The disk is full, so the state of the run cannot be written to {path}; the one before it is still "
                "there: make room and start the same command again."
            ) from error
        raise TrainingError(
            f"The state of the run cannot be written to {path}: {error}. The state before it is still there: "
            "make room and start the same command again."
        ) from error


def load_state(path: Path, signature: dict[str, Any]) -> dict[str, Any] | None:
    """Read a state, or return None if there is none yet.

    Raises:
        TrainingError: If it is damaged or belongs to another configuration.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle makes the unpickler fail in nearly any way
        raise TrainingError(
            f"The state of the run in {path} is damaged: delete it to start this run afresh."
        ) from error
    if not isinstance(state, dict) or not is_same_recipe(str(state.get("signature")), json.dumps(signature)):
        raise TrainingError(
            f"The run in {path.parent} was started with another configuration: choose another --run-dir, or delete it."
        )
    return state
