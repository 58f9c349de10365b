"""Tiny pristine photos: sharp, clean, never compressed, each unlike the others."""

import numpy as np
from PIL import Image


def pristine_pixels(seed, size=(128, 96)):
    """Rectangles with hard edges on a gentle slope: (height, width, 3) uint8 of (width, height) `size`."""
    generator = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([100 + 40 * x / width, 90 + 50 * y / height, 120 - 30 * x / width], axis=-1)
    for _ in range(40):
        left, top = generator.integers(0, width - 8), generator.integers(0, height - 8)
        wide, tall = generator.integers(8, width // 3, 2)
        pixels[top : top + tall, left : left + wide] = generator.uniform(10, 245, 3)
    return pixels.round().astype(np.uint8)


def write_photos(folder, count=2, size=(128, 96), suffix=".png"):
    """Write photos scene-1, scene-2, ... and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        Image.fromarray(pristine_pixels(number, size)).save(folder / f"scene-{number}{suffix}")
    return folder
