"""Torchvision classifiers as plain stacks of convolutional stages.

A backbone is a `torch.nn.Sequential` whose children are the classifier's stages in order, under torchvision's own
names, so that published ImageNet weights fit without renaming. Every activation is its own module and none works in
place: attribution methods hook modules, and a reused or overwriting activation gives them wrong answers.
"""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn

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
        source: Origin of the weights, for the message.

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
