"""Pooled features of whole photos, which a head is fitted on: computed once for each photo, and kept in a file."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.engine.graph import export_graph
from metaiqa_core.engine.onnx_engine import OnnxEngine
from metaiqa_core.errors import DatabaseError, PhotoError
from metaiqa_core.files import write_whole
from metaiqa_core.images import decode
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Progress, Work
from metaiqa_core.training.fingerprint import hash_of_weights

Features = NDArray[np.float32]
_SAVED_EVERY = 500


class _Pooled(nn.Module):
    """The network without its head."""

    def __init__(self, network: Regressor) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.pool(self.network.pooled_maps(self.network.features(images, 0), 0))


def pooled_features(
    network: Regressor, images: Sequence[RatedImage], preprocessing: Preprocessing, folder: Path
) -> Work[Features]:
    """Return what the head of a network sees of each image.

    Args:
        network: The network; its head is not used.
        images: The images.
        preprocessing: Steps from a photo to the network's input.
        folder: Folder of the files that finished features are kept in; a later call with the same weights, images and
            preprocessing goes on there.

    Yields:
        A `Progress` for each image that is not kept yet.

    Returns:
        Features (N, P) in half precision, as float32.

    Raises:
        DatabaseError: If an image cannot be read.
    """
    file = folder / f"{_key(network, images, preprocessing)}.npy"
    done = np.load(file) if file.exists() else None
    rows = [] if done is None else list(done)
    module = _Pooled(network)
    engine = OnnxEngine(export_graph(module), {name: one.numpy() for name, one in module.state_dict().items()})
    for number in range(len(rows), len(images)):
        try:
            photo = decode(images[number].path, minimum_short_side=preprocessing.short_side)
        except PhotoError as error:
            raise DatabaseError(f"An image of the database cannot be used: {error}") from error
        rows.append(engine.output(preprocessing.pixels(photo))[0].astype(np.float16))
        if (number + 1) % _SAVED_EVERY == 0 or number + 1 == len(images):
            write_whole(file, lambda temporary: _save(temporary, rows))
        yield Progress("computing features", number + 1, len(images))
    return np.stack(rows).astype(np.float32)


def _save(file: Path, rows: list[NDArray[np.float16]]) -> None:
    with file.open("wb") as stream:  # a path without the suffix would get another name
        np.save(stream, np.stack(rows))


def _key(network: Regressor, images: Sequence[RatedImage], preprocessing: Preprocessing) -> str:
    parts = [hash_of_weights(network.backbone), str(network.config.pooled), str(preprocessing.to_dict())]
    parts += [f"{image.path.name} {image.path.stat().st_size}" for image in images]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
