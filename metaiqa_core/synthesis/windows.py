"""The window of a photo that becomes a reference image.

TID2013's references are windows of 512x384 of the Kodak suite. Five of them are known exactly (found by matching, error
0); of the other 19 the position cannot be deduced from scores, and the centre stands in. KADID-10k's references are
photos reduced and cropped to 512x384; so are these, around the centre.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from metaiqa_core.errors import PhotoError
from metaiqa_core.images import Photo
from metaiqa_core.synthesis.compression_traces import is_lossy
from metaiqa_core.synthesis.configuration import FULL_SIZE

KODAK_SIZES = ((768, 512), (512, 768))  # (width, height), pixels
EXACT_KODAK_WINDOWS = {3: (44, 73), 4: (206, 0), 6: (43, 66), 8: (4, 71), 19: (255, 0)}
"""(top, left) of TID2013's window in the Kodak photo, by its number."""

LOSSY_REDUCTION = 0.9  # what was compressed is reduced at least to this, which mixes blocks and thins their traces
SHRINKING_STEPS = 32  # smaller windows have sides of n/32 of the full ones: 512x384 shrinks by 16x12 pixels


@dataclass(frozen=True)
class Window:
    """A part of a photo.

    Attributes:
        scaled_size: (width, height) to which the whole photo is resized first.
        top: First row of the window in the resized photo.
        left: First column of the window.
        size: (width, height) of the window.
        exact: Whether the window is known to be the one that people saw.
    """

    scaled_size: tuple[int, int]
    top: int
    left: int
    size: tuple[int, int]
    exact: bool = False

    def cut(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the window of a whole photo: both uint8 (H, W, 3)."""
        if self.scaled_size != (pixels.shape[1], pixels.shape[0]):
            pixels = np.asarray(Image.fromarray(pixels).resize(self.scaled_size, Image.Resampling.LANCZOS))
        width, height = self.size
        return np.ascontiguousarray(pixels[self.top : self.top + height, self.left : self.left + width])


def kodak_window(width: int, height: int, name: str) -> Window:
    """Return TID2013's window of a Kodak photo, or the centre where it is not known.

    Args:
        width: Width of the photo, pixels.
        height: Height of the photo, pixels.
        name: File name of the photo, `kodim01` to `kodim24` with any suffix.

    Raises:
        PhotoError: If it is no photo of the Kodak suite.
    """
    match = re.fullmatch(r"kodim(\d\d)\.\w+", name, re.IGNORECASE)
    if not match or not 1 <= int(match[1]) <= 24:
        raise PhotoError(
            f"{name} is not named kodim01 to kodim24: tid2013-kodak is made of the Kodak suite alone, "
            "because people scored those photos."
        )
    if (width, height) not in KODAK_SIZES:
        raise PhotoError(f"{name} is {width}x{height} pixels, the Kodak suite's photos are 768x512 or 512x768.")
    known = EXACT_KODAK_WINDOWS.get(int(match[1]))
    top, left = known or ((height - FULL_SIZE[1]) // 2, (width - FULL_SIZE[0]) // 2)
    return Window((width, height), top, left, FULL_SIZE, exact=known is not None)


def style_window(path: Path, photo: Photo, size: tuple[int, int], smallest_size: tuple[int, int]) -> Window:
    """Reduce a photo as far as its centre shows the most, and cut the centre out.

    Args:
        path: File of the photo, which tells whether it was compressed with losses.
        photo: Decoded photo; portrait ones get the window upright.
        size: (width, height) of the window, pixels.
        smallest_size: (width, height) of the smallest window of that shape, pixels, for photos that do not fill `size`.

    Raises:
        PhotoError: If the photo is too small.
    """
    height, width = photo.pixels.shape[:2]
    lossy = is_lossy(path)
    if height > width:
        size, smallest_size = size[::-1], smallest_size[::-1]
    largest_scale = LOSSY_REDUCTION if lossy else 1.0
    fitting = min(width * largest_scale / size[0], height * largest_scale / size[1])
    if fitting < 1:
        fitting = int(fitting * SHRINKING_STEPS) / SHRINKING_STEPS
        size = (int(size[0] * fitting), int(size[1] * fitting))
        if size[0] < smallest_size[0] or size[1] < smallest_size[1]:
            needed = " x ".join(str(int(np.ceil(side / largest_scale))) for side in smallest_size)
            reason = ", because its lossy compression asks for a reduction" if lossy else ""
            raise PhotoError(f"{path.name} is {width} x {height} pixels: at least {needed} are needed{reason}.")
    scale = max(size[0] / width, size[1] / height)
    scaled = (max(round(width * scale), size[0]), max(round(height * scale), size[1]))
    return Window(scaled, (scaled[1] - size[1]) // 2, (scaled[0] - size[0]) // 2, size)
