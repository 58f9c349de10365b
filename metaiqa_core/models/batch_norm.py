"""Batch normalisation: folded into convolutions, computed within them, or unfolded again for learning.

Once learned, a normalisation with fixed statistics is only a scale and a shift, which the convolution before it can
take over. Many published weights come that way. A network that is to learn with the statistics of its batches must
first get its normalisations back, and statistics for them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norm(module: nn.Module) -> None:
    """Fold every batch normalisation that follows a convolution into it, in place, using the running statistics.

    The function in evaluation mode stays the same; the normalisation's place is taken by an identity.
    """
    for parent, (name, convolution), (next_name, norm) in list(_normalised_convolutions(module)):
        was_training = norm.training
        folded = fuse_conv_bn_eval(convolution.eval(), norm.eval())
        setattr(parent, name, folded.train(was_training))
        setattr(parent, next_name, nn.Identity())


@contextmanager
def norms_within_convolutions(module: nn.Module) -> Iterator[None]:
    """Compute fixed batch normalisations within the convolutions before them for as long as the context lasts.

    The same function of the same weights with the same gradients, in fewer passes over the activations: the scale goes
    to the convolution's weights, which are far fewer. Normalisations in training mode, whose statistics come from the
    activations, stay as they are. Other threads must not use the network meanwhile.
    """
    pairs = [(one, norm) for _, (_, one), (_, norm) in _normalised_convolutions(module) if not norm.training]
    for convolution, norm in pairs:
        vars(convolution)["forward"] = partial(_convolve_and_normalise, convolution, norm)
        vars(norm)["forward"] = _identity
    try:
        yield
    finally:
        for pair in pairs:
            for one in pair:
                del vars(one)["forward"]


def idle_norms(module: nn.Module) -> list[nn.BatchNorm2d]:
    """Return the batch normalisations that stand idle because their work was folded into convolutions elsewhere.

    They are as new ones, with means of 0, variances of 1 and scales of 1, but that shifts were learned.
    """
    norms = [norm for norm in module.modules() if isinstance(norm, nn.BatchNorm2d)]
    return [norm for norm in norms if _normalises_nothing(norm) and torch.any(norm.bias != 0)]


def unfolded_weights(module: nn.Module, folded: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights by which a module with batch normalisations computes the function of one without them.

    Args:
        module: Module with batch normalisations; it is not changed.
        folded: State dict of such a module after `fold_batch_norm`; the normalisations get its shifts and do nothing
            else.
    """
    paths = {parent: f"{path}." if path else "" for path, parent in module.named_modules()}
    weights = module.state_dict() | dict(folded)
    for parent, (name, convolution), (norm_name, norm) in _normalised_convolutions(module):
        path = paths[parent]
        shift = weights[f"{path}{name}.bias"]
        if convolution.bias is None:
            del weights[f"{path}{name}.bias"]
        else:
            weights[f"{path}{name}.bias"] = torch.zeros_like(shift)
        weights[f"{path}{norm_name}.bias"] = shift
        weights[f"{path}{norm_name}.weight"] = torch.ones_like(shift)
        weights[f"{path}{norm_name}.running_mean"] = torch.zeros_like(shift)
        weights[f"{path}{norm_name}.running_var"] = torch.full_like(shift, 1 - norm.eps)
    return weights


@torch.no_grad()
def set_statistics(norms: Sequence[nn.BatchNorm2d], stages: nn.Sequential, maps: Tensor) -> None:
    """Give batch normalisations the statistics of these maps, in place, and the scales and shifts that undo them.

    The function in evaluation mode stays the same. In training mode the activations are now normalised as they were
    where the weights come from, and scale and shift can learn at the pace that they were learned at.

    Args:
        norms: Batch normalisations within `stages`.
        stages: Stages that the maps pass through; in evaluation mode meanwhile.
        maps: Feature maps of typical images, (B, C, h, w) float; all at once, so that memory limits B.
    """
    hooks = [norm.register_forward_pre_hook(_set_statistics) for norm in norms]
    modes = [(module, module.training) for module in stages.modules()]
    stages.eval()
    try:
        stages(maps)
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes:
            module.training = training


def _normalised_convolutions(
    module: nn.Module,
) -> Iterator[tuple[nn.Module, tuple[str, nn.Conv2d], tuple[str, nn.BatchNorm2d]]]:
    """Yield each convolution with the batch normalisation that follows it, their names and their parent."""
    for parent in module.modules():
        for (name, first), (next_name, second) in pairwise(parent.named_children()):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                yield parent, (name, first), (next_name, second)


def _convolve_and_normalise(convolution: nn.Conv2d, norm: nn.BatchNorm2d, maps: Tensor) -> Tensor:
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    bias = norm.bias - mean * scale
    if convolution.bias is not None:
        bias = bias + convolution.bias * scale
    return convolution._conv_forward(maps, convolution.weight * scale[:, None, None, None], bias)


def _identity(maps: Tensor) -> Tensor:
    return maps


def _normalises_nothing(norm: nn.BatchNorm2d) -> bool:
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    # Some programs leave 1, others 1 - eps, which normalises by exactly 1.
    return not mean.any() and bool(((variance - 1).abs() < 2 * norm.eps).all() and (norm.weight == 1).all())


def _set_statistics(norm: nn.BatchNorm2d, inputs: tuple[Tensor]) -> None:
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    new_variance, new_mean = torch.var_mean(inputs[0], (0, 2, 3), correction=0)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    norm.bias.add_((new_mean - mean) * scale)
    norm.weight.copy_(scale * torch.sqrt(new_variance + norm.eps))
    mean.copy_(new_mean)
    variance.copy_(new_variance)
