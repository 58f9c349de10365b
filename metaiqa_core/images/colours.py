"""Conversion of any Pillow image to 8-bit sRGB on white, with a plain sentence for each step that was visible."""

import io
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

from metaiqa_core.errors import PhotoError
from metaiqa_core.images.colour_spaces import ColourSpace
from metaiqa_core.images.declared_colours import DeclaredColours

_MAXIMUM_PROFILE_BYTES = 8 * 2**20
BRIGHTER = ", {:.0%} of it brighter than white and cut off"
"""Part of a note that is only written when the share of the whole picture is known."""
_SAME_COLOUR = 2
"""A profile that moves no colour by more than this many of 255 levels is sRGB under another name."""
_PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def reduce_uint16(values: np.ndarray) -> np.ndarray:
    """Reduce 16-bit values to 8 bits: round(value / 257), so that 65535 becomes 255.

    The usual shift by eight bits would darken by up to one level.

    Args:
        values: Values of any shape, uint16, in [0, 65535].

    Returns:
        Values of the same shape, uint8. Exact for every value, and without a wider intermediate.
    """
    return ((np.minimum(values, 65407) + 128) // 257).astype(np.uint8)  # 65407 + 128 is the largest uint16


_ROUNDING = 1e-3
"""Tolerance beyond [0, 1] for the rounding of single and half precision; less than half of one of 255 steps."""


def reduce_unit_float(values: np.ndarray, name: str) -> np.ndarray:
    """Reduce floating-point values in [0, 1] to 8 bits by rounding; values a hair outside are clipped.

    Raises:
        PhotoError: If a value is not finite or lies outside [0, 1]: without a known white there is no picture.
    """
    low, high = float(values.min()), float(values.max())  # NaN propagates into both
    if not (low >= -_ROUNDING and high <= 1.0 + _ROUNDING):
        found = f"from {low:.7g} to {high:.7g}" if np.isfinite((low, high)).all() else "that are not finite"
        raise PhotoError(f"{name} holds floating-point values {found}: expected 0 to 1, please rescale it.")
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


class Converted(NamedTuple):
    """A converted picture.

    Attributes:
        image: The picture, mode RGB, sRGB.
        notes: A sentence for each visible thing that was done; `BRIGHTER` stands where a share is to be written.
        brighter: Share of values, in [0, 1], that were brighter than white and are cut off.
    """

    image: Image.Image
    notes: tuple[str, ...]
    brighter: float = 0.0


def to_srgb(
    image: Image.Image, raw_mode: str, name: str, declared: DeclaredColours, white_is_zero: bool = False
) -> Converted:
    """Convert a loaded image to RGB, 8 bits a channel, sRGB, transparent areas shown on white.

    Args:
        image: Loaded Pillow image of any mode; it is not modified.
        raw_mode: Pillow's name of the layout in the file ("RGB;16B"), empty when unknown.
        name: Name of the photo in messages.
        declared: Colour description of the file, beside Pillow's `icc_profile`.
        white_is_zero: Whether 16-bit values count from white (PhotometricInterpretation 0 of a TIFF file).

    Raises:
        PhotoError: If the values have no defined white (32-bit integers, floats outside [0, 1]).
    """
    notes: list[str] = []
    profile = image.info.get("icc_profile") if declared.profile is None else declared.profile
    transparent = _transparent_value(image, raw_mode)
    if ";16" in raw_mode or ";12" in raw_mode or image.mode.startswith("I;16"):
        notes.append(f"{12 if ';12' in raw_mode else 16} bits per channel reduced to 8")
    opacity: Image.Image | None = None
    if image.mode.startswith("I;16"):
        image, opacity = _grey_from_uint16(
            image, transparent, twelve_bits=";12" in raw_mode, white_is_zero=white_is_zero
        )
    elif image.mode == "F":
        image = Image.fromarray(reduce_unit_float(np.asarray(image), name))
        notes.append("floating-point values from 0 to 1 reduced to 8 bits")
    elif image.mode == "I":
        raise PhotoError(
            f"{name} holds 32-bit or signed integers, whose white is not defined: save it with 8 or 16 bits a channel."
        )
    elif image.has_transparency_data:
        if transparent != image.info.get("transparency"):
            image = image.copy()
            image.info["transparency"] = transparent
        rgba = image.convert("LA" if image.mode in ("LA", "La") else "RGBA")
        opacity = rgba.getchannel("A")
        image = rgba.convert("L" if rgba.mode == "LA" else "RGB")
    image = _in_mode(image, {"1": "L", "L": "L", "CMYK": "CMYK", "LAB": "LAB"}.get(image.mode, "RGB"))

    image, colour_note, brighter = _colours_to_srgb(image, profile if isinstance(profile, bytes) else None, declared)
    notes += [note for note in (colour_note, declared.note) if note]
    if opacity is not None and opacity.getextrema()[0] != 255:
        white = Image.new("RGB", image.size, (255, 255, 255))
        white.paste(image, mask=opacity)
        image = white
        notes.append("transparent areas shown on white")
    return Converted(image, tuple(notes), brighter)


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Convert an image to a mode, without the copy that Pillow makes where it has the mode already."""
    return image if image.mode == mode else image.convert(mode)


def _transparent_value(image: Image.Image, raw_mode: str) -> object:
    """Return the transparent colour in the units of the pixels; a PNG gives it in the file's own bit depth."""
    value = image.info.get("transparency")
    if raw_mode == "RGB;16B" and isinstance(value, tuple):
        return tuple(channel >> 8 for channel in value)
    if raw_mode in ("L;2", "L;4") and isinstance(value, int):
        return value * {"L;2": 85, "L;4": 17}[raw_mode]
    return value


def _grey_from_uint16(
    image: Image.Image, transparent: object, *, twelve_bits: bool, white_is_zero: bool
) -> tuple[Image.Image, Image.Image | None]:
    values: np.ndarray = np.asarray(image).astype(np.uint16, copy=False)
    if twelve_bits:
        values = (values << 4) | (values >> 8)
    if white_is_zero:  # Pillow honours that up to 8 bits only
        values = ~values
    opacity = None
    if isinstance(transparent, int):
        opacity = Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))
    return Image.fromarray(reduce_uint16(values)), opacity


