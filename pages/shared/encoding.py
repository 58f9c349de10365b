"""Pictures as files in memory, and files as addresses that a browser shows without asking anybody."""

import base64
import io

import numpy as np
from PIL import Image


def png(picture: Image.Image | np.ndarray) -> bytes:
    """Return a picture as PNG, packed fast rather than small; nothing of it is lost.

    Args:
        picture: An image, or pixels (height, width, 3), uint8.
    """
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def jpeg(image: Image.Image, quality: int) -> bytes:
    """Return an image as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def data_uri(content: bytes, kind: str = "jpeg") -> str:
    """Return a picture's file as a data URI.

    Args:
        content: The file.
        kind: Format of the file: `jpeg` or `png`.
    """
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
