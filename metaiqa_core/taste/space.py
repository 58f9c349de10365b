"""Photos as the prior on tastes sees them: the general score, and the looks and features between which kernels compare.

Everything is centred on the person's own photos, and each block of numbers (the looks, each stage of the features) is
scaled so that a photo's squared distance from the mean is 1 on average: a block counts by what it says, not by how many
numbers it has.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LOOKS = 9
_LOOKS_DEVIATION = np.array([0.130, 0.082, 0.097, 0.064, 0.052, 0.052, 0.076, 0.078, 0.059])
"""Standard deviations of the looks over 930 photos of LIVE Challenge, seen at the default model's 512 pixels."""
_LEAST_DEVIATION = 0.03
"""Least deviation that general scores are divided by: three points of 100, below which differences mean little."""


@dataclass(frozen=True)
class Layout:
    """Layout of what a personal model's correction reads: general score, looks, and the features, stage by stage.

    Attributes:
        stages: Number of features of each stage.
        deviations: Typical deviation of each feature (P,), by which it is divided; all above 0.
    """

    stages: tuple[int, ...]
    deviations: tuple[float, ...]

    @property
    def width(self) -> int:
        """Number of values of a photo: 1 + 9 + P."""
        return 1 + LOOKS + sum(self.stages)


class TasteSpace:
    """Photos between which a person's ratings are carried over.

    Args:
        seen: (N, 1 + 9 + P): the numbers that a correction reads of each photo, see `models.personal.seen`.
        layout: Layout of these values.
    """

    def __init__(self, seen: NDArray[np.floating], layout: Layout) -> None:
        self.seen = np.asarray(seen, np.float64)
        self.centre = self.seen.mean(0)
        general = self.seen[:, 0]
        self.deviation = max(float(general.std()), _LEAST_DEVIATION)
        self.z: Array = (general - self.centre[0]) / self.deviation
        ends = np.cumsum([1, LOOKS, *layout.stages])
        self._blocks = [slice(start, end) for start, end in zip(ends, ends[1:], strict=False)]
        scale = np.concatenate([[1.0], _LOOKS_DEVIATION, layout.deviations])
        self._scaled = (self.seen - self.centre) / scale
        self._weights = np.zeros(len(scale))  # from scaled values to features of a kernel, squared
        for number, block in enumerate(self._blocks):
            size = float(np.square(self._scaled[:, block]).sum(1).mean())
            share = 1.0 if number == 0 else 1 / len(layout.stages)
            self._weights[block] = share / size if size > 1e-12 else 0.0
        self._scale = scale

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.seen)

    @cached_property
    def looks_kernel(self) -> Array:
        """Kernel of the looks (N, N)."""
        return self._kernel(self._blocks[:1])

    @cached_property
    def features_kernel(self) -> Array:
        """Kernel of the features (N, N), the mean over the stages."""
        return self._kernel(self._blocks[1:])

    def slopes(self, looks: Array, features: Array) -> Array:
        """Return the weights of the values that `seen` has, (1 + 9 + P), of functions of the two kernels.

        Args:
            looks: Coefficients (N,) of the looks' kernel at each photo.
            features: Coefficients (N,) of the features' kernel at each photo.
        """
        coefficients = np.empty((len(self), len(self._scale)))
        coefficients[:] = features[:, None]
        coefficients[:, self._blocks[0]] = looks[:, None]
        return (coefficients * self._scaled).sum(0) * self._weights / self._scale

    def _kernel(self, blocks: list[slice]) -> Array:
        columns = np.concatenate([np.arange(block.start, block.stop) for block in blocks])
        scaled = self._scaled[:, columns]
        return (scaled * self._weights[columns]) @ scaled.T
