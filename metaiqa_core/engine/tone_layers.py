"""The counterparts, in an ONNX graph, of the layers that say how near the light and colours of a photo are to tones."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from metaiqa_core.engine.graph_builder import GraphBuilder
from metaiqa_core.models.distortion_graph.quarter_features import ToneBins
from metaiqa_core.models.tones import AVERAGED, ToneMaps


def _tone_bins(builder: GraphBuilder, name: str, layer: ToneBins, images: str) -> str:
    small, axis = _averaged(builder, images, 2), builder.whole_numbers([1])
    light = builder.add("ReduceMean", [small, axis])
    spread = builder.add("Sub", [builder.add("ReduceMax", [small, axis]), builder.add("ReduceMin", [small, axis])])
    channels = builder.add("Concat", [small, light, spread], axis=1)
    return _nearness(builder, channels, small, layer.centres.numpy())


def _tone_maps(builder: GraphBuilder, name: str, layer: ToneMaps, images: str) -> str:
    small = _averaged(builder, images, AVERAGED)
    light = builder.add("ReduceMean", [small, builder.whole_numbers([1])])
    channels = builder.add("Concat", [small, light], axis=1)
    return _nearness(builder, channels, small, layer.knots[1:-1].numpy())


def _averaged(builder: GraphBuilder, images: str, side: int) -> str:
    return builder.add("AveragePool", [images], kernel_shape=[side, side], strides=[side, side])


def _nearness(builder: GraphBuilder, channels: str, like: str, tones: NDArray[np.float32]) -> str:
    """Return max(0, 1 - |x - c| (n - 1)) for each of n tones c of each channel, in maps of the size of others."""
    centres = builder.constant(tones.reshape(1, 1, -1, 1, 1))
    apart = builder.add("Sub", [builder.add("Unsqueeze", [channels, builder.whole_numbers([2])]), centres])
    distances = builder.add("Mul", [builder.add("Abs", [apart]), builder.constant(float(len(tones) - 1))])
    near = builder.add("Relu", [builder.add("Sub", [builder.constant(1.0), distances])])
    size = [builder.add("Shape", [like], end=1), builder.whole_numbers([-1]), builder.add("Shape", [like], start=2)]
    return builder.add("Reshape", [near, builder.add("Concat", size, axis=0)])


TONE_LAYERS: dict[type[nn.Module], Callable[..., Any]] = {ToneBins: _tone_bins, ToneMaps: _tone_maps}
"""The counterpart of each layer: (builder, name, layer, name of the images) -> name of the output."""
