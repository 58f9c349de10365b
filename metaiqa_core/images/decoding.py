"""The one decode contract: every photo that enters the program comes through `decode`.

Whatever comes in (file, bytes, Pillow image, array, tensor), one thing goes out: upright 8-bit sRGB pixels on white,
with a plain sentence on each visible step. A photo that cannot be read is a `PhotoError` with one sentence; limits are
checked before a pixel is decoded.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator

import numpy as np
from PIL import ExifTags, Image, ImageFile, JpegImagePlugin

from metaiqa_core.errors import PhotoError
from metaiqa_core.images.arrays import array_from_tensor, is_tensor, photo_from_array
from metaiqa_core.images.bands import has_no_alpha, srgb_picture
from metaiqa_core.images.files import Picture, notes_on_damage, open_picture
from metaiqa_core.images.limits import DecodeLimits
from metaiqa_core.images.orientation import upright, upright_extent
from metaiqa_core.images.photo import Photo
from metaiqa_core.images.reduction import reduce_jpeg, whole_factor
from metaiqa_core.images.sources import PhotoSource, read

_DEFAULT_LIMITS = DecodeLimits()


def decode(
    source: PhotoSource, *, limits: DecodeLimits = _DEFAULT_LIMITS, minimum_short_side: int | None = None
) -> Photo:
    """Decode a photo to upright 8-bit sRGB.

    Args:
        source: Path, file content, binary file object (read from its start), Pillow image, array or tensor.
            Arrays: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as uint8, uint16, bool, or float in [0, 1].
            Tensors: (3, H, W) or (1, 3, H, W) as uint8, or float in [0, 1].
        limits: Largest and smallest accepted sizes.
        minimum_short_side: Short side, pixels, that the photo will be shrunk to afterwards. A JPEG file may then be
            decoded at 1/2, 1/4 or 1/8 of its size (see `reduction.whole_factor`). None: full size.

    Returns:
        The photo. Equal sources give equal pixels.

    Raises:
        PhotoError: If the photo cannot be read or lies outside the limits.
        TypeError: If `source` is of no accepted type or dtype.
        ValueError: If `minimum_short_side` is not positive.
    """
    if minimum_short_side is not None and minimum_short_side < 1:
        raise ValueError(f"minimum_short_side must be positive or None, got {minimum_short_side!r}")
    if is_tensor(source):
        return photo_from_array(array_from_tensor(source), "tensor", limits)
    if isinstance(source, np.ndarray):
        return photo_from_array(source, "array", limits)
    if isinstance(source, Image.Image):
        with _one_sentence("the PIL image"):
            return _from_image(Picture(source), "the PIL image", limits, 1)
    data, name = read(source, limits)
    return _decode_file(data, name, limits, minimum_short_side)


def _decode_file(
    data: bytes, name: str, limits: DecodeLimits, minimum_short_side: int | None = None, factor: int | None = None
) -> Photo:
    """Decode the content of a file, a JPEG file reduced by `factor` or as far as `minimum_short_side` allows."""
    with _one_sentence(name):
        picture = open_picture(data, name)
        image = picture.image
        limits.check_size(*image.size, name, picture.format)
        if factor is None and minimum_short_side is not None:
            factor = whole_factor(min(image.size), minimum_short_side)
        photo = _from_image(picture, name, limits, factor or 1)
    if factor is None and photo.format == "JPEG":
        return dataclasses.replace(photo, reread=functools.partial(_reread, data, name, limits))
    return photo


def _reread(data: bytes, name: str, limits: DecodeLimits, factor: int) -> Photo:
    return _decode_file(data, name, limits, factor=factor)


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


def _from_image(picture: Picture, name: str, limits: DecodeLimits, factor: int) -> Photo:
    image = picture.image
    full_size = image.size
    limits.check_size(*full_size, name, picture.format)
    raw_mode = _raw_mode(image)
    notes = list(picture.notes)
    filled = reduce_jpeg(image, factor) if isinstance(image, JpegImagePlugin.JpegImageFile) else None
    reduced_size = image.size
    image.load()
    if image.size != reduced_size:  # a file may announce one size and hold another; a TIFF turns itself
        full_size = image.size
        limits.check_size(*full_size, name, picture.format)
    notes += notes_on_damage(picture, name)
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # EXIF blocks are damaged in many ways, while the picture is fine
        orientation = 1
        notes.append("EXIF data is damaged: orientation unknown, shown as stored")
    # The fourth byte may be unused, as every viewer takes it.
    opaque = image.format == "BMP" and image.mode == "RGBA" and has_no_alpha(image)
    picture_in_srgb, colour_notes = srgb_picture(image, raw_mode, name, picture.colours, opaque=opaque)
    size = image.size
    if picture_in_srgb is image and not picture.format:
        picture_in_srgb = image.copy()  # the caller's later changes must not reach the photo
    elif picture.format and isinstance(picture_in_srgb, np.ndarray):
        image.close()  # turning a large photo needs the room
    if orientation in range(5, 9):
        full_size, size = full_size[::-1], size[::-1]
    extent = upright_extent(filled, size, orientation) if filled else None
    format_name = "JPEG" if picture.format == "MPO" else picture.format or "PIL image"
    return Photo(upright(picture_in_srgb, orientation), full_size, format_name, (*notes, *colour_notes), extent)


def _raw_mode(image: Image.Image) -> str:
    """Return Pillow's name of the pixel layout in the file ("RGB;16B"), known before loading only."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    arguments = tiles[0].args if tiles else ""
    if isinstance(arguments, tuple):
        arguments = arguments[0] if arguments else ""
    return arguments if isinstance(arguments, str) else ""
