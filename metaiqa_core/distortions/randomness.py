"""Random draws that depend on nothing but the seed: one stream per image, drawn on the CPU.

An image gets the same draws alone or in a batch, on a CPU or a GPU. The stream does not depend on the level, so the
five levels of a photo share their noise field, motion angle or patch positions and differ in strength alone.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


class RandomStreams:
    """One independent random generator per image of a batch.

    Args:
        seeds: One non-negative seed per image.
        purpose: Non-negative numbers that separate this use of the seeds from every other, such as the type's id.
        device: Device of the drawn tensors; the drawing itself happens on the CPU.
    """

    def __init__(self, seeds: Sequence[int], purpose: tuple[int, ...], device: torch.device) -> None:
        self._device = device
        self._generators = []
        for seed in seeds:
            state = np.random.SeedSequence([seed, *purpose]).generate_state(1, np.uint64)[0]
            self._generators.append(torch.Generator().manual_seed(int(state)))

    def __len__(self) -> int:
        return len(self._generators)

    def normal(self, *shape: int) -> Tensor:
        """Draw from N(0, 1): (B, *shape) float32."""
        return torch.stack([torch.randn(shape, generator=g) for g in self._generators]).to(self._device)

    def uniform(self, *shape: int) -> Tensor:
        """Draw from the uniform distribution on [0, 1): (B, *shape) float32."""
        return torch.stack([torch.rand(shape, generator=g) for g in self._generators]).to(self._device)

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Draw integers low <= n < high: (B, *shape) int64, on the CPU because they serve as indices."""
        return torch.stack([torch.randint(low, high, shape, generator=g) for g in self._generators])

    def permutation(self, length: int) -> Tensor:
        """Draw an order of 0 ... length - 1: (B, length) int64, on the CPU."""
        return torch.stack([torch.randperm(length, generator=g) for g in self._generators])
