"""A head of Gaussian functions: the score of a photo follows from its likeness to photos that people have rated.

Several studies have rated such photos, and each has its own idea of quality. The head gives an answer for each study
and weighs them by how much the photo is like those that the study has shown to people.
"""

import torch
from torch import Tensor, nn


class Gaussians(nn.Module):
    """Likeness of features to each of a number of centres: k(x, c) = exp(-|x - c|^2 / (2 width^2)).

    The centres are features of rated photos, and the linear layer that follows is fitted by kernel ridge regression
    (`training.kernel_regression`); neither is learned by gradients, but gradients flow through to the photo.

    Args:
        features: Number of features, D.
        centres: Number of centres, M.
    """

    centres: Tensor
    width: Tensor

    def __init__(self, features: int, centres: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(centres, features))
        self.register_buffer("width", torch.ones(1))

    def forward(self, features: Tensor) -> Tensor:
        """Return the likenesses (B, M), in (0, 1], of features (B, D)."""
        return torch.exp(self.exponents(features))

    def exponents(self, features: Tensor) -> Tensor:
        """Return -|x - c|^2 / (2 width^2), (B, M), of features (B, D)."""
        # |x - c|^2 in three parts: (B, M, D) differences would not fit into memory.
        squares = features.square().sum(1, keepdim=True) + self.centres.square().sum(1)
        distances = (squares - 2 * (features @ self.centres.T)).clamp(min=0)
        return -distances / (2 * self.width.square())


class Mixture(nn.Module):
    """Answers of several studies, weighed by the studies that a photo could come from (a mixture of experts).

    With answers a_t and evidence g_t, the score is sum_t w_t a_t, where w_t = exp(g_t) / sum_u exp(g_u).

    Source:
        Jacobs, Jordan, Nowlan and Hinton, Adaptive Mixtures of Local Experts, Neural Computation 1991.

    Args:
        studies: Number of studies, T.
    """

    def __init__(self, studies: int) -> None:
        super().__init__()
        self.studies = studies

    def forward(self, parts: Tensor) -> Tensor:
        """Return the scores (B, 1) that follow from the answers and then the evidence of each study, (B, 2 T)."""
        answers, evidence = parts[:, : self.studies], parts[:, self.studies :]
        return (answers * evidence.softmax(1)).sum(1, keepdim=True)
