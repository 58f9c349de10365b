"""Pillow's JPEG and JPEG2000 codecs on 8-bit pixels."""

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor


def as_uint8(images: Tensor) -> NDArray[np.uint8]:
    """Round one image (1, 3, H, W) in [0, 1] to (H, W, 3) uint8."""
    return (images[0] * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()


def as_tensor(pixels: NDArray[np.uint8], like: Tensor) -> Tensor:
    """Bring (H, W, 3) uint8 to (1, 3, H, W) in [0, 1] with the dtype and device of `like`."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].to(like) / 255


def encode(pixels: NDArray[np.uint8], container: str, **options: object) -> bytes:
    """Encode (H, W, 3) uint8 as `JPEG` or `JPEG2000` with Pillow's options."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, container, **options)
    return stream.getvalue()


def decode(stream: bytes) -> NDArray[np.uint8]:
    """Decode a stream of `encode` to (H, W, 3) uint8.

    Raises:
        OSError: If the stream is too damaged for the decoder.
    """
    with Image.open(io.BytesIO(stream), formats=("JPEG", "JPEG2000")) as image:
        return np.asarray(image.convert("RGB"))
