"""The whole graph model: a photo is a graph of its own, whose nodes are its quarters."""

import torch
from torch import Tensor, nn

from metaiqa_core.models.distortion_graph.graph_config import NODES, GraphConfig
from metaiqa_core.models.distortion_graph.graph_module import DistortionGraph
from metaiqa_core.models.distortion_graph.quarter_features import QuarterFeatures
from metaiqa_core.models.regressor import Regressor


class GraphNetwork(nn.Module):
    """From photos to one row each: score, level, its deviation, the logits of the defects, the type code.

    A row never depends on the other photos of a batch [I]: GraphIQA reads a photo in the company of others of its type,
    which one who asks does not know.

    Args:
        config: Configuration of the graph model.
        start: Network to take the weights of the backbone from, see `QuarterFeatures`.
    """

    def __init__(self, config: GraphConfig, start: Regressor | None = None) -> None:
        super().__init__()
        self.config = config
        self.features = QuarterFeatures(config, start)
        self.graph = DistortionGraph(self.features.width, config)

    def forward(self, images: Tensor) -> Tensor:
        """Read photos.

        Args:
            images: (B, 3, H, W) float, RGB in [0, 1], of any size from 128 pixels a side.

        Returns:
            (B, 3 + K + C): unit score, level, deviation of the level, K logits, C values of the type code.
        """
        readings = self.graph(self.features(images), NODES)
        means = [readings.quality, readings.level, readings.deviation]
        return torch.cat([*(one.mean(1, keepdim=True) for one in means), readings.logits, readings.type_code], 1)
