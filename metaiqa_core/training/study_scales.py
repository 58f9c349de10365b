"""Functions from one latent quality to the opinion scores of several studies.

Two studies give the same photo different numbers: other scales, other instructions, other company. So that a network
can learn from several, each study has a scale of its own, which is learned beside the network and thrown away
afterwards, but for the one on which the finished network answers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metaiqa_core.models.regressor import Regressor

KNOTS = 8
"""Places in [0, 1] at which a monotone scale may bend."""


class StudyScale(nn.Module):
    """The unit scores that one study would give: s = a + b q + g(q) + r . h.

    Args:
        hidden: Width of the network's last hidden layer.
        kind: Form of the function: `affine` has neither g nor r; `monotone` has g, piecewise linear and never falling;
            `residual` has r.
    """

    knots: Tensor

    def __init__(self, hidden: int, kind: str) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(()))
        self.log_gain = nn.Parameter(torch.zeros(()))  # the gain is positive: better stays better
        self.bends = nn.Parameter(torch.full((KNOTS,), -4.0)) if kind == "monotone" else None
        self.residual = nn.Parameter(torch.zeros(hidden)) if kind == "residual" else None
        self.register_buffer("knots", torch.linspace(0, 1, KNOTS + 1)[:-1], persistent=False)

    def forward(self, quality: Tensor, hidden: Tensor) -> Tensor:
        """Return the unit scores (B,) of a latent quality (B,) with the hidden activations (B, H) behind it."""
        scores = self.offset + self.log_gain.exp() * quality
        if self.bends is not None:
            rises = torch.clamp(quality[:, None] - self.knots, min=0, max=1 / KNOTS)  # (B, KNOTS)
            scores = scores + rises @ F.softplus(self.bends)
        if self.residual is not None:
            scores = scores + hidden @ self.residual
        return scores


@torch.no_grad()
def answer_on(network: Regressor, scales: Sequence[StudyScale]) -> None:
    """Let a network answer on the mean of some studies' scales: their last linear maps become its own.

    Args:
        network: Network that predicts the latent quality; its last linear layer changes in place.
        scales: Scales of the studies.

    Raises:
        ValueError: If one of the scales is monotone with bends, which no linear layer can take over.
    """
    if any(scale.bends is not None for scale in scales):
        raise ValueError("a monotone scale cannot become the network's own: answer on a study with an affine one")
    last = network.head[-1]
    if not isinstance(last, nn.Linear):
        raise ValueError(f"the head must end in a linear layer, got {type(last).__name__}")
    gains = [scale.log_gain.exp() for scale in scales]
    residuals = [scale.residual if scale.residual is not None else torch.zeros_like(last.weight[0]) for scale in scales]
    weight = torch.stack([gain * last.weight[0] + residual for gain, residual in zip(gains, residuals, strict=True)])
    bias = torch.stack([gain * last.bias[0] + scale.offset for gain, scale in zip(gains, scales, strict=True)])
    last.weight.copy_(weight.mean(0, keepdim=True))
    last.bias.copy_(bias.mean(0, keepdim=True))
