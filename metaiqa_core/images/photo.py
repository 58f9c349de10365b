"""A decoded photo: its pixels, and notes on the steps of decoding."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from PIL import Image


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo.

    Attributes:
        picture: The upright picture, sRGB: C-contiguous pixels (height, width, 3), uint8; or Pillow's image, mode RGB,
            as the decoder left it, so that shrinking needs no copy of it. Nobody changes either.
        full_size: Upright (width, height) of the file, pixels; larger than the picture after a reduced decode.
        format: Format of the source: "JPEG", "PNG", ..., or "array", "tensor", "PIL image".
        notes: Plain sentences on the steps of decoding ("transparent areas shown on white"); empty for most photos.
        extent: The part (left, top, right, bottom) of the picture that the photo fills, or None for all of it. A photo
            of 4001 pixels, decoded at 1/4, fills 1000.25 of 1001 pixels; ignoring that would stretch it.
        reread: Function that returns the same photo decoded at 1/2, 1/4 or 1/8 of its size, for a large JPEG file that
            was decoded in full. The model's input is made of that in every use, so that all uses get the same score.
    """

    picture: np.ndarray | Image.Image = field(repr=False)
    full_size: tuple[int, int]
    format: str
    notes: tuple[str, ...] = ()
    extent: tuple[float, float, float, float] | None = None
    reread: "Callable[[int], Photo] | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        picture = self.picture
        if isinstance(picture, Image.Image):
            if picture.mode != "RGB":
                raise ValueError(f"the picture must have the mode RGB, got {picture.mode}")
            return
        shape = picture.shape
        if picture.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or not picture.flags.c_contiguous:
            raise ValueError(f"pixels must be C-contiguous uint8 (H, W, 3), got {picture.dtype} {shape}")
        picture.flags.writeable = False

    @cached_property
    def pixels(self) -> np.ndarray:
        """The picture as pixels (height, width, 3), uint8, sRGB, upright, C-contiguous, read-only."""
        pixels = np.asarray(self.picture)
        pixels.flags.writeable = False
        return pixels

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture, pixels."""
        if isinstance(self.picture, Image.Image):
            return self.picture.size
        return self.picture.shape[1], self.picture.shape[0]
