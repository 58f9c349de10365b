"""Does a graph compute what its network computes?"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from metaiqa_core.engine.onnx_engine import OnnxEngine
from metaiqa_core.engine.stored_graph import Graph
from metaiqa_core.engine.torch_engine import TorchEngine

SIZES = ((64, 96), (97, 131))
"""Heights and widths of the images: even and odd sides, which are padded differently."""


def largest_difference(network: nn.Module, graph: Graph) -> float:
    """Return the largest difference between the outputs of a network and of its graph on random images.

    Args:
        network: The network; its weights are replaced by random ones, of which none is zero, as a graph that mistook
            one tensor for another would otherwise not be found out.
        graph: Its graph.

    Raises:
        EngineError: If the graph cannot be run.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(_random(name, tensor, generator))
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    engine, truth = OnnxEngine(graph, weights), TorchEngine(network.eval())
    draws = np.random.default_rng(0)
    images = [draws.integers(256, size=(*size, 3), dtype=np.uint8) for size in SIZES]
    return max(_difference(engine.output(image), truth.output(image)) for image in images)


def _difference(output: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Return how far two outputs lie apart; large ones, which random weights may give, in relation to their size."""
    return float((np.abs(output - truth) / np.maximum(1.0, np.abs(truth))).max())


def _random(name: str, tensor: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return values that keep the activations near 1, whatever the depth."""
    drawn = torch.rand(tensor.shape, generator=generator)
    if tensor.ndim > 1:
        fan = tensor[0].numel()
        return (drawn - 0.5) * (24 / fan) ** 0.5
    if name.endswith("var"):
        return drawn + 0.5
    return drawn * 0.2 if name.endswith(("bias", "mean")) else drawn * 0.5 + 0.25
