"""Tensors kept in memory side by side, up to a number of bytes."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import torch
from torch import Tensor

Key = TypeVar("Key", bound=Hashable)

CACHE_BYTES = 6 * 2**30
"""Memory for photos, and as much again for feature maps, where nothing else is asked for."""
BLOCK_BYTES = 64 * 2**20
"""Memory that is asked for at a time."""


class TensorCache(Generic[Key]):
    """Tensors by key, kept while they fit into a number of bytes; those beyond are made again each time.

    They lie side by side in large blocks of memory. Kept where they were made, among the activations of a network that
    come and go, they would leave gaps between them that no activation fits into again: three times their own size.

    Args:
        capacity: Memory to fill, in bytes.
    """

    def __init__(self, capacity: int) -> None:
        self._free = capacity
        self._kept: dict[Key, Tensor] = {}
        self._block = torch.empty(0, dtype=torch.uint8)

    def get(self, key: Key, make: Callable[[], Tensor]) -> Tensor:
        """Return the tensor of a key; `make` is called where it is not kept."""
        if key in self._kept:
            return self._kept[key]
        tensor = make()
        if tensor.nbytes <= self._free:
            self._free -= tensor.nbytes
            tensor = self._kept[key] = self._copy(tensor)
        return tensor

    def _copy(self, tensor: Tensor) -> Tensor:
        """Copy a tensor into the block, with its memory layout."""
        if tensor.nbytes > len(self._block):
            with torch.inference_mode(False):  # a block from there could not be written to outside
                self._block = torch.empty(max(tensor.nbytes, BLOCK_BYTES), dtype=torch.uint8)
        strides = torch.empty_like(tensor, device="meta").stride()
        place = self._block[: tensor.nbytes].view(tensor.dtype).as_strided(tensor.shape, strides)
        self._block = self._block[-(-tensor.nbytes // 64) * 64 :]
        return place.copy_(tensor)
