"""All that learning moves in one vector, so that a snapshot, a displacement and an Adam step are single operations."""

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn

from metaiqa_core.models.regressor import Regressor


class FlatWeights:
    """The weights theta of a network as one vector; the network's own tensors become views of it.

    Args:
        network: Network whose weights that require a gradient are gathered, the backbone's first, then the head's.
        with_statistics: Whether the running statistics of batch normalisation belong to theta, after the weights.

    Attributes:
        values: (P,) float32: backbone, head, statistics. Writing to it changes the network.
        gradient: (Q,) float32, Q <= P: of backbone and head; backward passes add to it.
        head_from: Position in `values` at which the head's weights begin.
    """

    def __init__(self, network: Regressor, *, with_statistics: bool = False) -> None:
        self._network = network
        self._with_statistics = with_statistics
        backbone = [parameter for parameter in network.backbone.parameters() if parameter.requires_grad]
        weights = [*backbone, *network.head.parameters()]
        statistics = [getattr(module, name) for module, name in self._statistics()]
        device = weights[0].device
        self.head_from = sum(parameter.numel() for parameter in backbone)
        learned = sum(parameter.numel() for parameter in weights)
        self.values = torch.empty(learned + sum(tensor.numel() for tensor in statistics), device=device)
        self.gradient = torch.zeros(learned, device=device)

        start = 0
        for parameter in weights:
            view, slope = (_shaped_like(parameter, flat[start:]) for flat in (self.values, self.gradient))
            view.copy_(parameter.data)
            parameter.data, parameter.grad = view, slope
            start += parameter.numel()
        for module, name in self._statistics():
            tensor = getattr(module, name)
            view = _shaped_like(tensor, self.values[start:])
            setattr(module, name, view.copy_(tensor))
            start += tensor.numel()

    def release(self) -> None:
        """Give the network tensors of its own again, with the same values, and no gradients."""
        for parameter in self._network.parameters():
            parameter.data = parameter.data.clone()
            parameter.grad = None
        for module, name in self._statistics():
            setattr(module, name, getattr(module, name).clone())
            # Statistics that move like weights are no mean over batches: how many one process saw says nothing.
            cast(Tensor, module.num_batches_tracked).zero_()

    def _statistics(self) -> Iterator[tuple[nn.Module, str]]:
        for module in self._network.backbone.modules() if self._with_statistics else ():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                yield module, "running_mean"
                yield module, "running_var"


def _shaped_like(tensor: Tensor, flat: Tensor) -> Tensor:
    """Return the beginning of a vector as a view of a tensor's shape, channels last where that has four dimensions."""
    part = flat[: tensor.numel()]
    if tensor.dim() != 4:
        return part.view(tensor.shape)
    outputs, inputs, height, width = tensor.shape
    return part.view(outputs, height, width, inputs).permute(0, 3, 1, 2)
