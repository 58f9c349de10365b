"""Dropout for features that were computed once: what is hidden is replaced by another photo's value, not by zero."""

import torch
from torch import Tensor


def some_hidden(features: Tensor, probability: float, noise: torch.Generator) -> Tensor:
    """Return features of which some are replaced by those of the next graph: a value that features have.

    Args:
        features: (G, N, P): features of the nodes of G graphs.
        probability: Probability that a feature is replaced, in [0, 1).
        noise: Generator of the choice.
    """
    if not probability:
        return features
    hidden = torch.rand(features.shape, generator=noise) < probability
    return torch.where(hidden, features.roll(1, 0), features)
