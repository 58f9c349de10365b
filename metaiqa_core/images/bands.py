"""A large picture band by band: no step on the way to its pixels takes the memory of a second whole picture.

A photo of 150 megapixels has 600 MB in Pillow and 450 MB as an array; each of the steps on the way (profile, alpha,
white behind it) would take as much again. Every step concerns single pixels, so that bands give the same bits.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from metaiqa_core.images.colours import BRIGHTER, to_srgb
from metaiqa_core.images.declared_colours import DeclaredColours

BAND_PIXELS = 4_000_000


def bands(
    image: Image.Image, *, from_bottom: bool = False, pixels: int = BAND_PIXELS
) -> Iterator[tuple[int, Image.Image]]:
    """Yield (top, band) for every band of a loaded picture; a small picture is one band, itself.

    Args:
        image: Loaded picture of any mode.
        from_bottom: Whether the lowest band comes first.
        pixels: Number of pixels that a band has at most, unless one row has more.
    """
    rows = max(1, pixels // max(image.width, 1))
    if rows >= image.height:
        yield 0, image
        return
    tops = range(0, image.height, rows)
    for top in reversed(tops) if from_bottom else tops:
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def srgb_picture(
    image: Image.Image,
    raw_mode: str,
    name: str,
    declared: DeclaredColours = DeclaredColours(),  # noqa: B008 (frozen)
    *,
    opaque: bool = False,
) -> tuple[np.ndarray | Image.Image, tuple[str, ...]]:
    """Convert a loaded picture to sRGB on white; see `colours.to_srgb`.

    Args:
        image: Loaded Pillow image of any mode; it is not modified.
        raw_mode: Pillow's name of the layout in the file ("RGB;16B"), empty when unknown.
        name: Name of the photo in messages.
        declared: Colour description of the file, beside Pillow's `icc_profile`.
        opaque: Whether the alpha channel of an RGBA picture means nothing.

    Returns:
        The picture, and a sentence for each visible thing that was done. A picture of one band is Pillow's, mode RGB,
        and may be `image` itself; a larger one is an array (height, width, 3), uint8.

    Raises:
        PhotoError: If the values have no defined white (32-bit integers, floats outside [0, 1]).
    """
    notes: dict[str, None] = {}
    brighter = 0.0
    # TIFF's PhotometricInterpretation: a band does not know it any more.
    white_is_zero = getattr(image, "tag_v2", {}).get(262) == 0
    whole: Image.Image | None = None
    pixels = np.empty((0, image.width, 3), np.uint8)
    for top, band in bands(image):
        converted = to_srgb(band.convert("RGB") if opaque else band, raw_mode, name, declared, white_is_zero)
        if band is image:
            whole = converted.image
        else:
            pixels = pixels if len(pixels) else np.empty((image.height, image.width, 3), np.uint8)
            pixels[top : top + band.height] = np.asarray(converted.image)
        brighter += converted.brighter * band.height / image.height
        notes.update(dict.fromkeys(converted.notes))
    told = BRIGHTER.format(brighter) if brighter >= 0.01 else ""
    return pixels if whole is None else whole, tuple(note.replace(BRIGHTER, told) for note in notes)


def has_no_alpha(image: Image.Image) -> bool:
    """Return whether the alpha of a loaded RGBA picture is zero everywhere, so that it means nothing."""
    return all(band.getchannel("A").getextrema() == (0, 0) for _, band in bands(image))
