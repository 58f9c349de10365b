"""Pictures as files in memory, and files as data URIs, which a browser shows without a request."""

import base64
import io

from PIL import Image


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
