"""Published classifiers as plain stacks of convolutional stages: torchvision's, EfficientNet-Lite and SCNet-50.

A backbone is a `torch.nn.Sequential` whose children are the classifier's stages in order, under torchvision's own
names, so that published ImageNet weights fit without renaming (those of EfficientNet-Lite, which torchvision lacks,
are renamed). Every activation is its own module and none works in place: attribution methods hook modules, and a
reused or overwriting activation gives them wrong answers.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models import efficientnet_lite, efficientnet_lite_weights, resnet_blocks, scnet
from metaiqa_core.models.regressor_config import BACKBONES
from metaiqa_core.models.self_calibration import SelfCalibratedAdapter

_RESNETS = {
    "resnet18": resnet_blocks.resnet18,
    "resnet34": resnet_blocks.resnet34,
    "resnet50": resnet_blocks.resnet50,
    "scnet50": scnet.scnet50,
}

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_CLASSIFIER_PARTS = {"avgpool", "fc", "classifier", "heads", "head"}


def build_backbone(name: str) -> nn.Sequential:
    """Build a randomly initialised backbone.

    Args:
        name: Name of the backbone, one of `BACKBONES`.

    Returns:
        Stages that map images (B, 3, H, W) to feature maps (B, C, h, w).

    Raises:
        ValueError: If the name is unknown.
    """
    if name not in BACKBONES:
        raise ValueError(f"backbone must be one of {', '.join(BACKBONES)}, got {name!r}")
    if name in efficientnet_lite.WIDTH_AND_DEPTH:
        return efficientnet_lite.efficientnet_lite(name)
    network = _RESNETS[name]() if name in _RESNETS else torchvision.models.get_model(name, weights=None)
    stages = OrderedDict(_stages(network))
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    return nn.Sequential(stages)


def normalisation(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and the standard deviation of RGB in [0, 1] that a backbone's ImageNet weights expect."""
    if name in efficientnet_lite.WIDTH_AND_DEPTH:
        return efficientnet_lite.MEAN, efficientnet_lite.STD
    return IMAGENET_MEAN, IMAGENET_STD


def add_adapters(backbone: nn.Sequential, stages: Sequence[int]) -> None:
    """Let a self-calibrated adapter follow some stages of a backbone, in place; at its start it changes nothing.

    Args:
        backbone: The backbone.
        stages: Numbers of the stages, from 1.

    Raises:
        ValueError: If there is no such stage, or it is no sequence of blocks that an adapter could end.
    """
    channels = stage_channels(backbone)
    for number in stages:
        if number > len(channels) or not isinstance(backbone[number - 1], nn.Sequential):
            blocks = [place for place, stage in enumerate(backbone, 1) if isinstance(stage, nn.Sequential)]
            raise ValueError(f"adapters follow stages that are sequences of blocks, {blocks} here, got {number}")
        backbone[number - 1].add_module("adapter", SelfCalibratedAdapter(channels[number - 1]))


def stage_channels(backbone: nn.Sequential) -> list[int]:
    """Return the number of channels after each of a backbone's stages."""
    was_training = backbone.training
    backbone.eval()
    channels = []
    maps = torch.zeros(1, 3, 64, 64)
    with torch.no_grad():
        for stage in backbone:
            maps = stage(maps)
            channels.append(maps.shape[1])
    backbone.train(was_training)
    return channels


def imagenet_weights(name: str) -> Mapping[str, Tensor]:
    """Return the ImageNet weights of a backbone.

    Those of EfficientNet-Lite lie in a package of their own, torchvision's are downloaded or taken from its cache.

    Raises:
        CheckpointError: If the package is not installed, or the download fails.
    """
    if name in efficientnet_lite.WIDTH_AND_DEPTH:
        return efficientnet_lite_weights.packaged_weights(name)
    if name == "scnet50":
        raise CheckpointError(
            "No package holds ImageNet weights of scnet50: name a file of them with --initial-weights FILE, or start "
            "without them with --initial-weights random."
        )
    weights = torchvision.models.get_model_weights(name).DEFAULT
    try:
        return weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f"The ImageNet weights of {name} could not be downloaded ({error}). Name a file of them with "
            "--initial-weights FILE, or start without them with --initial-weights random."
        ) from error


def load_classifier_weights(backbone: nn.Sequential, weights: Mapping[str, Tensor], source: str | Path) -> None:
    """Copy a published classifier's weights into a backbone; the classifier's own last layers are left out.

    Args:
        backbone: Backbone to load the weights into, in place.
        weights: State dict of a classifier of the same architecture, from torchvision or efficientnet-lite-pytorch.
        source: Origin of the weights, for the message.

    Raises:
        CheckpointError: If the weights are of another architecture.
    """
    stages = {key.removeprefix("features."): value for key, value in efficientnet_lite_weights.renamed(weights).items()}
    wanted = backbone.state_dict()
    missing = [key for key in wanted if key not in stages and not key.endswith("num_batches_tracked")]
    wrong = [key for key, value in wanted.items() if key in stages and stages[key].shape != value.shape]
    if missing or wrong:
        first = (missing or wrong)[0]
        raise CheckpointError(
            f"{Path(source).name} holds weights of another architecture: {len(missing)} of {len(wanted)} tensors are "
            f"missing and {len(wrong)} have another shape, {first} first. Name the backbone that the file belongs to."
        )
    names = {name for name, _ in backbone.named_children()}
    extra = [key for key in stages if key not in wanted and key.partition(".")[0] in names]
    if extra:
        raise CheckpointError(
            f"{Path(source).name} holds weights of a larger architecture: {len(extra)} tensors of its stages have no "
            f"place here, {extra[0]} first. Name the backbone that the file belongs to."
        )
    backbone.load_state_dict({key: stages[key] for key in wanted if key in stages}, strict=False)


def _stages(network: nn.Module) -> list[tuple[str, nn.Module]]:
    features = getattr(network, "features", None)
    if isinstance(features, nn.Sequential):
        stages = list(features.named_children())
        # DenseNet's forward applies one more ReLU to its features; every other family ends its features itself.
        return [*stages, ("relu", nn.ReLU())] if hasattr(features, "denseblock1") else stages
    return [(name, child) for name, child in network.named_children() if name not in _CLASSIFIER_PARTS]
