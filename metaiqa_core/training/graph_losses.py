"""The losses of graph training: the triplet discriminator of types, and the likelihood of the level."""

import torch
from torch import Tensor


def triplet_loss(codes: Tensor, defects: Tensor, margin: float) -> Tensor:
    """Return the mean over all graphs of max(0, |c_a - c_p| - |c_a - c_n| + margin).

    The triplet is [A], its form and margin are published with GraphIQA. *Inferred*: the positive p is the graph of the
    anchor's defect that is farthest from it, the negative n the nearest of another defect, within a batch.

    Args:
        codes: (G, C): type codes.
        defects: (G,): number of the defect of each graph; every one at least twice, and two different ones at least.
        margin: The margin.
    """
    squares = (codes[:, None] - codes).square().sum(2)
    distances = (squares + 1e-9).sqrt()  # whose gradient is finite at zero
    same = defects[:, None] == defects
    farthest = distances.masked_fill(~same, -torch.inf).amax(1)
    nearest = distances.masked_fill(same, torch.inf).amin(1)
    return (farthest - nearest + margin).clamp(min=0).mean()


def level_likelihood(level: Tensor, deviation: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean Gaussian negative log-likelihood log sigma + (y - mu)^2 / (2 sigma^2), without its constant.

    *Inferred*, for the probabilistic regressor of [A]: what is sampled and squared (`sampled_level_error`) is smallest
    without any uncertainty; this is smallest where sigma is the error that is made.

    Args:
        level: mu, of any shape.
        deviation: sigma, above 0.
        wanted: y, the level; NaN where it is not known, which counts for nothing.
    """
    known = wanted.isfinite()
    errors = torch.where(known, wanted, level.detach()) - level
    losses = deviation.log() + errors.square() / (2 * deviation.square())
    return torch.where(known, losses, torch.zeros_like(losses)).sum() / known.sum().clamp(min=1)


def sampled_level_error(level: Tensor, deviation: Tensor, wanted: Tensor, noise: Tensor) -> Tensor:
    """Return the mean squared error of mu + sigma * eps (published with GraphIQA).

    Args:
        level: mu, of any shape.
        deviation: sigma, above 0.
        wanted: y, the level; NaN where it is not known, which counts for nothing.
        noise: eps, drawn from N(0, 1).
    """
    known = wanted.isfinite()
    errors = torch.where(known, wanted, level.detach()) - (level + deviation * noise)
    return torch.where(known, errors.square(), torch.zeros_like(errors)).sum() / known.sum().clamp(min=1)
