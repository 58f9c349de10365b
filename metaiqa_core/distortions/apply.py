"""The one way to distort a photo: checks, conversions, seeds and levels around the recipes of the catalogue."""

import math
import numbers
import operator
from collections.abc import Sequence
from typing import TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from metaiqa_core.distortions.catalogue import find_distortion
from metaiqa_core.distortions.distortion_type import LEVELS, DistortionType
from metaiqa_core.distortions.randomness import RandomStreams
from metaiqa_core.errors import DistortionError

SMALLEST_SIDE = 32  # pixels: the side of KADID-10k's colour block
DATABASE_NUMBERS = {"kadid10k": 1, "tid2013": 2}  # part of every random stream: never change them

Image = TypeVar("Image", np.ndarray, Tensor)


def distort(
    image: Image,
    distortion: str | DistortionType,
    level: int,
    *,
    seed: int | Sequence[int] = 0,
    stretch: bool = False,
) -> Image:
    """Apply a distortion type at one of its five levels.

    Args:
        image: RGB, both sides at least 32 pixels: a uint8 array (H, W, 3), a floating array (H, W, 3) in [0, 1] or a
            floating tensor (B, 3, H, W) in [0, 1], on whose device the work is done where the type allows.
        distortion: Entry of the catalogue, or its name as `find_distortion` takes it.
        level: Level of the distortion, 1 (mild) to 5 (strong).
        seed: Seed of the random draws. In a batch, image i has the seed `seed + i`, or the i-th seed of a sequence. The
            levels of a type share their draws: the same seed gives the same noise field, scaled by the level.
        stretch: Whether to stretch the photo to the range [0, 1] before the distortion, and the result after it, as
            KADID-10k's generator does for its types. The default leaves the photo's own range alone: only then is a
            mean shift a shift of the mean, and a low-contrast photo is not given contrast. The types of TID2013 are
            never stretched.

    Returns:
        A new image of the same kind, shape, dtype and device, within the same range.

    Raises:
        DistortionError: If the distortion or level is unknown, or the photo is too small.
        TypeError: If the image is of none of the three kinds.
        ValueError: If the shape is wrong, values lie outside [0, 1], or the seeds do not fit the batch.
    """
    entry = distortion if isinstance(distortion, DistortionType) else find_distortion(distortion)
    level = _checked_level(level)
    images = _as_batch(image)
    seeds = _seed_per_image(seed, len(images))
    with torch.no_grad():
        distorted = _apply(images, entry, entry.parameters[level - 1], seeds, stretch and entry.database == "kadid10k")
    return _as_input(distorted, image)


def _apply(images: Tensor, entry: DistortionType, parameter: float, seeds: Sequence[int], stretch: bool) -> Tensor:
    purpose = (DATABASE_NUMBERS[entry.database], entry.id)
    if stretch:
        images = stretch_range(images)
    if entry.batched:
        distorted = entry.recipe(images, parameter, RandomStreams(seeds, purpose, images.device))
    else:
        singles = zip(images.split(1), seeds, strict=True)
        distorted = torch.cat(
            [entry.recipe(single, parameter, RandomStreams([seed], purpose, images.device)) for single, seed in singles]
        )
    return stretch_range(distorted) if stretch else distorted.clamp(0, 1)


def stretch_range(images: Tensor) -> Tensor:
    """Map every image (B, 3, H, W) linearly so that its smallest sample becomes 0 and its largest 1.

    A constant image is left as it is.
    """
    low, high = images.amin(dim=(1, 2, 3), keepdim=True), images.amax(dim=(1, 2, 3), keepdim=True)
    stretched = (images - low) / torch.where(high > low, high - low, torch.ones_like(high))
    return torch.where(high > low, stretched, images)


def _checked_level(level: int) -> int:
    if isinstance(level, bool) or not isinstance(level, numbers.Integral) or level not in LEVELS:
        raise DistortionError(f"Expected a level from {LEVELS[0]} to {LEVELS[-1]}, got {level!r}.")
    return int(level)


def _as_batch(image: np.ndarray | Tensor) -> Tensor:
    """Check an image of any accepted kind and bring it to (B, 3, H, W) float32 in [0, 1]."""
    if isinstance(image, np.ndarray):
        if image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"Expected an RGB array of shape (H, W, 3), got {image.shape}.")
        if image.dtype != np.uint8 and not np.issubdtype(image.dtype, np.floating):
            raise TypeError(f"Expected an array of uint8 or floats in [0, 1], got {image.dtype}.")
        scale = 255 if image.dtype == np.uint8 else 1
        batch = torch.from_numpy(image.astype(np.float32) / scale).permute(2, 0, 1)[None].contiguous()
    elif isinstance(image, Tensor):
        if image.ndim != 4 or image.shape[1] != 3 or image.shape[0] == 0:
            raise ValueError(f"Expected an RGB batch of shape (B, 3, H, W), got {tuple(image.shape)}.")
        if not image.is_floating_point():
            raise TypeError(f"Expected a tensor of floats in [0, 1], got {image.dtype}.")
        batch = image.detach().to(torch.float32, copy=True).contiguous()
    else:
        raise TypeError(f"Expected a NumPy array or a torch tensor, got {type(image).__name__}.")
    if min(batch.shape[2:]) < SMALLEST_SIDE:
        height, width = batch.shape[2:]
        raise DistortionError(
            f"Expected a photo of at least {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels, got {width}x{height}; "
            "choose a larger one."
        )
    lowest, highest = float(batch.min()), float(batch.max())
    if not (math.isfinite(lowest + highest) and lowest >= 0 and highest <= 1):
        raise ValueError(f"Expected values in [0, 1], got {lowest:g} to {highest:g}; scale 8-bit values by 1/255.")
    return batch


def _seed_per_image(seed: int | Sequence[int], images: int) -> list[int]:
    if isinstance(seed, numbers.Integral):
        seeds = [int(seed) + index for index in range(images)]
    else:
        seeds = [operator.index(single) for single in cast("Sequence[int]", seed)]
    if len(seeds) != images:
        raise ValueError(f"Expected one seed or {images} seeds for {images} images, got {len(seeds)}.")
    if min(seeds) < 0:
        raise ValueError(f"Expected seeds of at least 0, got {min(seeds)}.")
    return seeds


def _as_input(images: Tensor, template: Image) -> Image:
    """Bring (B, 3, H, W) float32 back to the kind, dtype and device of the template."""
    if isinstance(template, Tensor):
        return images.to(template)
    array = images[0].permute(1, 2, 0).cpu().numpy()
    if template.dtype == np.uint8:
        return np.rint(array * 255).astype(np.uint8)
    return np.ascontiguousarray(array).astype(template.dtype)
