"""From a photo to the model's input, and the tiles that cover a photo at its native resolution.

Normalisation by mean and standard deviation is the network's own business.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.errors import CheckpointError, PhotoError
from metaiqa_core.images import Photo
from metaiqa_core.images.reduction import reduce_by, whole_factor
from metaiqa_core.images.resizing import resize
from metaiqa_core.json_files import STRICT

if TYPE_CHECKING:  # pixels need no torch
    import torch

LARGEST_SIDE = 2048
"""Longest short side to which photos are brought, pixels: what a network keeps in memory grows with its square."""
MAXIMUM_PIXELS = 2**25
"""Largest input of a model, pixels; reached only by models that see large photos at their native resolution."""


@dataclass(frozen=True)
class Preprocessing:
    """Preprocessing that turns a photo into model input; part of the model, stored in its card.

    The aspect ratio is kept and nothing is cropped. Shrinking is antialiased.

    Attributes:
        short_side: Short side that larger photos are shrunk to, pixels; None for the native resolution.
        enlarge: Whether smaller photos are enlarged to `short_side`.
        minimum_side: Short side that smaller photos are enlarged to in any case, pixels: a network that halves its maps
            five times needs a few pixels to see.
    """

    __pydantic_config__ = STRICT

    short_side: int | None = 500
    enlarge: bool = False
    minimum_side: int = 64

    def __post_init__(self) -> None:
        for field in ("short_side", "minimum_side"):
            value = getattr(self, field)
            if value is None and field == "short_side":
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{field} must be a positive integer, got {value!r}")
            if value > LARGEST_SIDE:
                raise ValueError(f"{field} must be at most {LARGEST_SIDE} pixels, got {value}")
        if not isinstance(self.enlarge, bool):
            raise ValueError(f"enlarge must be true or false, got {self.enlarge!r}")
        if self.short_side is not None and self.short_side < self.minimum_side:
            raise ValueError(f"short_side ({self.short_side}) must not be below minimum_side ({self.minimum_side})")

    def model_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) in pixels at which the model sees a photo of `width` x `height` pixels.

        >>> Preprocessing(short_side=500).model_size(4000, 3000)
        (667, 500)
        """
        if width < 1 or height < 1:
            raise ValueError(f"width and height must be positive, got {width} x {height}")
        short = min(width, height)
        target = short
        if self.short_side is not None and (short > self.short_side or self.enlarge):
            target = self.short_side
        target = max(target, self.minimum_side)
        # Whole-number arithmetic, halves rounded up: the same on every machine.
        return (2 * width * target + short) // (2 * short), (2 * height * target + short) // (2 * short)

    def __call__(self, photo: Photo | np.ndarray) -> "torch.Tensor":
        """Return the model's input as a tensor (1, 3, height, width), float32, RGB, [0, 1]; see `pixels`."""
        import torch

        planes = np.ascontiguousarray(self.pixels(photo).transpose(2, 0, 1)[None], dtype=np.float32)
        return torch.from_numpy(planes).div_(255)

    def pixels(self, photo: Photo | np.ndarray) -> NDArray[np.uint8]:
        """Return the model's input.

        Args:
            photo: Decoded photo, or its pixels (height, width, 3), uint8. A photo that was decoded reduced gets the
                size that the full photo would have got.

        Returns:
            (height, width, 3), uint8, RGB.

        Raises:
            PhotoError: If the input would have more than `MAXIMUM_PIXELS`.
        """
        if not isinstance(photo, Photo):
            pixels = photo
            if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
                raise ValueError(f"expected uint8 pixels (height, width, 3), got {pixels.dtype} {pixels.shape}")
            photo = Photo(np.ascontiguousarray(pixels).view(), (pixels.shape[1], pixels.shape[0]), "array")
        size = self.model_size(*photo.full_size)
        if size[0] * size[1] > MAXIMUM_PIXELS:
            raise PhotoError(
                f"This model would see the photo at {size[0]} x {size[1]} pixels, and at most "
                f"{MAXIMUM_PIXELS / 1e6:.0f} million fit into memory: choose a smaller photo or another model."
            )
        factor = whole_factor(min(photo.full_size), min(size))
        if factor > 1 and photo.reread is not None:
            photo = photo.reread(factor)
        if size == photo.size:
            return photo.pixels
        # Large photos are first reduced by a whole factor; a reduced decode has done all or part of it already.
        done = round(max(photo.full_size) / max(photo.size))
        reduced, box = reduce_by(photo, max(factor // done, 1))
        return resize(reduced, size, box)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values for a model's card."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Return the preprocessing that a model's card describes.

        Raises:
            CheckpointError: If a field is missing, unknown or of the wrong type or range.
        """
        if not isinstance(fields, Mapping):
            raise CheckpointError(f"the preprocessing must be a table of fields, got {type(fields).__name__}.")
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(str(field) for field in fields.keys() - known):
            raise CheckpointError(
                f"the preprocessing has unknown fields ({', '.join(unknown)}): the model needs a newer version."
            )
        if missing := sorted(known - fields.keys()):
            raise CheckpointError(f"the preprocessing lacks {', '.join(missing)}: the model's card is incomplete.")
        try:
            return cls(**fields)
        except ValueError as error:
            raise CheckpointError(f"the preprocessing cannot be used: {error}.") from error


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels in a photo, from its top left corner."""

    left: int
    top: int
    width: int
    height: int


def tiles(width: int, height: int, tile: int) -> list[Box]:
    """Cover a photo by as few `tile` x `tile` boxes in a regular grid as leave no gap, row by row.

    The boxes are spread evenly from edge to edge, so that they overlap as little as possible; all have full size unless
    a side of the photo is shorter than a tile.

    >>> [box.left for box in tiles(1000, 400, 400)]
    [0, 300, 600]

    Args:
        width: Width of the photo, pixels.
        height: Height of the photo, pixels.
        tile: Side of a tile, pixels.
    """
    if min(width, height, tile) < 1:
        raise ValueError(f"width, height and tile must be positive, got {width}, {height} and {tile}")
    return [
        Box(left, top, min(tile, width), min(tile, height))
        for top in _starts(height, tile)
        for left in _starts(width, tile)
    ]


def _starts(length: int, tile: int) -> list[int]:
    count = max(1, math.ceil(length / tile))
    return [index * (length - tile) // (count - 1) for index in range(count)] if count > 1 else [0]
