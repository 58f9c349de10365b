"""Torchvision classifiers as plain stacks of convolutional stages.

A backbone is a `torch.nn.Sequential` whose children are the classifier's stages in order, under torchvision's own
names, so that published ImageNet weights fit without renaming. Every activation is its own module and none works in
place: attribution methods hook modules, and a reused or overwriting activation gives them wrong answers.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import cast

import torch
import torchvision
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models import resnet_blocks

_RESNETS = {"resnet18": resnet_blocks.resnet18, "resnet34": resnet_blocks.resnet34, "resnet50": resnet_blocks.resnet50}

BACKBONES = (
    *_RESNETS,
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "convnext_tiny",
    "densenet121",
    "regnet_y_400mf",
    "shufflenet_v2_x1_0",
    "vgg16",
)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_CLASSIFIER_PARTS = {"avgpool", "fc", "classifier", "heads", "head"}


def build_backbone(name: str) -> nn.Sequential:
    """Build a randomly initialised backbone.

    Args:
        name: One of `BACKBONES`.

    Returns:
        Stages that map images (B, 3, H, W) to feature maps (B, C, h, w).

    Raises:
        ValueError: If the name is unknown.
    """
    if name not in BACKBONES:
        raise ValueError(f"backbone must be one of {', '.join(BACKBONES)}, got {name!r}")
    network = _RESNETS[name]() if name in _RESNETS else torchvision.models.get_model(name, weights=None)
    stages = OrderedDict(_stages(network))
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    return nn.Sequential(stages)


def feature_channels(backbone: nn.Sequential) -> int:
    """Return the number of channels that a backbone's last stage yields."""
    was_training = backbone.training
    backbone.eval()
    with torch.no_grad():
        channels = backbone(torch.zeros(1, 3, 64, 64)).shape[1]
    backbone.train(was_training)
    return channels


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
        vars(norm)["forward"] = _itself
    try:
        yield
    finally:
        for pair in pairs:
            for one in pair:
                del vars(one)["forward"]


def imagenet_weights(name: str) -> Mapping[str, Tensor]:
    """Fetch torchvision's ImageNet weights of a backbone, over the network or from torchvision's cache.

    Raises:
        CheckpointError: If the download fails.
    """
    weights = torchvision.models.get_model_weights(name).DEFAULT
    try:
        return weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f"The ImageNet weights of {name} could not be downloaded ({error}). Name a file of them with "
            "--initial-weights FILE, or start without them with --initial-weights random."
        ) from error


def load_classifier_weights(backbone: nn.Sequential, weights: Mapping[str, Tensor], source: str | Path) -> None:
    """Copy a torchvision classifier's weights into a backbone; the classifier's own last layers are left out.

    Args:
        backbone: Changed in place.
        weights: State dict of the torchvision classifier of the same architecture.
        source: Where they come from, for the message.

    Raises:
        CheckpointError: If the weights are of another architecture.
    """
    stages = {key.removeprefix("features."): value for key, value in weights.items()}
    wanted = backbone.state_dict()
    missing = [key for key in wanted if key not in stages and not key.endswith("num_batches_tracked")]
    wrong = [key for key, value in wanted.items() if key in stages and stages[key].shape != value.shape]
    if missing or wrong:
        first = (missing or wrong)[0]
        raise CheckpointError(
            f"{Path(source).name} holds weights of another architecture: {len(missing)} of {len(wanted)} tensors are "
            f"missing and {len(wrong)} have another shape, {first} first. Name the backbone that the file belongs to."
        )
    backbone.load_state_dict({key: stages[key] for key in wanted if key in stages}, strict=False)


def _stages(network: nn.Module) -> list[tuple[str, nn.Module]]:
    features = getattr(network, "features", None)
    if isinstance(features, nn.Sequential):
        stages = list(features.named_children())
        # DenseNet's forward applies one more ReLU to its features; every other family ends its features itself.
        return [*stages, ("relu", nn.ReLU())] if hasattr(features, "denseblock1") else stages
    return [(name, child) for name, child in network.named_children() if name not in _CLASSIFIER_PARTS]


def _normalised_convolutions(
    module: nn.Module,
) -> Iterator[tuple[nn.Module, tuple[str, nn.Conv2d], tuple[str, nn.BatchNorm2d]]]:
    """Yield each convolution that a batch normalisation follows, and that, with their names and their parent."""
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


def _itself(maps: Tensor) -> Tensor:
    return maps
