"""The layer that makes a network's coarsest feature maps, and the photo pixels that each of their cells stands for."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain.replica import ScoreOf
from metaiqa_core.models.efficientnet_lite import SameConv2d


@dataclass(frozen=True, eq=False)
class FeatureLayer:
    """The layer that makes the coarsest feature maps of a network, the ones in front of the pooling.

    Attributes:
        module: Part of the twin whose output is the last stack of these maps.
        first: First of its sibling stages whose output is as coarse.
        stride: Step between two cells, input pixels, as (down, across).
        offset: Index of the input pixel at the centre of cell 0, as (down, across).
    """

    module: nn.Module
    first: nn.Module
    stride: tuple[float, float]
    offset: tuple[float, float]

    def at_input(self, cells: Tensor, size: tuple[int, int]) -> Tensor:
        """Interpolate values per cell (1, 1, h, w) linearly to the input's pixels (1, 1, H, W), size = (H, W).

        A cell's value belongs to the centre of its receptive field. That is not the centre of the H / h pixels of its
        share, which simple enlarging takes it for: in a ResNet the two differ by 15 pixels at the left and top.
        """
        positions = []
        for axis, length in enumerate(size):
            last = max(cells.shape[2 + axis] - 1, 1)
            pixel = torch.arange(length, dtype=cells.dtype, device=cells.device)
            positions.append((pixel - self.offset[axis]) / self.stride[axis] / last * 2 - 1)
        down, across = torch.meshgrid(positions[0], positions[1], indexing="ij")
        grid = torch.stack((across, down), dim=-1)[None]  # (1, H, W, 2)
        return F.grid_sample(cells, grid, mode="bilinear", padding_mode="border", align_corners=True)


def find_feature_layer(twin: ScoreOf, images: Tensor) -> FeatureLayer:
    """Find the last feature maps by running the network once.

    Args:
        twin: Twin of the network; hooks are removed again.
        images: (1, 3, H, W) in [0, 1].

    Raises:
        ExplanationError: If the network has no convolutional feature maps.
    """
    finished: dict[nn.Module, tuple[int, int]] = {}  # with the size of the output
    strided: dict[tuple[int, int], nn.Module] = {}  # by the size it reads: the branches of one step count once

    def note(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
            finished.pop(module, None)  # the latest comes last
            finished[module] = (output.shape[2], output.shape[3])
            if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) and isinstance(inputs[0], Tensor):
                height, width = inputs[0].shape[2:]
                if max(_pair(module.stride)) > 1:
                    strided.setdefault((height, width), module)

    hooks = [module.register_forward_hook(note) for module in twin.network.modules() if module is not twin.network]
    try:
        with torch.no_grad():
            twin(images)
    finally:
        for hook in hooks:
            hook.remove()
    if not any(isinstance(module, nn.Conv2d) for layer in finished for module in layer.modules()):
        raise ExplanationError(
            "Grad-CAM reads a network's last convolutional feature maps, and this one has none: choose another method, "
            "such as saliency."
        )
    stride, offset = np.ones(2), np.zeros(2)
    for size, module in strided.items():
        kernel = _pair(module.kernel_size)
        padding = module.padding_before(*size) if isinstance(module, SameConv2d) else _pair(module.padding)
        dilation = _pair(getattr(module, "dilation", 1))
        offset += stride * (np.multiply(dilation, np.subtract(kernel, 1)) / 2 - padding)
        stride *= _pair(module.stride)
    last = next(reversed(finished))
    siblings = next((list(parent.children()) for parent in twin.modules() if last in list(parent.children())), [last])
    first = next(stage for stage in siblings if finished.get(stage) == finished[last])
    return FeatureLayer(last, first, (stride[0], stride[1]), (offset[0], offset[1]))


def _pair(value: object) -> tuple[int, int]:
    first, second = value if isinstance(value, tuple) else (value, value)
    return int(first), int(second)
