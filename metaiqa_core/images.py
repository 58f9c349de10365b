"""The one decode contract: every photo that enters the program comes through `decode`.

Whatever comes in (file, bytes, Pillow image, array, tensor), one thing goes out: upright 8-bit sRGB pixels on white,
with plain sentences on what was done. What cannot be read is a `PhotoError` with one sentence; limits are checked
before a pixel is decoded.
"""

import contextlib
import math
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import ExifTags, Image, ImageFile, JpegImagePlugin

from metaiqa_core.errors import PhotoError
from metaiqa_core.image_colours import reduce_uint16, reduce_unit_float, to_srgb
from metaiqa_core.image_formats import READABLE_FORMATS, READABLE_SUFFIXES, open_image

__all__ = ["READABLE_FORMATS", "READABLE_SUFFIXES", "DecodeLimits", "Photo", "PhotoSource", "decode"]

PhotoSource = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray | torch.Tensor

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a stored picture upright. Source: Exif 2.3 (CIPA DC-008-2012), section 4.6.4, tag 274, Orientation."""
_REDUCTION_MARGIN = 2
"""A JPEG is decoded reduced only to this multiple of the wanted short side or more. After the antialiased resize, twice
differs from the full decode by 0.25 of 255 levels on average where once differs by 0.8 (12 megapixels of fine texture).
"""


@dataclass(frozen=True)
class DecodeLimits:
    """What a photo may be at most (and least); checked before its pixels are decoded.

    Attributes:
        max_file_bytes: Largest file, bytes.
        max_pixels: Most pixels. Pillow's own limit against decompression bombs (178 million) bounds it from above.
        max_side: Longest side, pixels.
        min_side: Shortest side, pixels.
        max_aspect: Largest ratio of the long to the short side.
    """

    max_file_bytes: int = 200 * 2**20
    max_pixels: int = 150_000_000
    max_side: int = 30_000
    min_side: int = 16
    max_aspect: float = 20.0

    def __post_init__(self) -> None:
        for field in ("max_file_bytes", "max_pixels", "max_side", "min_side"):
            value = getattr(self, field)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{field} must be a positive integer, got {value!r}")
        if Image.MAX_IMAGE_PIXELS is not None and self.max_pixels > 2 * Image.MAX_IMAGE_PIXELS:
            raise ValueError(
                f"max_pixels must be at most {2 * Image.MAX_IMAGE_PIXELS} (twice PIL.Image.MAX_IMAGE_PIXELS), "
                f"got {self.max_pixels}"
            )
        if self.min_side > self.max_side:
            raise ValueError(f"min_side ({self.min_side}) must not exceed max_side ({self.max_side})")
        if not 1 <= self.max_aspect < math.inf:
            raise ValueError(f"max_aspect must be a finite number of at least 1, got {self.max_aspect!r}")

    def check_size(self, width: int, height: int, name: str) -> None:
        """Raise a `PhotoError` that calls the photo `name` if its size (pixels) lies outside the limits."""
        short, long = sorted((width, height))
        size = f"{name} is {width} x {height} pixels"
        if short < self.min_side:
            raise PhotoError(f"{size}: each side must have at least {self.min_side}.")
        if long > self.max_side:
            raise PhotoError(f"{size}: no side may have more than {self.max_side}, please make it smaller.")
        if width * height > self.max_pixels:
            raise PhotoError(
                f"{size}, {width * height / 1e6:.0f} megapixels: "
                f"at most {self.max_pixels / 1e6:g} are read, please make it smaller."
            )
        if long > self.max_aspect * short:
            raise PhotoError(
                f"{size}: the long side may be at most {self.max_aspect:g} times the short side, please crop it."
            )


_DEFAULT_LIMITS = DecodeLimits()


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo.

    Attributes:
        pixels: (height, width, 3), uint8, sRGB, upright, C-contiguous, read-only.
        full_size: Upright (width, height) of the file, pixels; larger than `pixels` after a reduced decode.
        format: "JPEG", "PNG", ..., or "array", "tensor", "PIL image".
        notes: Plain sentences on what was done ("transparent areas shown on white"); empty for most photos.
        extent: The part (left, top, right, bottom) of `pixels` that the photo fills, or None for all of it. A photo of
            4001 pixels, decoded at 1/4, fills 1000.25 of 1001 pixels; ignoring that would stretch it.
    """

    pixels: np.ndarray
    full_size: tuple[int, int]
    format: str
    notes: tuple[str, ...] = ()
    extent: tuple[float, float, float, float] | None = None

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or not self.pixels.flags.c_contiguous:
            raise ValueError(f"pixels must be C-contiguous uint8 (H, W, 3), got {self.pixels.dtype} {shape}")
        self.pixels.flags.writeable = False


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
        return _from_array(_array_from_tensor(source), "tensor", limits)
    if isinstance(source, np.ndarray):
        return _from_array(source, "array", limits)
    if isinstance(source, Image.Image):
        with _one_sentence("the PIL image"):
            return _from_image(source, "PIL image", "the PIL image", limits, None)
    data, name = _read(source, limits)
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


def _printable(path: object, fallback: str) -> str:
    """Return the last part of a path in a form that any terminal, log or page can show."""
    name = Path(path).name if isinstance(path, str | os.PathLike) else ""
    shown = "".join(character if character.isprintable() else "?" for character in name)
    return shown if len(shown) <= 80 else f"{shown[:60]}...{shown[-17:]}"  # the suffix stays


