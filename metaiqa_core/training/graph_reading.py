"""What a graph module says of many photos, from their kept features."""

import numpy as np
import torch

from metaiqa_core.models.distortion_graph.graph_module import DistortionGraph
from metaiqa_core.training.kept_features import Features


def read_graphs(graph: DistortionGraph, features: Features, batch: int = 256) -> dict[str, np.ndarray]:
    """Return what a graph module says of photos, each a graph of its own.

    Args:
        graph: The module, in evaluation mode.
        features: (N, 4, P): features of their quarters.
        batch: Number of photos that are read at a time; no answer depends on it.

    Returns:
        By name: `logits` (N, K), `type_code` (N, C), and the means over the nodes `level`, `deviation` and `quality`
        (N,).
    """
    parts: dict[str, list[np.ndarray]] = {}
    with torch.inference_mode():
        for first in range(0, len(features), batch):
            some = torch.from_numpy(np.ascontiguousarray(features[first : first + batch], np.float32))
            readings = graph(some, some.shape[1])._asdict()
            for name, value in readings.items():
                mean = value if name in ("logits", "type_code") else value.mean(1)
                parts.setdefault(name, []).append(mean.numpy())
    return {name: np.concatenate(values) for name, values in parts.items()}
