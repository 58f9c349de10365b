"""A private twin of a network: the same weights in memory, its own modules, for methods that hook and rewire.

Attribution methods switch flags, hook modules and store what flows through them. None of that may happen to a network
that other threads are scoring photos with, and none of it must be left behind by a failure. The twin shares the weights
(they are read only) and nothing else, so that there is nothing to restore and nothing to lock.
"""

import copy
from collections.abc import Callable

import numpy as np
import torch
from captum.attr._core import deep_lift
from torch import Tensor, nn
from torch.nn import functional as F

from metaiqa_core.errors import ExplanationError
from metaiqa_core.models.kernel_head import Gaussians, Mixture
from metaiqa_core.models.spread import Spread

_PLACES = 64
"""Places of the Gauss-Legendre rule between baseline and photo, at which the gradient of a mixture is taken."""


class ScoreOf(nn.Module):
    """One number a photo out of any network that scores photos.

    Args:
        network: Network from photos (B, 3, H, W) in [0, 1] to scores (B,) or (B, 1).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.last = torch.empty(0)  # the scores of the latest pass: Captum keeps them to itself

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores (B,) of photos (B, 3, H, W)."""
        scores = self.network(images.contiguous(memory_format=torch.channels_last))  # the faster layout on a CPU
        if not isinstance(scores, Tensor) or scores.numel() != len(images):
            given = f"the shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
            raise ExplanationError(
                f"A map explains one score a photo, but the network answered {len(images)} photos with {given}: use a "
                "network that returns the shape (B,) or (B, 1)."
            )
        scores = scores.reshape(len(images))
        self.last = scores.detach()
        return scores


class CappedReLU(nn.ReLU):
    """ReLU6 that methods written for ReLU recognise: the same numbers and the same gradient."""

    def forward(self, input: Tensor) -> Tensor:
        """Clip to [0, 6]."""
        return F.relu6(input)


