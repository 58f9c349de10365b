"""A decoded photo: its pixels, and notes on the steps of decoding."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo.

    Attributes:
        pixels: (height, width, 3), uint8, sRGB, upright, C-contiguous, read-only.
        full_size: Upright (width, height) of the file, pixels; larger than `pixels` after a reduced decode.
        format: Format of the source: "JPEG", "PNG", ..., or "array", "tensor", "PIL image".
        notes: Plain sentences on the steps of decoding ("transparent areas shown on white"); empty for most photos.
        extent: The part (left, top, right, bottom) of `pixels` that the photo fills, or None for all of it. A photo of
            4001 pixels, decoded at 1/4, fills 1000.25 of 1001 pixels; ignoring that would stretch it.
        reread: Function that returns the same photo decoded at 1/2, 1/4 or 1/8 of its size, for a large JPEG file that
            was decoded in full. The model's input is made of that in every use, so that all uses get the same score.
    """

    pixels: np.ndarray
    full_size: tuple[int, int]
    format: str
    notes: tuple[str, ...] = ()
    extent: tuple[float, float, float, float] | None = None
    reread: "Callable[[int], Photo] | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or not self.pixels.flags.c_contiguous:
            raise ValueError(f"pixels must be C-contiguous uint8 (H, W, 3), got {self.pixels.dtype} {shape}")
        self.pixels.flags.writeable = False
