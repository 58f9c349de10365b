"""A map over its photo: colours that people with any colour vision can order, and a blend that takes no time."""

from typing import Literal

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

Mode = Literal["magnitude", "signed"]

_NEUTRAL = np.array([245, 245, 245])


def legend(mode: Mode = "magnitude", steps: int = 256) -> NDArray[np.uint8]:
    """Return the colours from the lowest to the highest value, (steps, 3), uint8.

    Magnitude: cividis, from dark blue (no influence) to yellow (most). Signed: from vermilion (hurts) over near-white
    (neither) to blue (helps).

    Args:
        mode: Colour scale.
        steps: Number of colours.
    """
    if mode == "magnitude":
        return np.round(colormaps["cividis"](np.linspace(0, 1, steps))[:, :3] * 255).astype(np.uint8)
    if mode != "signed":
        raise ValueError(f"mode must be magnitude or signed, got {mode!r}")
    place = np.linspace(-1, 1, steps)[:, None]
    hurts, helps = np.array([213, 94, 0]), np.array([0, 114, 178])  # of Okabe and Ito's colour-blind safe set
    ends = np.where(place < 0, hurts, helps)
    return np.round(_NEUTRAL + np.abs(place) * (ends - _NEUTRAL)).astype(np.uint8)


def overlay(
    pixels_uint8: NDArray[np.uint8],
    values: NDArray[np.floating],
    *,
    opacity: float = 0.6,
    mode: Mode = "magnitude",
    clip: float = 99.5,
) -> NDArray[np.uint8]:
    """Lay a map over its photo.

    Where the map says nothing, the photo stays visible: a pixel is covered by at most `opacity`, and by less the weaker
    its value is. The photo loses its colours, so that the map's are not mistaken for it.

    Args:
        pixels_uint8: Pixels of the photo, (H, W, 3), uint8.
        values: Values of the map, (H, W).
        opacity: Opacity of the strongest values, in [0, 1]; 0 shows the photo itself.
        mode: Colour scale: `magnitude`, or `signed` (hurts against helps).
        clip: Percentile of the magnitude that gets the strongest colour; a few outliers would leave the rest pale.

    Returns:
        (H, W, 3), uint8.
    """
    if values.shape != pixels_uint8.shape[:2]:
        raise ValueError(f"the map is {values.shape}, the photo {pixels_uint8.shape[:2]}: they must have the same size")
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity must be in [0, 1], got {opacity!r}")
    if mode not in ("magnitude", "signed"):
        raise ValueError(f"mode must be magnitude or signed, got {mode!r}")
    if opacity == 0:
        return pixels_uint8.copy()
    scaled = np.abs(values, dtype=np.float32)
    # A percentile of a million values needs no more than a sample of them on a regular grid.
    step = max(1, int(np.sqrt(values.size / 60_000)))
    highest = float(np.percentile(scaled[::step, ::step], clip)) or float(scaled.max()) or 1.0
    # Each value becomes the number of its colour, and colour and cover are looked up by that.
    if mode == "magnitude":
        number = np.minimum(scaled * np.float32(255 / highest), 255).astype(np.uint8)
        strength = np.linspace(0, 1, 256)
    else:
        number = np.clip(values * np.float32(127.5 / highest) + np.float32(128), 0, 255).astype(np.uint8)
        strength = np.abs(np.linspace(-1, 1, 256))
    painted = Image.fromarray(number).convert("P")
    painted.putpalette(legend(mode).tobytes())
    cover = Image.fromarray(number).point(np.round(255 * opacity * strength).astype(np.uint8).tolist())
    grey = Image.fromarray(pixels_uint8).convert("L").convert("RGB")
    return np.array(Image.composite(painted.convert("RGB"), grey, cover))