class Elementwise(nn.Module):
    """An activation function that Captum's DeepLift does not know by type; its rescale rule fits any of them."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return self.activation(input)


def spread_rule(
    module: nn.Module, maps: Tensor, spreads: Tensor, grad_input: Tensor, grad_output: Tensor, eps: float = 0.0
) -> Tensor:
    """Share a difference of standard deviations out among the cells of the maps, for Captum's DeepLift.

    With d the distance of a cell from its map's mean, s = sqrt(mean(d^2) + 1e-6), and primes for the baseline,

        s - s' = mean((d + d') (d - d')) / (s + s'),

    so that (d + d') / (n (s + s')) is the multiplier of a cell: the sum is exact, nothing is divided by a difference,
    and for a baseline near the photo it is the gradient.

    Args:
        module: `Spread` module.
        maps: Feature maps of the photos and then of their baselines, (2 B, C, h, w).
        spreads: Standard deviations of those maps, (2 B, C).
        grad_input: Gradient with respect to the maps, which is replaced.
        grad_output: Multipliers of the standard deviations, (2 B, C).
        eps: Numerical guard that Captum passes; unused.

    Returns:
        (2 B, C, h, w), the multipliers of the cells.
    """
    distances, baseline_distances = (maps - maps.mean((2, 3), keepdim=True)).chunk(2)
    total = torch.add(*spreads.chunk(2)) * maps[0, 0].numel()
    multipliers = (distances + baseline_distances) / total[:, :, None, None]
    return grad_output[:, :, None, None] * torch.cat((multipliers, multipliers))


def gaussians_rule(
    module: Gaussians, features: Tensor, likeness: Tensor, grad_input: Tensor, grad_output: Tensor, eps: float = 0.0
) -> Tensor:
    """Share differences of likenesses out among the features, for Captum's DeepLift.

    With e = -|x - c|^2 / (2 w^2) and k = exp(e), and primes for the baseline,

        k - k' = (k - k') / (e - e') * sum_d (2 c_d - x_d - x'_d) / (2 w^2) (x_d - x'_d),

    so that the factors before (x_d - x'_d) are the multipliers: the sum is exact.

    Args:
        module: `Gaussians` module.
        features: Features of the photos and then of their baselines, (2 B, D).
        likeness: Likenesses of those features, (2 B, M).
        grad_input: Gradient with respect to the features, which is replaced.
        grad_output: Multipliers of the likenesses, (2 B, M).
        eps: Numerical guard that Captum passes; unused.

    Returns:
        The multipliers of the features, in their shape; of those that the module does not look at, 0.
    """
    (one, baseline), (likeness, likeness_there) = module.own(features).chunk(2), likeness.chunk(2)
    difference = torch.sub(*module.exponents(features).chunk(2))
    is_flat = difference.abs() < 1e-6
    slope = torch.where(is_flat, likeness, (likeness - likeness_there) / torch.where(is_flat, 1.0, difference))
    weights = grad_output.chunk(2)[0] * slope  # (B, M)
    total = weights.sum(1, keepdim=True) * (one + baseline)
    multipliers = (2 * weights @ module.centres - total) / (2 * module.width.square())
    first = module.first or 0
    multipliers = F.pad(multipliers, (first, features.shape[1] - first - multipliers.shape[1]))
    return torch.cat((multipliers, multipliers))


def mixture_rule(
    module: Mixture, parts: Tensor, scores: Tensor, grad_input: Tensor, grad_output: Tensor, eps: float = 0.0
) -> Tensor:
    """Share differences of scores out among the studies' answers and evidence, for Captum's DeepLift.

    The multipliers are the gradient's mean on the straight line from the baseline's parts to the photo's, which add up
    to the difference (Aumann and Shapley); few numbers pass here, so that the mean is taken to the precision of floats.

    Args:
        module: `Mixture` module.
        parts: Answers and evidence of the photos and then of their baselines, (2 B, 2 T).
        scores: Scores of those, (2 B, 1).
        grad_input: Gradient with respect to the parts, which is replaced.
        grad_output: Multipliers of the scores, (2 B, 1).
        eps: Numerical guard that Captum passes; unused.

    Returns:
        (2 B, 2 T), the multipliers of the answers and of the evidence.
    """
    one, baseline = parts.detach().chunk(2)
    multipliers = torch.zeros_like(one)
    for place, weight in zip(*np.polynomial.legendre.leggauss(_PLACES), strict=True):
        answers, evidence = (baseline + (1 + place) / 2 * (one - baseline)).chunk(2, 1)
        shares = evidence.softmax(1)
        score = (answers * shares).sum(1, keepdim=True)
        multipliers += weight / 2 * torch.cat((shares, shares * (answers - score)), 1)
    return grad_output * torch.cat((multipliers, multipliers))


# Captum looks the rule of an activation up by its exact type. These types are ours alone.
deep_lift.SUPPORTED_NON_LINEAR.update(
    {
        CappedReLU: deep_lift.nonlinear,
        Elementwise: deep_lift.nonlinear,
        Spread: spread_rule,
        Gaussians: gaussians_rule,
        Mixture: mixture_rule,
    }
)

_ELEMENTWISE = (nn.PReLU, nn.SiLU, nn.GELU, nn.Mish, nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.SELU, nn.CELU)


def replica(network: nn.Module) -> ScoreOf:
    """Return a twin in evaluation mode whose weights are the network's own tensors, without gradients.

    Args:
        network: Network from photos (B, 3, H, W) in [0, 1] to scores; left as it is.

    Raises:
        ExplanationError: If the network cannot be copied.
    """
    weights = {id(weight): nn.Parameter(weight.detach(), requires_grad=False) for weight in network.parameters()}
    buffers = {id(buffer): buffer for buffer in network.buffers()}
    try:
        twin = copy.deepcopy(network, {**weights, **buffers})
    except (RuntimeError, TypeError) as error:
        raise ExplanationError(
            f"A map needs a copy of the network, and {type(network).__name__} cannot be copied: {error}."
        ) from error
    for module in twin.modules():
        if getattr(module, "inplace", False):
            # Hooks must see what went into an activation. Not every module has this switch, hence the quotes.
            setattr(module, "inplace", False)  # noqa: B010
    _exchange(twin, _as_relu)
    return ScoreOf(twin.eval())


def make_elementwise(twin: nn.Module) -> None:
    """Wrap the activations of a twin that DeepLift does not know, in place."""
    _exchange(twin, lambda module: Elementwise(module) if isinstance(module, _ELEMENTWISE) else None)


def _as_relu(module: nn.Module) -> nn.Module | None:
    return CappedReLU() if type(module) is nn.ReLU6 else None


def _exchange(module: nn.Module, exchanged: Callable[[nn.Module], nn.Module | None]) -> None:
    for name, child in module.named_children():
        other = exchanged(child)
        if other is None:
            _exchange(child, exchanged)
        else:
            setattr(module, name, other.eval())
