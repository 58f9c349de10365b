"""The one encoder of pixels as PNG."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image, PngImagePlugin


def png(picture: Image.Image | np.ndarray, *, compression: int = 1, texts: Mapping[str, str] | None = None) -> bytes:
    """Return a picture as a PNG file; nothing of it is lost.

    Args:
        picture: An image, or pixels (height, width, 3) or (height, width), uint8.
        compression: Effort of zlib, 0 to 9. 1 is fast, 6 is zlib's own choice.
        texts: Keyword -> text, kept in the file as iTXt chunks.
    """
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    notes = PngImagePlugin.PngInfo()
    for keyword, text in (texts or {}).items():
        notes.add_itxt(keyword, text)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=compression, pnginfo=notes)
    return buffer.getvalue()
