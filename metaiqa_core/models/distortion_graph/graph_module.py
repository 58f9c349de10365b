"""The graph module: nodes and edges become codes, and these a type, a level with its uncertainty, and a score."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from metaiqa_core.models.distortion_graph.edges import (
    EdgeFeatures,
    EdgeOperator,
    EdgesOfNodes,
    GraphConvolution,
    NodeOperator,
)
from metaiqa_core.models.distortion_graph.graph_config import GraphConfig
from metaiqa_core.models.regressor import Standardise

SMALLEST_DEVIATION = 1e-3
_LEVEL_AT_FIRST = 2.5
_QUALITY_AT_FIRST = 0.5


class GraphReadings(NamedTuple):
    """What the graph module says of G graphs of N nodes.

    Attributes:
        type_code: (G, C): the mean over the nodes of the node graph's codes [G], by which the triplet discriminator [A]
            tells types apart.
        logits: (G, K): the type code, told apart into the configuration's defects [I].
        level: (G, N): mu, the mean of the level, 0 (nothing) to 5 [A].
        deviation: (G, N): sigma, its standard deviation, above 0.001 [A].
        quality: (G, N): unit score, about [0, 1].
    """

    type_code: Tensor
    logits: Tensor
    level: Tensor
    deviation: Tensor
    quality: Tensor


class DistortionGraph(nn.Module):
    """Node h_i = MLP(z_i), edges e_ij from z, an edge graph and a node graph (published with GraphIQA).

    Args:
        features: Number of features of a node as they come from the backbone, P.
        config: Configuration of the graph model.
    """

    def __init__(self, features: int, config: GraphConfig) -> None:
        super().__init__()
        self.config = config
        edge_code, type_code = config.edge_widths[-1], config.node_widths[-1]
        # Levels are brought together after they are pooled [I]: the 1x1 convolution of a mean is the mean of one.
        self.standard = Standardise(features)
        self.fuse = nn.Linear(features, config.fused)
        self.node = nn.Sequential(nn.ReLU(), nn.Linear(config.fused, config.fused), nn.ReLU())
        self.edge_features, self.edge_operator = EdgeFeatures(), EdgeOperator()
        self.node_operator, self.edges_of_nodes = NodeOperator(), EdgesOfNodes()
        self.edge_graph = GraphConvolution(config.fused, config.edge_widths)
        self.node_graph = GraphConvolution(config.fused, config.node_widths)
        # The triplet's margin keeps codes short; probabilities need values of about one.
        self.defect = nn.Sequential(nn.LayerNorm(type_code), nn.Linear(type_code, len(config.defects)))
        last = nn.Linear(config.fused, 2)
        self.level = nn.Sequential(nn.Linear(config.fused + edge_code, config.fused), nn.ReLU(), last)
        self.quality = nn.Linear(config.fused + edge_code, 1)
        self.softplus = nn.Softplus()
        nn.init.constant_(last.bias[:1], _LEVEL_AT_FIRST)
        nn.init.constant_(self.quality.bias, _QUALITY_AT_FIRST)

    def forward(self, features: Tensor, nodes: int) -> GraphReadings:
        """Read graphs.

        Args:
            features: (G, N, P): features of the nodes.
            nodes: N, at least 1.
        """
        z = self.fuse(self.standard(features))
        h = self.node(z)
        if self.config.edges:
            edges = self.edge_features(z, nodes)
            edges = self.edge_graph(edges, self.edge_operator(edges, nodes))
            codes = self.node_graph(h, self.node_operator(edges, nodes))
            neighbours, own = self.edges_of_nodes(edges, nodes)
        else:
            codes = self.node_graph(h)
            neighbours = own = z.new_zeros(*z.shape[:2], self.config.edge_widths[-1])
        type_code = codes.mean(1)
        level, spread = self.level(torch.cat([h, neighbours], 2)).chunk(2, 2)
        return GraphReadings(
            type_code,
            self.defect(type_code),
            level.squeeze(2),
            (self.softplus(spread) + SMALLEST_DEVIATION).squeeze(2),
            self.quality(torch.cat([h, own], 2)).squeeze(2),
        )
