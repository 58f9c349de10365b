"""The one decode contract: every photo that enters the program comes through `decode`.

Whatever comes in (file, bytes, Pillow image, array, tensor), one thing goes out: upright 8-bit sRGB pixels on white,
with plain sentences on what was done. What cannot be read is a `PhotoError` with one sentence; limits are checked
before a pixel is decoded.
"""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from PIL import ExifTags, Image, ImageFile, JpegImagePlugin

from metaiqa_core.errors import PhotoError
from metaiqa_core.images.arrays import array_from_tensor, photo_from_array
from metaiqa_core.images.colours import to_srgb
from metaiqa_core.images.formats import open_image
from metaiqa_core.images.limits import DecodeLimits
from metaiqa_core.images.orientation import UPRIGHT, upright_extent
from metaiqa_core.images.photo import Photo
from metaiqa_core.images.sources import PhotoSource, read

_REDUCTION_MARGIN = 2
"""A JPEG is decoded reduced only to this multiple of the wanted short side or more. After the antialiased resize, twice
differs from the full decode by 0.25 of 255 levels on average where once differs by 0.8 (12 megapixels of fine texture).
"""


_DEFAULT_LIMITS = DecodeLimits()


def decode(
    source: PhotoSource, *, limits: DecodeLimits = _DEFAULT_LIMITS, least_short_side: int | None = None
) -> Photo:
    """Decode a photo to upright 8-bit sRGB.

    Args:
        source: Path, file content, binary file object (read from its start), Pillow image, array or tensor.
            Arrays: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as uint8, uint16, bool, or float in [0, 1].
            Tensors: (3, H, W) or (1, 3, H, W) as uint8, or float in [0, 1].
        limits: What is refused.
        least_short_side: The short side (pixels) that will be made of the photo afterwards. It permits decoding a JPEG
            file at 1/2, 1/4 or 1/8 of its size, as long as its short side keeps twice that length. None: full size.

    Returns:
        The photo. Equal sources give equal pixels.

    Raises:
        PhotoError: If the photo cannot be read or lies outside the limits.
        TypeError: If `source` is of no accepted type or dtype.
        ValueError: If `least_short_side` is not positive.
    """
    if least_short_side is not None and least_short_side < 1:
        raise ValueError(f"least_short_side must be positive or None, got {least_short_side!r}")
    if isinstance(source, torch.Tensor):
        return photo_from_array(array_from_tensor(source), "tensor", limits)
    if isinstance(source, np.ndarray):
        return photo_from_array(source, "array", limits)
    if isinstance(source, Image.Image):
        with _one_sentence("the PIL image"):
            return _from_image(source, "PIL image", "the PIL image", limits, None)
    data, name = read(source, limits)
    with _one_sentence(name):
        image = open_image(data, name)
        return _from_image(image, image.format or "", name, limits, least_short_side)


@contextlib.contextmanager
def _one_sentence(name: str) -> Iterator[None]:
    """Turn every failure to decode into a `PhotoError`; damaged files make Pillow's plugins raise nearly any kind."""
    try:
        yield
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError(f"{name} does not fit into memory: please make it smaller.") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"{name} has more pixels than can be read: please make it smaller.") from error
    except Exception as error:
        raise PhotoError(f"{name} is damaged or cut off and cannot be decoded: copy or export it again.") from error


def _from_image(
    image: Image.Image, format_name: str, name: str, limits: DecodeLimits, least_short_side: int | None
) -> Photo:
    full_size = image.size
    limits.check_size(*full_size, name)
    raw_mode = _raw_mode(image)
    notes = [note] if format_name != "PIL image" and (note := _several_pictures(image)) else []
    filled: tuple[float, float] | None = None
    if least_short_side is not None and isinstance(image, JpegImagePlugin.JpegImageFile):
        side = _REDUCTION_MARGIN * least_short_side
        if reduced := image.draft(None, (side, side)):
            filled = reduced[1][2:]
    reduced_size = image.size
    image.load()
    if image.size != reduced_size:  # a file may announce one size and hold another; a TIFF turns itself
        full_size = image.size
        limits.check_size(*full_size, name)
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # EXIF blocks are damaged in many ways, while the picture is fine
        orientation = 1
        notes.append("EXIF data is damaged: orientation unknown, shown as stored")
    image, colour_notes = to_srgb(image, raw_mode, name)
    if orientation in UPRIGHT:  # a flip's enum value is 0 and would pass for nothing
        image = image.transpose(UPRIGHT[orientation])
        full_size = full_size[::-1] if orientation >= 5 else full_size
    extent = upright_extent(filled, image.size, orientation) if filled else None
    format_name = "JPEG" if format_name == "MPO" else format_name
    return Photo(np.asarray(image), full_size, format_name, (*notes, *colour_notes), extent)


def _raw_mode(image: Image.Image) -> str:
    """Return Pillow's name of the pixel layout in the file ("RGB;16B"), known before loading only."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    arguments = tiles[0].args if tiles else ""
    if isinstance(arguments, tuple):
        arguments = arguments[0] if arguments else ""
    return arguments if isinstance(arguments, str) else ""


def _several_pictures(image: Image.Image) -> str | None:
    """Say that one picture of several is used; GIF and TIFF are not counted: that would read the whole file."""
    if not isinstance(image, ImageFile.ImageFile) or not getattr(image, "is_animated", False):
        return None
    if image.format == "TIFF":
        return "first of several pages"
    if image.format == "GIF":
        return "first frame of an animation"
    count = getattr(image, "n_frames", 1)
    return f"main picture of {count}" if image.format in ("MPO", "HEIF") else f"first of {count} frames"
