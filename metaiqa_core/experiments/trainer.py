"""What a fold needs to be judged: something that trains on some images of a database and predicts for others."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.training.photos import TrainingPhotos, predict

Trainer = Callable[[list[int], list[int], int], Work[NDArray[np.float64]]]
"""Trains on some positions of a database and returns the unit scores it predicts for others: (train, test, seed)."""


def network_trainer(
    learn: Callable[[list[int], int], Work[Regressor]],
    photos: TrainingPhotos,
    state_file: Path,
    *,
    frozen_stages: int = 0,
) -> Trainer:
    """Return a trainer that predicts by the network that it trains, and then forgets the training's state.

    Args:
        learn: Function that trains a network on some positions of `photos`, given those and a seed.
        photos: Images that the positions refer to.
        state_file: File of the state of the unfinished training.
        frozen_stages: Number of first stages whose feature maps are kept for networks that share their weights.
    """

    def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
        network = yield from learn(training, seed)
        predicted = predict(network, photos, test, frozen_stages)
        state_file.unlink(missing_ok=True)
        return predicted

    return train
