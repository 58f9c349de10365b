"""Maps on disk: the numbers with all that belongs to them, or a picture; written whole or not at all."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.methods import find_method
from metaiqa_core.explain.overlay import Mode, overlay
from metaiqa_core.files import write_whole
from metaiqa_core.images import Photo, png

MAP_SUFFIXES = (".png", ".npz")


def metadata_of(result: GradientMap) -> dict[str, Any]:
    """Return everything about a map but its values, ready for JSON."""
    content = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    del content["model_map"]
    return content | {"input_size": list(result.input_size), "photo_size": list(result.photo_size)}


def save_map(
    result: GradientMap,
    path: Path,
    photo: Photo,
    *,
    opacity: float = 0.6,
    mode: Mode | None = None,
) -> None:
    """Write a map at the size of a decoded photo: as numbers (`.npz`) or as a picture (`.png`).

    The numbers are `values` (H, W) at the photo's pixels, `model_map` (h, w) and `metadata` (JSON); the picture is the
    map over the photo.

    Args:
        result: Map to write.
        path: Target file, ending in .npz or .png.
        photo: Photo that the map explains.
        opacity: Opacity of the strongest values, in [0, 1]; see `overlay`.
        mode: Colour scale (see `overlay`); None: signed where the method's sign means harm or help.

    Raises:
        ExplanationError: If the suffix is neither, or the disk refuses; an older file stays as it was.
    """
    path = Path(path)
    metadata = json.dumps(metadata_of(result), ensure_ascii=False)
    if path.suffix.lower() not in MAP_SUFFIXES:
        raise ExplanationError(f"A map is written as .png or .npz, got {path.name!r}: choose one of the two endings.")
    if path.suffix.lower() == ".npz":

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                np.savez_compressed(file, values=result.at(photo), model_map=result.model_map, metadata=metadata)
    else:
        chosen: Mode = mode or ("signed" if find_method(result.method).signed else "magnitude")
        picture = overlay(photo.pixels, result.at(photo), opacity=opacity, mode=chosen)

        def write(temporary: Path) -> None:
            temporary.write_bytes(png(picture, compression=6, texts={"metaiqa": metadata}))

    try:
        write_whole(path, write)
    except OSError as error:
        raise ExplanationError(
            f"The map cannot be written to {path}: {error.strerror or error}. Make room or choose another folder."
        ) from error
