"""Pooled features of whole photos, which a head is fitted on: computed once for each photo, and kept in a file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.models.tones import Tones
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.head_inputs import Pooled
from metaiqa_core.training.kept_features import Change, Features, Row, kept_features, kept_rows


def pooled_features(
    network: Regressor,
    images: Sequence[RatedImage],
    preprocessing: Preprocessing,
    folder: Path,
    change: Change | None = None,
    change_name: str = "",
    tones: int = 0,
) -> Work[Features]:
    """Return what the head of a network sees of each image, or will see.

    Args:
        network: The network; its head is not used.
        images: The images.
        preprocessing: Steps from a photo to the network's input.
        folder: Folder of the files that finished features are kept in; see `kept_features`.
        change: Function that changes each photo before the preprocessing; None: they stay as they are.
        change_name: Name that tells this change from all others.
        tones: Number of tones that a new head will see too (`Tones`), after the pooled features.

    Yields:
        A `Progress` for each image that is not kept yet.

    Returns:
        Features (N, P) in half precision, as float32.

    Raises:
        DatabaseError: If an image cannot be read.
    """
    identity = [hash_of_weights(network.backbone), str(network.config.pooled)]
    if network.config.fused:
        identity.append(hash_of_weights(network.fusion))
    if change:
        identity.append(change_name)
    pooled = yield from kept_features(Pooled(network), identity, images, preprocessing, folder, change)
    if not tones:
        return pooled
    identity = [f"{tones} tones", *([change_name] if change else [])]
    of_light = yield from kept_rows(lambda: _reader(tones), identity, images, preprocessing, folder, change)
    return np.concatenate([pooled, of_light], 1)


def _reader(tones: int) -> Row:
    """Return the function that gives the tones of pixels (h, w, 3)."""
    layer = Tones(tones)

    def row(pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return layer(torch.tensor(pixels).permute(2, 0, 1)[None].float().div(255))[0].numpy()

    return row
