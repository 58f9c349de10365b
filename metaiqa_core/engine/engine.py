"""The interface of an engine."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """Runs one network, in evaluation mode; safe to share between threads.

    Attributes:
        name: Name of the engine, one of `ENGINES` but `auto`.
        remark: Sentence for users where this is not the engine that was wished for; empty otherwise.
    """

    name: str
    remark: str

    @property
    def threads(self) -> int:
        """Number of threads that compute one score."""

    @property
    def one_thread(self) -> "Engine | None":
        """The same engine with one thread for each score, or None where there is none such.

        Many photos side by side, a thread each, use all processors better than all threads on one photo after another.
        """

    def unit_score(self, pixels: NDArray[np.uint8]) -> float:
        """Score one photo.

        Args:
            pixels: The model's input, (H, W, 3) uint8 RGB, from 32 pixels a side.

        Returns:
            The network's output, about [0, 1]; the same bits for the same pixels on one machine. Of a network that
            gives several numbers, the first.
        """

    def output(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return all that the network gives for one photo: (1,) a score, or (1, P) several numbers.

        Args:
            pixels: The model's input, (H, W, 3) uint8 RGB.
        """
