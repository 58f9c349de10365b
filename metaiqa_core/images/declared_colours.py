"""The colour space of a picture without a profile, as its file declares it elsewhere.

PNG: cICP, gAMA and cHRM. AVIF and HEIC: nclx. TIFF: white point and primaries. BMP: endpoints and gamma. JPEG and
others: the mark of Adobe RGB that cameras leave in the EXIF data (DCF 2.0, "R03").
"""

import struct
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image

from metaiqa_core.images import colour_spaces, iso_boxes
from metaiqa_core.images.colour_spaces import ADOBE_RGB, ColourSpace
from metaiqa_core.images.png_chunks import PngChunks

_UNCALIBRATED, _ADOBE_RGB = 65535, 2
_TIFF_WHITE, _TIFF_PRIMARIES, _TIFF_TRANSFER = 318, 319, 301
_BMP_COLOUR, _BMP_CALIBRATED, _BMP_EMBEDDED = 70, 0, b"DEBM"

_INVALID = "the colours that the file declares are invalid: sRGB assumed"


@dataclass(frozen=True)
class DeclaredColours:
    """Colour description in a file.

    Attributes:
        space: The colour space, or None for sRGB.
        profile: An ICC profile that Pillow does not find by itself, or None.
        before_profile: Whether the colour space takes precedence over a profile.
        note: Sentence on a declaration that could not be understood; empty in nearly all cases.
    """

    space: ColourSpace | None = None
    profile: bytes | None = None
    before_profile: bool = False
    note: str = ""


def colours_of_png(chunks: PngChunks) -> DeclaredColours:
    """Return the colours that a PNG file declares; cICP precedes the profile, then come sRGB, then gAMA and cHRM.

    Args:
        chunks: Chunks of the file.
    """
    if chunks.code_points is not None:
        primaries, transfer, matrix, full_range = chunks.code_points
        declared = _from_code_points(primaries, transfer, narrow_range=not full_range)
        if matrix == 0 and not declared.note:
            return DeclaredColours(declared.space, chunks.profile, before_profile=True)
        if chunks.profile is None:
            return declared if declared.note else DeclaredColours(note=_INVALID)
    if chunks.profile is not None or chunks.is_srgb:
        return DeclaredColours(profile=chunks.profile)
    if chunks.gamma is None and chunks.chromaticities is None:
        return DeclaredColours(ADOBE_RGB if _is_adobe_rgb(chunks.exif) else None)
    space = colour_spaces.from_gamma_and_chromaticities(chunks.gamma, chunks.chromaticities)
    return DeclaredColours(space, note="" if space else _INVALID)


def colours_of(image: Image.Image, data: bytes) -> DeclaredColours:
    """Return the colours that a file of any format but PNG declares beside its profile.

    Args:
        image: Opened image, which need not be loaded.
        data: Content of the whole file.
    """
    if image.info.get("icc_profile"):
        return DeclaredColours()
    if image.format in ("AVIF", "HEIF"):
        code_points = iso_boxes.nclx_code_points(data)
        return _from_code_points(*code_points) if code_points else DeclaredColours()
    if image.format == "JPEG2000":
        return DeclaredColours(profile=iso_boxes.jpeg2000_profile(data))
    if image.format == "BMP":
        return _of_bmp(data)
    if image.format == "TIFF" and (space := _of_tiff(image)):
        return DeclaredColours(space)
    return DeclaredColours(ADOBE_RGB if _is_adobe_rgb(image.info.get("exif")) else None)


def _from_code_points(primaries: int, transfer: int, *, narrow_range: bool = False) -> DeclaredColours:
    try:
        return DeclaredColours(colour_spaces.from_code_points(primaries, transfer, narrow_range=narrow_range))
    except KeyError:
        return DeclaredColours(
            note=f"colours are coded in a way that is not known here (primaries {primaries}, curve {transfer}): "
            "sRGB assumed"
        )


def _is_adobe_rgb(data: bytes | None) -> bool:
    if not data:
        return False
    exif = Image.Exif()
    try:
        exif.load(data)
        colours = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
        if colours == _ADOBE_RGB:
            return True
        return colours == _UNCALIBRATED and str(exif.get_ifd(ExifTags.IFD.Interop).get(1, "")).startswith("R03")
    except Exception:  # damaged EXIF data say nothing about the colours
        return False


def _of_tiff(image: Image.Image) -> ColourSpace | None:
    tags = getattr(image, "tag_v2", {})
    white, primaries, table = (tags.get(tag) for tag in (_TIFF_WHITE, _TIFF_PRIMARIES, _TIFF_TRANSFER))
    if white is None or primaries is None or len(white) != 2 or len(primaries) != 6:
        return None
    try:
        space = colour_spaces.from_gamma_and_chromaticities(None, tuple(map(float, (*white, *primaries))))
    except (ArithmeticError, ValueError):
        return None
    if space is None or not isinstance(table, tuple) or len(table) not in (256, 768):
        return space
    curve = np.array(table[-256:]) / 65535
    return ColourSpace(
        space.name, space.chromaticities, lambda signal: np.interp(signal, np.linspace(0, 1, 256), curve)
    )


def _of_bmp(data: bytes) -> DeclaredColours:
    """Read the colours of a BITMAPV4HEADER or BITMAPV5HEADER."""
    size = int.from_bytes(data[14:18], "little")
    if size < 108 or len(data) < 14 + size:
        return DeclaredColours()
    kind = data[_BMP_COLOUR : _BMP_COLOUR + 4]
    if size >= 124 and kind == _BMP_EMBEDDED:
        offset, length = struct.unpack_from("<2I", data, 14 + 112)
        return DeclaredColours(profile=data[14 + offset : 14 + offset + length] or None)
    if int.from_bytes(kind, "little") != _BMP_CALIBRATED:
        return DeclaredColours()
    endpoints = np.array(struct.unpack_from("<9I", data, 74)).reshape(3, 3) / 2**30  # XYZ of red, green and blue
    gammas = np.array(struct.unpack_from("<3I", data, 110)) / 2**16
    if (endpoints.sum(axis=1) <= 0).any() or not 0.1 <= gammas.mean() <= 10:
        return DeclaredColours()
    white = endpoints.sum(axis=0)
    places = [value for xyz in (white, *endpoints) for value in (xyz / xyz.sum())[:2]]
    return DeclaredColours(colour_spaces.from_gamma_and_chromaticities(1 / float(gammas.mean()), tuple(places)))
