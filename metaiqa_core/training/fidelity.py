"""The fidelity loss: which of two photos of one study is better, with how much certainty."""

import math

import torch
from torch import Tensor

_LEAST = 1e-6


def fidelity_loss(quality: Tensor, log_spread: Tensor, unit_scores: Tensor, noise: float) -> Tensor:
    """Return the mean fidelity loss over all pairs of a study's photos.

    With latent qualities q and their spreads s, the network says that photo i is better than photo j with probability
    Phi((q_i - q_j) / sqrt(s_i^2 + s_j^2)); people's scores say the same with their noise in place of the spreads.

    Args:
        quality: Latent quality (N,) of photos of one study.
        log_spread: Logarithm of the photos' spreads (N,).
        unit_scores: Opinion scores (N,) in [0, 1].
        noise: Standard deviation of an opinion score, unit score, above 0.

    Returns:
        A scalar in [0, 1], 0 for fewer than two photos.

    Source:
        Zhang, Ma, Zhai and Yang, Uncertainty-Aware Blind Image Quality Assessment in the Laboratory and Wild, IEEE
        TIP 30, 2021 (Thurstone's model and the fidelity loss).
    """
    if len(quality) < 2:
        return quality.sum() * 0
    first, second = torch.triu_indices(len(quality), len(quality), 1, device=quality.device)
    spread = (log_spread[first].mul(2).exp() + log_spread[second].mul(2).exp() + _LEAST).sqrt()
    said = _phi((quality[first] - quality[second]) / spread)
    true = _phi((unit_scores[first] - unit_scores[second]) / (math.sqrt(2) * noise))
    agreement = (true * said + _LEAST).sqrt() + ((1 - true) * (1 - said) + _LEAST).sqrt()
    return (1 - agreement).mean()


def _phi(z: Tensor) -> Tensor:
    return 0.5 * (1 + torch.erf(z / math.sqrt(2)))
