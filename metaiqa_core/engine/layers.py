"""The counterparts, in a graph, of the layers and operations that networks are made of."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torchvision.models.convnext import LayerNorm2d
from torchvision.models.shufflenetv2 import channel_shuffle
from torchvision.ops import Permute, StochasticDepth

from metaiqa_core.engine.graph_builder import GraphBuilder
from metaiqa_core.engine.graph_model_layers import GRAPH_MODEL_LAYERS
from metaiqa_core.engine.tone_layers import TONE_LAYERS
from metaiqa_core.errors import EngineError
from metaiqa_core.models.efficientnet_lite import SameConv2d
from metaiqa_core.models.kernel_head import Gaussians, Mixture
from metaiqa_core.models.spread import Spread

CHANNELS = 1
"""Axis of the channels in maps (B, C, H, W)."""


def _convolution(builder: GraphBuilder, name: str, layer: nn.Conv2d, maps: str) -> str:
    if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        raise EngineError(f"{name} pads in a way that has no counterpart in a graph.")
    vertical, horizontal = layer.padding
    return _convolved(builder, name, layer, maps, pads=[vertical, horizontal, vertical, horizontal])


def _same_convolution(builder: GraphBuilder, name: str, layer: SameConv2d, maps: str) -> str:
    return _convolved(builder, name, layer, maps, auto_pad="SAME_UPPER")


def _convolved(builder: GraphBuilder, name: str, layer: nn.Conv2d, maps: str, **padding: Any) -> str:
    return builder.add(
        "Conv",
        [maps, *_weights(builder, name, layer, "weight", "bias")],
        strides=list(layer.stride),
        dilations=list(layer.dilation),
        group=layer.groups,
        kernel_shape=list(layer.kernel_size),
        **padding,
    )


def _batch_norm(builder: GraphBuilder, name: str, layer: nn.BatchNorm2d | nn.BatchNorm1d, maps: str) -> str:
    parameters = _weights(builder, name, layer, "weight", "bias", "running_mean", "running_var")
    return builder.add("BatchNormalization", [maps, *parameters], epsilon=layer.eps)


def _layer_norm(builder: GraphBuilder, name: str, layer: nn.LayerNorm, maps: str) -> str:
    parameters = _weights(builder, name, layer, "weight", "bias")
    return builder.add("LayerNormalization", [maps, *parameters], axis=-len(layer.normalized_shape), epsilon=layer.eps)


def _layer_norm_of_channels(builder: GraphBuilder, name: str, layer: LayerNorm2d, maps: str) -> str:
    last = builder.add("Transpose", [maps], perm=[0, 2, 3, 1])
    return builder.add("Transpose", [_layer_norm(builder, name, layer, last)], perm=[0, 3, 1, 2])


def _linear(builder: GraphBuilder, name: str, layer: nn.Linear, values: str) -> str:
    weight, *bias = _weights(builder, name, layer, "weight", "bias")
    product = builder.add("MatMul", [values, builder.add("Transpose", [weight], perm=[1, 0])])
    return builder.add("Add", [product, *bias]) if bias else product


def _prelu(builder: GraphBuilder, name: str, layer: nn.PReLU, values: str) -> str:
    if layer.num_parameters != 1:
        raise EngineError(f"{name} has a slope for each channel, which has no counterpart in a graph.")
    return builder.add("PRelu", [values, *_weights(builder, name, layer, "weight")])


def _relu6(builder: GraphBuilder, name: str, layer: nn.Module, maps: str) -> str:
    return builder.add("Clip", [maps, builder.constant(0.0), builder.constant(6.0)])


def _hard_sigmoid(builder: GraphBuilder, name: str, layer: nn.Module, maps: str) -> str:
    return builder.add("HardSigmoid", [maps], alpha=1 / 6, beta=0.5)


def _silu(builder: GraphBuilder, name: str, layer: nn.Module, maps: str) -> str:
    return builder.add("Mul", [maps, builder.add("Sigmoid", [maps])])


def _softplus(builder: GraphBuilder, name: str, layer: nn.Softplus, values: str) -> str:
    if layer.beta != 1:
        raise EngineError(f"{name} has a beta other than 1, which has no counterpart in a graph.")
    return builder.add("Softplus", [values])


def _gelu(builder: GraphBuilder, name: str, layer: nn.GELU, maps: str) -> str:
    return builder.add("Gelu", [maps], approximate=layer.approximate)


def _unary(operator_name: str) -> Callable[..., str]:
    """Return the translation of a layer without weights and settings."""

    def translated(builder: GraphBuilder, name: str, layer: nn.Module, values: str) -> str:
        return builder.add(operator_name, [values])

    return translated


def _nothing(builder: GraphBuilder, name: str, layer: nn.Module, values: str) -> str:
    return values  # dropout and the like do nothing in evaluation mode


def _pooled(operator_name: str, **attributes: Any) -> Callable[..., str]:
    """Return the translation of a pooling layer."""

    def translated(builder: GraphBuilder, name: str, layer: Any, maps: str) -> str:
        kernel, stride, padding = (_pair(side) for side in (layer.kernel_size, layer.stride, layer.padding))
        if getattr(layer, "dilation", 1) not in (1, (1, 1)) or (layer.ceil_mode and any(padding)):
            raise EngineError(f"{name} pools in a way that has no counterpart in a graph.")
        incomplete = {"ceil_mode": 1} if layer.ceil_mode else {}
        pads = [*padding, *padding]
        return builder.add(
            operator_name, [maps], kernel_shape=kernel, strides=stride, pads=pads, **attributes | incomplete
        )

    return translated


def _averaged(builder: GraphBuilder, name: str, layer: nn.AvgPool2d, maps: str) -> str:
    # Without padding there is none to count, and incomplete windows are averages of what they hold.
    return _pooled("AveragePool", count_include_pad=int(not layer.ceil_mode))(builder, name, layer, maps)


def _global_mean(builder: GraphBuilder, name: str, layer: nn.AdaptiveAvgPool2d, maps: str) -> str:
    if layer.output_size not in (1, (1, 1)):
        raise EngineError(f"{name} pools to more than one value, which has no counterpart in a graph.")
    return builder.add("GlobalAveragePool", [maps])


def _spread(builder: GraphBuilder, name: str, layer: Spread, maps: str) -> str:
    axes = builder.whole_numbers([2, 3])
    centred = builder.add("Sub", [maps, builder.add("ReduceMean", [maps, axes])])
    variance = builder.add("ReduceMean", [builder.add("Mul", [centred, centred]), axes], keepdims=0)
    return builder.add("Sqrt", [builder.add("Add", [variance, builder.constant(1e-6)])])


def _gaussians(builder: GraphBuilder, name: str, layer: Gaussians, features: str) -> str:
    centres, width = _weights(builder, name, layer, "centres", "width")
    one, two = builder.whole_numbers([1]), builder.constant(2.0)
    if layer.first is not None:
        ends = [builder.whole_numbers([end]) for end in (layer.first, layer.first + layer.centres.shape[1])]
        features = builder.add("Slice", [features, *ends, one])
    square = builder.add("ReduceSum", [builder.add("Mul", [features, features]), one])  # (B, 1)
    of_centres = builder.add("ReduceSum", [builder.add("Mul", [centres, centres]), one], keepdims=0)
    product = builder.add("MatMul", [features, builder.add("Transpose", [centres], perm=[1, 0])])
    distance = builder.add("Sub", [builder.add("Add", [square, of_centres]), builder.add("Mul", [two, product])])
    scale = builder.add("Mul", [two, builder.add("Mul", [width, width])])
    return builder.add("Exp", [builder.add("Neg", [builder.add("Div", [builder.add("Relu", [distance]), scale])])])


def _mixture(builder: GraphBuilder, name: str, layer: Mixture, parts: str) -> str:
    axis = builder.whole_numbers([1])

    def columns(first: int, last: int) -> str:
        return builder.add("Slice", [parts, builder.whole_numbers([first]), builder.whole_numbers([last]), axis])

    weights = builder.add("Softmax", [columns(layer.studies, 2 * layer.studies)], axis=1)
    return builder.add("ReduceSum", [builder.add("Mul", [columns(0, layer.studies), weights]), axis], keepdims=1)


def _permute(builder: GraphBuilder, name: str, layer: Permute, maps: str) -> str:
    return builder.add("Transpose", [maps], perm=list(layer.dims))


MODULES: dict[type[nn.Module], Callable[..., Any]] = {
    nn.Conv2d: _convolution,
    SameConv2d: _same_convolution,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.LayerNorm: _layer_norm,
    LayerNorm2d: _layer_norm_of_channels,
    nn.Linear: _linear,
    nn.PReLU: _prelu,
    nn.ReLU: _unary("Relu"),
    nn.ReLU6: _relu6,
    nn.Sigmoid: _unary("Sigmoid"),
    nn.Softplus: _softplus,
    nn.Hardsigmoid: _hard_sigmoid,
    nn.Hardswish: _unary("HardSwish"),
    nn.SiLU: _silu,
    nn.GELU: _gelu,
    nn.MaxPool2d: _pooled("MaxPool"),
    nn.AvgPool2d: _averaged,
    nn.AdaptiveAvgPool2d: _global_mean,
    nn.Identity: _nothing,
    nn.Dropout: _nothing,
    StochasticDepth: _nothing,
    Gaussians: _gaussians,
    Mixture: _mixture,
    Permute: _permute,
    Spread: _spread,
    **TONE_LAYERS,
    **GRAPH_MODEL_LAYERS,
}
"""The counterpart of each kind of layer: (builder, name, layer, names of inputs) -> name of the output."""


def _binary(operator_name: str) -> Callable[..., str]:
    """Return the translation of arithmetic on two values, one of which may be a number."""

    def translated(builder: GraphBuilder, one: str | float, other: str | float) -> str:
        names = [value if isinstance(value, str) else builder.constant(value) for value in (one, other)]
        return builder.add(operator_name, names)

    return translated


def _mean(builder: GraphBuilder, maps: str, axes: int | Sequence[int], keepdim: bool = False) -> str:
    numbers = [axes] if isinstance(axes, int) else axes
    return builder.add("ReduceMean", [maps, builder.whole_numbers(numbers)], keepdims=int(keepdim))


def _concatenated(builder: GraphBuilder, parts: Sequence[str], dim: int = 0) -> str:
    return builder.add("Concat", list(parts), axis=dim)


def _chunks(builder: GraphBuilder, maps: str, chunks: int, dim: int = 0) -> list[str]:
    return builder.add_split(maps, chunks, dim)


def _item(builder: GraphBuilder, parts: Sequence[str], place: int) -> str:
    return parts[place]


def _flattened(builder: GraphBuilder, maps: str, start_dim: int = 0) -> str:
    return builder.add("Flatten", [maps], axis=start_dim)


def _squeezed(builder: GraphBuilder, values: str, dim: int) -> str:
    return builder.add("Squeeze", [values, builder.whole_numbers([dim])])


def _same(builder: GraphBuilder, values: str, *_: str) -> str:
    return values


def _shuffled(builder: GraphBuilder, maps: str, groups: int) -> str:
    size = builder.add("Shape", [maps])
    axis = builder.whole_numbers([CHANNELS + 1])
    parts = [builder.add("Unsqueeze", [part, axis]) for part in builder.add_split(maps, groups, CHANNELS)]
    return builder.add("Reshape", [builder.add("Concat", parts, axis=CHANNELS + 1), size])


OPERATIONS: dict[Any, Callable[..., Any]] = {
    operator.add: _binary("Add"),
    operator.iadd: _binary("Add"),
    operator.sub: _binary("Sub"),
    operator.mul: _binary("Mul"),
    operator.truediv: _binary("Div"),
    operator.matmul: _binary("MatMul"),
    operator.getitem: _item,
    torch.cat: _concatenated,
    torch.flatten: _flattened,
    channel_shuffle: _shuffled,
    "chunk": _chunks,
    "mean": _mean,
    "squeeze": _squeezed,
    "view_as": _same,
}
"""The counterpart of each function, and of each method by its name."""


def _weights(builder: GraphBuilder, name: str, layer: nn.Module, *attributes: str) -> list[str]:
    """Name those of a layer's tensors that it has."""
    found = {attribute: getattr(layer, attribute) for attribute in attributes}
    return [builder.tensor(f"{name}.{attribute}", value) for attribute, value in found.items() if value is not None]


def _pair(side: int | Sequence[int]) -> list[int]:
    return [side, side] if isinstance(side, int) else list(side)
