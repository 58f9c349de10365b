"""The graph of a network: what it computes, without the weights that it computes it with.

ONNX Runtime runs a graph about twice as fast as torch runs the network, and starts without torch. A graph depends on
the architecture alone: it names its weights as the network's own state dict does, so that a model's file stays the one
place of them, and all models of an architecture share one small graph.

Note:
    torch's own exporter folds weights into its graphs (batch normalisation, biases that are zero), so that such a graph
    serves one model only; it also pads in an operation of its own where TensorFlow's padding is asymmetric.
"""

from typing import Any

from onnx import TensorProto, helper
from torch import fx, nn
from torchvision.models.shufflenetv2 import channel_shuffle

from metaiqa_core.engine import layers
from metaiqa_core.engine.graph_builder import GraphBuilder
from metaiqa_core.engine.stored_graph import Graph
from metaiqa_core.errors import EngineError

INPUT, OUTPUT = "pixels", "output"
OPSET = 20


def export_graph(network: nn.Module) -> Graph:
    """Return the graph of a network.

    Args:
        network: (B, 3, H, W) RGB in [0, 1] -> unit scores (B,), or features (B, P), on the CPU. Only its architecture
            matters.

    Returns:
        From `pixels`, (1, H, W, 3) uint8 of any size, to `output`, float32. The weights are external tensors with the
        names of the network's state dict.

    Raises:
        EngineError: If the network has a layer or an operation that has no counterpart here.
    """
    traced = _trace(network)
    builder = GraphBuilder(network.state_dict())
    pixels = builder.add("Cast", [INPUT], to=TensorProto.FLOAT)
    planes = builder.add("Transpose", [pixels], perm=[0, 3, 1, 2])
    images = builder.add("Div", [planes, builder.constant(255.0)])
    values: dict[fx.Node, Any] = {}
    for node in traced.nodes:
        if node.op == "placeholder":
            values[node] = images
        elif node.op == "output":
            score = _resolved(node.args[0], values)
            builder.add("Identity", [score], output=OUTPUT)
        else:
            values[node] = _translated(builder, network, node, values)
    graph = helper.make_graph(
        builder.nodes,
        "metaiqa",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, [1, "height", "width", 3])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, None)],
        builder.tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    return Graph(builder.weights, model.SerializeToString(deterministic=True))


class _Tracer(fx.Tracer):
    """Stops at the modules that have a counterpart, and walks through all others."""

    def __init__(self) -> None:
        super().__init__(autowrap_functions=(channel_shuffle,))

    def is_leaf_module(self, module: nn.Module, qualified_name: str) -> bool:
        return type(module) in layers.MODULES


def _trace(network: nn.Module) -> fx.Graph:
    was_training = network.training
    network.eval()
    try:
        return _Tracer().trace(network)
    except (fx.proxy.TraceError, TypeError, RuntimeError) as error:
        raise EngineError(f"{type(network).__name__} cannot be traced: {error}") from error
    finally:
        network.train(was_training)


def _translated(builder: GraphBuilder, network: nn.Module, node: fx.Node, values: dict[fx.Node, Any]) -> Any:
    """Add what one step of the trace computes, and return the name of the result."""
    inputs = _resolved(node.args, values)
    target: Any = node.target
    if node.op == "get_attr":
        owner, _, name = target.rpartition(".")
        return builder.tensor(target, getattr(network.get_submodule(owner), name))
    if node.op == "call_module":
        module = network.get_submodule(target)
        return layers.MODULES[type(module)](builder, target, module, *inputs)
    operation = layers.OPERATIONS.get(target)
    if operation is None:
        raise EngineError(f"The operation {getattr(target, '__name__', target)} has no counterpart in a graph.")
    return operation(builder, *inputs, **_resolved(node.kwargs, values))


def _resolved(argument: Any, values: dict[fx.Node, Any]) -> Any:
    """Return an argument of the trace with each step replaced by the name of its result."""
    return fx.node.map_arg(argument, lambda node: values[node])
