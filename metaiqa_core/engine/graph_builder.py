"""Nodes and tensors of a graph in the making."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

WEIGHTS = "weights"
"""What a graph calls the file of its weights; whoever runs it hands them over."""


class GraphBuilder:
    """Collects nodes and the tensors that they need.

    Args:
        weights: State dict of the network: these tensors are named, not stored.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor]) -> None:
        self.nodes: list[NodeProto] = []
        self._weights = weights
        self._tensors: dict[str, TensorProto] = {}
        self._count = 0

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the weights that were asked for."""
        return tuple(name for name in self._tensors if name in self._weights)

    @property
    def tensors(self) -> list[TensorProto]:
        """Weights, without their values, and constants."""
        return list(self._tensors.values())

    def add(self, operator: str, inputs: Sequence[str], *, output: str = "", **attributes: Any) -> str:
        """Add a node of one output, and return the output's name."""
        return self.add_many(operator, inputs, [output or self._fresh(operator)], **attributes)[0]

    def add_split(self, maps: str, parts: int, axis: int) -> list[str]:
        """Add a node that splits a tensor into equal parts, and return their names."""
        names = [self._fresh("Split") for _ in range(parts)]
        return self.add_many("Split", [maps], names, axis=axis, num_outputs=parts)

    def add_many(self, operator: str, inputs: Sequence[str], outputs: list[str], **attributes: Any) -> list[str]:
        """Add a node, and return its outputs' names."""
        self.nodes.append(helper.make_node(operator, list(inputs), outputs, **attributes))
        return outputs

    def tensor(self, name: str, value: torch.Tensor) -> str:
        """Name a tensor of the network: a weight, or a constant that its state dict leaves out."""
        if name not in self._tensors:
            is_weight = name in self._weights
            tensor = _external(name, value) if is_weight else numpy_helper.from_array(value.detach().numpy(), name)
            self._tensors[name] = tensor
        return name

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        """Store a constant, and return its name."""
        array: NDArray[Any] = np.asarray(value, dtype)
        name = f"constant {array.dtype} {array.tolist()}"
        self._tensors.setdefault(name, numpy_helper.from_array(array, name))
        return name

    def whole_numbers(self, values: Sequence[int]) -> str:
        """Store whole numbers, such as axes, and return their name."""
        return self.constant(list(values), np.int64)

    def _fresh(self, operator: str) -> str:
        self._count += 1
        return f"{operator.lower()} {self._count}"


def _external(name: str, value: torch.Tensor) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=value.shape)
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", WEIGHTS
    return tensor
