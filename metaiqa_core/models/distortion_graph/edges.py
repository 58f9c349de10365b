"""Edges of a graph, each pair of nodes once, and the operators that graph convolutions spread features with.

A graph of N nodes has N^2 edges (i, j) [G]. The edges (i, j) and (j, i) are the same, and so are their neighbours: what
a convolution gives them is the same as well. *Inferred*: N (N + 1) / 2 edges, of which those between two nodes count
twice, give exactly what N^2 give, for about a quarter of the work.

Each class works on a batch of graphs of one size, none of which sees another.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

SMALLEST_DEGREE = 1e-6
"""Least degree of a node [I]."""


def edge_ends(nodes: int) -> tuple[list[int], list[int]]:
    """Return the first and the second node of each edge (i, j) with i <= j, in the order of i, then of j.

    >>> edge_ends(2)
    ([0, 0, 1], [0, 1, 1])
    """
    pairs = [(one, other) for one in range(nodes) for other in range(one, nodes)]
    return [one for one, _ in pairs], [other for _, other in pairs]


def edge_multiplicities(nodes: int) -> list[float]:
    """Return how many of the N^2 edges each edge stands for: one for an edge of a node with itself, else two."""
    return [1.0 if one == other else 2.0 for one, other in zip(*edge_ends(nodes), strict=True)]


def edge_numbers(nodes: int) -> list[int]:
    """Return the number of the edge (i, j) for each i and each j, row by row.

    >>> edge_numbers(2)
    [0, 1, 1, 2]
    """
    numbers = {pair: number for number, pair in enumerate(zip(*edge_ends(nodes), strict=True))}
    return [numbers[min(one, other), max(one, other)] for one in range(nodes) for other in range(nodes)]


class EdgeFeatures(nn.Module):
    """e_ij = z^_i * z^_j, elementwise, where z^ has unit norm (published with GraphIQA)."""

    def forward(self, features: Tensor, nodes: int) -> Tensor:
        """Return the edges (G, E, D) of nodes (G, N, D)."""
        unit = unit_length(features)
        first, second = edge_ends(nodes)
        return unit[:, first] * unit[:, second]


class EdgeOperator(nn.Module):
    """D^-1/2 (A + I) D^-1/2 of the edge graph, where A holds the cosines among the edges (published with GraphIQA).

    Edges that stand for two count twice in every sum.

    Note:
        Cosines may be negative, and so may be what they add up to, which has no root; and where it is nearly zero,
        codes explode. *Inferred*: a degree adds up absolute values, as those of signed graphs do (Kunegis et al.,
        SDM 2010), so that no operator makes codes longer. Without negative cosines this is what is published.
    """

    def forward(self, edges: Tensor, nodes: int) -> Tensor:
        """Return the operators (G, E, E) of edges (G, E, D)."""
        unit = unit_length(edges)
        counts = edges.new_tensor(edge_multiplicities(nodes))
        similarity = unit @ unit.transpose(1, 2)
        identity = torch.eye(len(counts), dtype=edges.dtype, device=edges.device)
        # An edge stands beside its twin, which is no loop: the identity counts once.
        weights = similarity * counts
        degrees = weights.abs().sum(2) + 1
        return _normalised(weights + identity, degrees)


class NodeOperator(nn.Module):
    """D^-1/2 (sigmoid(B) + I) D^-1/2 of the node graph, where B_ij is the mean over the channels of the edge (i, j).

    B is published with GraphIQA; its sigmoid is *inferred*: without it, negative similarities make degrees negative and
    their roots no numbers.
    """

    def forward(self, edges: Tensor, nodes: int) -> Tensor:
        """Return the operators (G, N, N) of edge codes (G, E, C)."""
        weights = edges.mean(2).sigmoid()[:, edge_numbers(nodes)].unflatten(1, (nodes, nodes))
        identity = torch.eye(nodes, dtype=edges.dtype, device=edges.device)
        return _normalised(weights + identity, weights.sum(2) + 1)


class EdgesOfNodes(nn.Module):
    """What a node gets of its edges: the mean over all of them, and the one with itself (published with GraphIQA)."""

    def forward(self, edges: Tensor, nodes: int) -> tuple[Tensor, Tensor]:
        """Return mean_j E_ij and E_ii, each (G, N, C), of edge codes (G, E, C)."""
        numbers = edge_numbers(nodes)
        own = [numbers[place * nodes + place] for place in range(nodes)]
        return edges[:, numbers].unflatten(1, (nodes, nodes)).mean(2), edges[:, own]


class GraphConvolution(nn.Module):
    """Graph convolution of three layers, each O X W with the operator O; ReLU between them (Kipf and Welling, 2017).

    Computed as O (X W), which is less work than (O X) W where a layer gets narrower [I].

    Args:
        inputs: Number of features of a node.
        widths: Widths of the layers.
    """

    def __init__(self, inputs: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(one, other) for one, other in pairwise((inputs, *widths)))
        self.active = nn.ReLU()

    def forward(self, features: Tensor, operator: Tensor | None = None) -> Tensor:
        """Return the codes (G, N, C) of nodes (G, N, D) by an operator (G, N, N); without one, each stands alone."""
        for number, layer in enumerate(self.layers):
            features = layer(features if number == 0 else self.active(features))
            if operator is not None:
                features = operator @ features
        return features


def unit_length(features: Tensor) -> Tensor:
    """Return features (..., D) of unit norm; zero where all are."""
    return features / features.square().sum(-1, keepdim=True).add(1e-12).sqrt()


def _normalised(weights: Tensor, degrees: Tensor) -> Tensor:
    roots = degrees.clamp(min=SMALLEST_DEGREE).rsqrt()
    return roots[:, :, None] * weights * roots[:, None, :]