def _colours_to_srgb(
    image: Image.Image, profile_bytes: bytes | None, declared: DeclaredColours
) -> tuple[Image.Image, str | None, float]:
    """Return `image` (L, RGB, CMYK or LAB) in sRGB, a note unless nothing had to be done, and the share cut off."""
    if image.mode == "LAB":
        profile_bytes = None  # the encoding itself says which colour it is
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        converted = ImageCms.applyTransform(image, _transform(lab, "LAB"))
        return converted, "CIELAB converted to sRGB", 0.0  # type: ignore[return-value]
    note = None
    if declared.before_profile:
        profile_bytes = None
    if profile_bytes is not None:
        try:
            return *_apply_profile(image, profile_bytes), 0.0
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            note = "colour profile is damaged or does not fit: sRGB assumed"
    if image.mode == "CMYK":
        note = "CMYK without a usable colour profile converted to RGB by the plain formula"
    elif declared.space is not None and note is None and not declared.space.is_srgb():
        return _space_to_srgb(image, declared.space)
    return _in_mode(image, "RGB"), note, 0.0


def _space_to_srgb(image: Image.Image, space: ColourSpace) -> tuple[Image.Image, str, float]:
    converted, brighter = space.to_srgb(np.asarray(image))
    note = f"colours converted from {space.name} to sRGB{BRIGHTER}"
    return _in_mode(Image.fromarray(converted), "RGB"), note, brighter


def _apply_profile(image: Image.Image, profile_bytes: bytes) -> tuple[Image.Image, str | None]:
    if len(profile_bytes) > _MAXIMUM_PROFILE_BYTES:
        raise ValueError("the colour profile is implausibly large")
    profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_bytes))
    mode = _PROFILE_MODES.get(profile.profile.xcolor_space.strip())
    if image.mode == "L" and mode == "RGB":
        image = image.convert("RGB")
    if image.mode != mode:
        raise ValueError(f"a profile for {mode} in a picture of mode {image.mode}")
    transform = _transform(profile, mode)
    if mode != "CMYK":
        probe = _probe(mode)
        shown = ImageCms.applyTransform(probe, transform)
        change = np.abs(np.asarray(probe.convert("RGB"), np.int16) - np.asarray(shown, np.int16)).max()
        if change <= _SAME_COLOUR:
            return _in_mode(image, "RGB"), None
    description = "".join(c for c in ImageCms.getProfileDescription(profile) if c.isprintable()).strip()[:60]
    converted = ImageCms.applyTransform(image, transform)
    return converted, f"colours converted from {description or 'an unnamed profile'} to sRGB"  # type: ignore[return-value]


def _transform(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _probe(mode: str) -> Image.Image:
    """Return a small image of mode L or RGB that holds all greys, or 9 x 9 x 9 colours."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3))