def _read(source: Any, limits: DecodeLimits) -> tuple[bytes, str]:
    """Return the content of a file and its printable name."""
    if isinstance(source, bytes | bytearray | memoryview):
        name = "the image data"
        data = bytes(source)
    elif isinstance(source, str | os.PathLike):
        name = _printable(source, "the path")
        data = _read_path(source, name, limits)
    elif hasattr(source, "read"):
        name = _printable(getattr(source, "name", None), "the file")
        try:
            if source.seekable():  # a second read of the same upload must not find it empty
                source.seek(0)
            data = source.read(limits.max_file_bytes + 1)
        except (OSError, ValueError) as error:
            raise PhotoError(f"{name} cannot be read: open it again.") from error
        if not isinstance(data, bytes):
            raise TypeError(f"a file must be opened in binary mode, its read() gave {type(data).__name__}")
    else:
        raise TypeError(
            "a photo must be a path, bytes, a binary file, a PIL image, a NumPy array or a tensor, "
            f"got {type(source).__name__}"
        )
    if not data:
        raise PhotoError(f"{name} is empty: copy or export it again.")
    if len(data) > limits.max_file_bytes:
        raise PhotoError(f"{name} is larger than {limits.max_file_bytes / 2**20:g} MiB, the limit for one photo.")
    return data, name


def _read_path(path: str | os.PathLike[str], name: str, limits: DecodeLimits) -> bytes:
    try:
        # Asked first: opening a pipe would wait for a writer for ever.
        kind = Path(path).stat().st_mode
        if stat.S_ISDIR(kind):
            raise PhotoError(f"{name} is a folder: expected a photo.")
        if not stat.S_ISREG(kind):
            raise PhotoError(f"{name} is not a regular file: expected a photo.")
        with Path(path).open("rb") as file:
            return file.read(limits.max_file_bytes + 1)
    except FileNotFoundError as error:
        raise PhotoError(f"{name} does not exist: check the path.") from error
    except PermissionError as error:
        raise PhotoError(f"{name} may not be read: its permissions forbid it.") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise PhotoError(f"{name} cannot be read: check the path and the disk.") from error


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
    if orientation in _UPRIGHT:  # a flip's enum value is 0 and would pass for nothing
        image = image.transpose(_UPRIGHT[orientation])
        full_size = full_size[::-1] if orientation >= 5 else full_size
    extent = _upright_extent(filled, image.size, orientation) if filled else None
    format_name = "JPEG" if format_name == "MPO" else format_name
    return Photo(np.asarray(image), full_size, format_name, (*notes, *colour_notes), extent)


def _upright_extent(
    filled: tuple[float, float], size: tuple[int, int], orientation: int
) -> tuple[float, float, float, float] | None:
    """Return the part of the upright image that is filled, given the size filled from the stored top left."""
    width, height = filled[::-1] if orientation in (5, 6, 7, 8) else filled
    if (width, height) == size:
        return None
    left = size[0] - width if orientation in (2, 3, 6, 7) else 0.0
    top = size[1] - height if orientation in (3, 4, 7, 8) else 0.0
    return left, top, left + width, top + height


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


def _array_from_tensor(tensor: torch.Tensor) -> np.ndarray:
    """Return a (3, H, W) or (1, 3, H, W) tensor as an array (H, W, 3)."""
    if tensor.dtype != torch.uint8 and not tensor.is_floating_point():
        raise TypeError(f"a tensor must be uint8, or floating point in [0, 1], got {tensor.dtype}")
    image = tensor.detach().cpu()
    if image.ndim == 4 and image.shape[0] == 1:
        image = image[0]
    if image.ndim != 3 or image.shape[0] != 3:
        raise PhotoError(
            f"the tensor has the shape {tuple(tensor.shape)}: expected (3, height, width) or (1, 3, height, width)."
        )
    if image.is_floating_point():
        image = image.float()  # NumPy knows no bfloat16
    return image.permute(1, 2, 0).numpy()


def _from_array(array: np.ndarray, format_name: str, limits: DecodeLimits) -> Photo:
    name = f"the {format_name}"
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] not in (3, 4)):
        raise PhotoError(
            f"{name} has the shape {array.shape}: expected (height, width), or (height, width, channels) "
            "with 1, 3 or 4 channels."
        )
    limits.check_size(array.shape[1], array.shape[0], name)
    notes: list[str] = []
    if array.dtype == np.uint16:
        array = reduce_uint16(array)
        notes.append("16 bits per channel reduced to 8")
    elif array.dtype == np.bool_:
        array = np.where(array, np.uint8(255), np.uint8(0))
    elif np.issubdtype(array.dtype, np.floating):
        array = reduce_unit_float(array, name)
    elif array.dtype != np.uint8:
        raise TypeError(f"an array must be uint8, uint16, bool, or floating point in [0, 1], got {array.dtype}")
    if array.ndim == 3 and array.shape[2] == 3:
        pixels = np.array(array, order="C")  # a copy: the caller's later changes must not reach the photo
    else:
        image, more_notes = to_srgb(Image.fromarray(np.ascontiguousarray(array)), "", name)
        pixels = np.asarray(image)
        notes += more_notes
    return Photo(pixels, (array.shape[1], array.shape[0]), format_name, tuple(notes))
