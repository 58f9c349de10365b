"""Features of images that a resting network gives: computed once for each image, and kept in a file."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.engine.graph import export_graph
from metaiqa_core.engine.onnx_engine import OnnxEngine
from metaiqa_core.errors import DatabaseError, PhotoError
from metaiqa_core.files import write_whole
from metaiqa_core.images import Photo, decode
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Progress, Work

Features = NDArray[np.float32]
Row = Callable[[NDArray[np.uint8]], NDArray[np.floating[Any]]]
"""Pixels (height, width, 3) -> features of one photo."""
Change = Callable[[Photo, int], Photo | NDArray[np.uint8]]
"""(photo, its number) -> the photo, changed; such as a distortion."""
_SAVED_EVERY = 500


def kept_features(
    module: nn.Module,
    identity: Sequence[str],
    images: Sequence[RatedImage],
    preprocessing: Preprocessing,
    folder: Path,
    change: Change | None = None,
) -> Work[Features]:
    """Return the features of images.

    Args:
        module: (B, 3, H, W) RGB in [0, 1] -> features (B, ...), in evaluation mode.
        identity: Texts that tell this module, and what is changed, from all others, such as the hash of its weights.
        images: The images.
        preprocessing: Steps from a photo to the module's input.
        folder: Folder of the files that finished features are kept in; a later call with the same module, images and
            preprocessing goes on there.
        change: Function that changes each photo before the preprocessing; None: they stay as they are.

    Yields:
        A `Progress` for each image that is not kept yet.

    Returns:
        Features (N, ...) in half precision, as float32.

    Raises:
        DatabaseError: If an image cannot be read.
    """

    def reader() -> Row:
        engine = OnnxEngine(export_graph(module), {name: one.numpy() for name, one in module.state_dict().items()})
        return lambda pixels: engine.output(pixels)[0]

    return (yield from kept_rows(reader, identity, images, preprocessing, folder, change))


def kept_rows(
    reader: Callable[[], Row],
    identity: Sequence[str],
    images: Sequence[RatedImage],
    preprocessing: Preprocessing,
    folder: Path,
    change: Change | None = None,
) -> Work[Features]:
    """Return the features of images that any function gives, not a network alone.

    Args:
        reader: Function that makes that function, once there are images to read.
        identity: Texts that tell it from all others.
        images: The images.
        preprocessing: Steps from a photo to its pixels.
        folder: Folder of the kept features, as for `kept_features`.
        change: Function that changes each photo before the preprocessing; None: they stay as they are.

    Raises:
        DatabaseError: If an image cannot be read.
    """
    file = folder / f"{_key(identity, images, preprocessing)}.npy"
    done = np.load(file) if file.exists() else None
    if done is not None and len(done) == len(images):
        return done.astype(np.float32)
    rows = [] if done is None else list(done)
    read = reader()
    for number in range(len(rows), len(images)):
        try:
            photo = decode(images[number].path, minimum_short_side=preprocessing.short_side)
            pixels = preprocessing.pixels(change(photo, number) if change else photo)
        except PhotoError as error:
            raise DatabaseError(f"An image of the database cannot be used: {error}") from error
        rows.append(read(pixels).astype(np.float16))
        if (number + 1) % _SAVED_EVERY == 0 or number + 1 == len(images):
            write_whole(file, lambda temporary: _save(temporary, rows))
        yield Progress("computing features", number + 1, len(images))
    return np.stack(rows).astype(np.float32)


def _save(file: Path, rows: list[NDArray[np.float16]]) -> None:
    with file.open("wb") as stream:  # a path without the suffix would get another name
        np.save(stream, np.stack(rows))


def _key(identity: Sequence[str], images: Sequence[RatedImage], preprocessing: Preprocessing) -> str:
    parts = [*identity, str(preprocessing.to_dict())]
    parts += [f"{image.name} {image.path.stat().st_size}" for image in images]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
