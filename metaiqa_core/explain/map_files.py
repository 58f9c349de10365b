"""Maps on disk: the numbers with all that belongs to them, or a picture; written whole or not at all."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.methods import find_method
from metaiqa_core.explain.overlay import Mode, overlay
from metaiqa_core.files import write_whole
from metaiqa_core.images import png

MAP_SUFFIXES = (".png", ".npz")


def metadata_of(result: GradientMap) -> dict[str, Any]:
    """Return everything about a map but its values, ready for JSON."""
    content = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    del content["values"], content["model_map"]
    return content | {"input_size": list(result.input_size), "photo_size": list(result.photo_size)}


def save_map(
    result: GradientMap,
    path: Path,
    *,
    pixels: NDArray[np.uint8] | None = None,
    opacity: float = 0.6,
    mode: Mode | None = None,
) -> None:
    """Write a map: `.npz` with `values`, `model_map` and `metadata` (JSON), or `.png` as an overlay.

    Args:
        result: The map.
        path: Where; the suffix decides what.
        pixels: The photo (H, W, 3), uint8, for a picture.
        opacity: See `overlay`.
        mode: See `overlay`; None: signed where the method's sign means harm or help.

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
                np.savez_compressed(file, values=result.values, model_map=result.model_map, metadata=metadata)
    else:
        if pixels is None:
            raise ValueError("a picture of a map needs the photo's pixels")
        chosen: Mode = mode or ("signed" if find_method(result.method).signed else "magnitude")
        picture = overlay(pixels, result.values, opacity=opacity, mode=chosen)

        def write(temporary: Path) -> None:
            temporary.write_bytes(png(picture, compression=6, texts={"metaiqa": metadata}))

    try:
        write_whole(path, write)
    except OSError as error:
        raise ExplanationError(
            f"The map cannot be written to {path}: {error.strerror or error}. Make room or choose another folder."
        ) from error
