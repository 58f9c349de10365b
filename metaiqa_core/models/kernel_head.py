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
        first: Place of the first of these features among all that come in; None: there are no others.
    """

    centres: Tensor
    width: Tensor

    def __init__(self, features: int, centres: int, first: int | None = None) -> None:
        super().__init__()
        self.first = first
        self.register_buffer("centres", torch.zeros(centres, features))
        self.register_buffer("width", torch.ones(1))

    def forward(self, features: Tensor) -> Tensor:
        """Return the likenesses (B, M), in (0, 1], of features (B, D), or of its own among more."""
        return torch.exp(self.exponents(features))

    def own(self, features: Tensor) -> Tensor:
        """Return the features (B, D) that it looks at, of all that come in."""
        if self.first is None:
            return features
        return features[:, self.first : self.first + self.centres.shape[1]]

    def exponents(self, features: Tensor) -> Tensor:
        """Return -|x - c|^2 / (2 width^2), (B, M), of features (B, D), or of its own among more."""
        features = self.own(features)
        # |x - c|^2 in three parts: (B, M, D) differences would not fit into memory.
        squares = features.square().sum(1, keepdim=True) + self.centres.square().sum(1)
        distances = (squares - 2 * (features @ self.centres.T)).clamp(min=0)
        return -distances / (2 * self.width.square())


class Likenesses(nn.Module):
    """Likeness in what the backbone sees, and beside it likeness in light and colour (`Tones`).

    A score is then the sum of a function of the one and a function of the other: a photo that is dark as no rated one
    is still gets the sharpness and the noise that it has.

    Args:
        features: Number of the backbone's features, which come first.
        centres: Number of centres among them.
        tones: Number of features of the tones.
        tone_centres: Number of centres among those.
    """

    def __init__(self, features: int, centres: int, tones: int, tone_centres: int) -> None:
        super().__init__()
        self.features = Gaussians(features, centres, first=0)
        self.tones = Gaussians(tones, tone_centres, first=features)

    def forward(self, features: Tensor) -> Tensor:
        """Return the likenesses (B, M), in (0, 1], of both kinds of features (B, D)."""
        # Views: attribution methods rewrite the gradient of the tensor that enters a module.
        return torch.cat((self.features(features.view_as(features)), self.tones(features.view_as(features))), 1)


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
