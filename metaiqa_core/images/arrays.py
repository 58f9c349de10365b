"""Photos from arrays and tensors."""

import sys
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from PIL import Image

from metaiqa_core.errors import PhotoError
from metaiqa_core.images.bands import srgb_picture
from metaiqa_core.images.colours import reduce_uint16, reduce_unit_float
from metaiqa_core.images.limits import DecodeLimits
from metaiqa_core.images.photo import Photo

if TYPE_CHECKING:  # whoever has a tensor has imported torch; a file's photo needs none
    import torch


def is_tensor(source: object) -> "TypeGuard[torch.Tensor]":
    """Return whether a source is a tensor of torch; where torch was never imported, there is none."""
    # While another thread imports torch, the module is there, but has no tensors yet.
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)
    return tensor is not None and isinstance(source, tensor)


def array_from_tensor(tensor: "torch.Tensor") -> np.ndarray:
    """Return a (3, H, W) or (1, 3, H, W) tensor as an array (H, W, 3)."""
    import torch

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


def photo_from_array(array: np.ndarray, format_name: str, limits: DecodeLimits) -> Photo:
    """Return an array as a photo."""
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
    picture: np.ndarray | Image.Image
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
        picture = np.array(array, order="C")  # a copy: the caller's later changes must not reach the photo
    else:
        picture, more_notes = srgb_picture(Image.fromarray(np.ascontiguousarray(array)), "", name)
        notes += more_notes
    return Photo(picture, (array.shape[1], array.shape[0]), format_name, tuple(notes))
