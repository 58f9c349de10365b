"""The counterparts, in an ONNX graph, of the parts of the graph model: levels, quarters, edges and operators."""

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from metaiqa_core.engine.graph_builder import GraphBuilder
from metaiqa_core.models.distortion_graph.edges import (
    SMALLEST_DEGREE,
    EdgeFeatures,
    EdgeOperator,
    EdgesOfNodes,
    NodeOperator,
    edge_ends,
    edge_multiplicities,
    edge_numbers,
)
from metaiqa_core.models.distortion_graph.quarter_features import Quarters
from metaiqa_core.models.self_calibration import EnlargeTo


def _enlarged(builder: GraphBuilder, name: str, layer: EnlargeTo, maps: str, like: str) -> str:
    own, wanted = builder.add("Shape", [maps], end=2), builder.add("Shape", [like], start=2)
    sizes = builder.add("Concat", [own, wanted], axis=0)
    return builder.add(
        "Resize",
        [maps, "", "", sizes],
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )


def _quarters(builder: GraphBuilder, name: str, layer: Quarters, maps: str) -> str:
    halves = [_halves(builder, maps, axis) for axis in (2, 3)]
    statistics = []
    for top, bottom in halves[0]:
        rows = builder.add("Slice", [maps, top, bottom, builder.whole_numbers([2])])
        for left, right in halves[1]:
            part = builder.add("Slice", [rows, left, right, builder.whole_numbers([3])])
            statistics.append(_mean_and_deviation(builder, part))
    return _stacked(builder, statistics, 1)


def _halves(builder: GraphBuilder, maps: str, axis: int) -> list[tuple[str, str]]:
    """Return the beginning and the end of the two halves of a side; of an odd one, both have the middle."""
    side, one, two = builder.add("Shape", [maps], start=axis, end=axis + 1), *map(_number(builder), (1, 2))
    before = builder.add("Div", [side, two])
    return [(_number(builder)(0), builder.add("Div", [builder.add("Add", [side, one]), two])), (before, side)]


def _mean_and_deviation(builder: GraphBuilder, maps: str) -> str:
    axes = builder.whole_numbers([2, 3])
    centred = builder.add("Sub", [maps, builder.add("ReduceMean", [maps, axes])])
    variance = builder.add("ReduceMean", [builder.add("Mul", [centred, centred]), axes], keepdims=0)
    deviation = builder.add("Sqrt", [builder.add("Add", [variance, builder.constant(1e-6)])])
    return builder.add("Concat", [builder.add("ReduceMean", [maps, axes], keepdims=0), deviation], axis=1)


def _edge_features(builder: GraphBuilder, name: str, layer: EdgeFeatures, features: str, nodes: int) -> str:
    unit = _unit_length(builder, features)
    first, second = (builder.whole_numbers(ends) for ends in edge_ends(nodes))
    return builder.add("Mul", [builder.add("Gather", [unit, one], axis=1) for one in (first, second)])


def _edge_operator(builder: GraphBuilder, name: str, layer: EdgeOperator, edges: str, nodes: int) -> str:
    unit, counts = _unit_length(builder, edges), edge_multiplicities(nodes)
    similarity = builder.add("MatMul", [unit, builder.add("Transpose", [unit], perm=[0, 2, 1])])
    return _normalised(builder, builder.add("Mul", [similarity, builder.constant(counts)]), len(counts))


def _node_operator(builder: GraphBuilder, name: str, layer: NodeOperator, edges: str, nodes: int) -> str:
    means = builder.add("ReduceMean", [edges, builder.whole_numbers([2])], keepdims=0)
    weights = builder.add("Gather", [builder.add("Sigmoid", [means]), _square(builder, nodes)], axis=1)
    return _normalised(builder, weights, nodes)


def _edges_of_nodes(builder: GraphBuilder, name: str, layer: EdgesOfNodes, edges: str, nodes: int) -> tuple[str, str]:
    of_all = builder.add("Gather", [edges, _square(builder, nodes)], axis=1)
    means = builder.add("ReduceMean", [of_all, builder.whole_numbers([2])], keepdims=0)
    own = [edge_numbers(nodes)[place * nodes + place] for place in range(nodes)]
    return means, builder.add("Gather", [edges, builder.whole_numbers(own)], axis=1)


def _square(builder: GraphBuilder, nodes: int) -> str:
    return builder.constant(np.reshape(edge_numbers(nodes), (nodes, nodes)), np.int64)


def _normalised(builder: GraphBuilder, weights: str, size: int) -> str:
    """Return D^-1/2 (W + I) D^-1/2, where D are the sums of the absolute values of the rows of W, and 1."""
    one, axis = builder.constant(1.0), builder.whole_numbers([2])
    sums = builder.add("ReduceSum", [builder.add("Abs", [weights]), axis], keepdims=0)
    degrees = builder.add("Add", [sums, one])
    roots = builder.add("Sqrt", [builder.add("Max", [degrees, builder.constant(SMALLEST_DEGREE)])])
    rows = builder.add("Unsqueeze", [roots, axis])
    columns = builder.add("Unsqueeze", [roots, builder.whole_numbers([1])])
    whole = builder.add("Add", [weights, builder.constant(np.eye(size))])
    return builder.add("Div", [builder.add("Div", [whole, rows]), columns])


def _unit_length(builder: GraphBuilder, features: str) -> str:
    squares = builder.add("ReduceSum", [builder.add("Mul", [features, features]), builder.whole_numbers([-1])])
    return builder.add("Div", [features, builder.add("Sqrt", [builder.add("Add", [squares, builder.constant(1e-12)])])])


def _stacked(builder: GraphBuilder, parts: list[str], axis: int) -> str:
    number = builder.whole_numbers([axis])
    return builder.add("Concat", [builder.add("Unsqueeze", [part, number]) for part in parts], axis=axis)


def _number(builder: GraphBuilder) -> Callable[[int], str]:
    return lambda value: builder.whole_numbers([value])


GRAPH_MODEL_LAYERS: dict[type[nn.Module], Callable[..., Any]] = {
    EnlargeTo: _enlarged,
    Quarters: _quarters,
    EdgeFeatures: _edge_features,
    EdgeOperator: _edge_operator,
    NodeOperator: _node_operator,
    EdgesOfNodes: _edges_of_nodes,
}
"""The counterpart of each part: (builder, name, layer, names of inputs, numbers) -> name or names of the outputs."""
