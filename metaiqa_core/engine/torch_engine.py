"""torch as an engine: for networks in memory, and wherever ONNX Runtime cannot run."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from metaiqa_core.models.evaluation_mode import evaluation_mode


class TorchEngine:
    """Runs the network itself, so that changes of its weights show at once.

    Args:
        network: (B, 3, H, W) RGB in [0, 1] -> unit scores (B,); its modes stay as they are.
        remark: Sentence for users; see `Engine`.
    """

    name = "torch"

    def __init__(self, network: nn.Module, remark: str = "") -> None:
        self._network = network.to(memory_format=torch.channels_last)
        self.remark = remark

    @property
    def threads(self) -> int:
        """Number of threads that torch computes with."""
        return torch.get_num_threads()

    @property
    def one_thread(self) -> None:
        """None: torch's number of threads is that of the process; see `Engine`."""
        return

    def unit_score(self, pixels: NDArray[np.uint8]) -> float:
        """Score one photo; see `Engine`."""
        return float(self.output(pixels).flat[0])

    def output(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's output for one photo; see `Engine`."""
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], dtype=np.float32)
        images = torch.from_numpy(planes).div_(255).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), evaluation_mode(self._network):
            return self._network(images).numpy()
