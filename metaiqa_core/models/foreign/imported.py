"""Model files of others, read without executing them.

`torch.load` may run any code that a pickled model asks for. Here a file is only looked at: whole pickled networks (the
authors' format), state dicts in both containers of `torch.save`, and safetensors become plain named tensors on the CPU.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.foreign.pickled_networks import named_tensors
from metaiqa_core.models.foreign.torch_archives import PICKLE_SIGNATURE, ZIP_SIGNATURE, read_legacy, read_zip
from metaiqa_core.models.released import ReleasedRegressor

FILE_SIZE_LIMIT = 2**30  # bytes; the largest torchvision classifier of the usual families, VGG16, takes half of it


def read_foreign_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read the named tensors of a model file, whoever wrote it; nothing in it is executed.

    Understood are files of `torch.save` (old and new container; a whole network, a state dict, or a dictionary that
    holds either under "state_dict", "model_state_dict", "model" or "params") and safetensors. The prefix "module." of
    `torch.nn.DataParallel` is taken off. Values that are no tensors are left out.

    Args:
        path: Model file.

    Returns:
        Tensors on the CPU by name, in the file's precision.

    Raises:
        CheckpointError: If the file is missing, empty, damaged, cut short, too large or no model file.
    """
    path = Path(path)
    data = _read_bytes(path)
    if data.startswith(ZIP_SIGNATURE):
        weights = named_tensors(read_zip(data, path.name))
    elif data.startswith(PICKLE_SIGNATURE):
        weights = named_tensors(read_legacy(data, path.name))
    elif data[8:9] == b"{":
        weights = _read_safetensors(data, path.name)
    else:
        raise _no_checkpoint(data, path.name)
    if not weights:
        raise CheckpointError(f"{path.name} holds no weights. Choose a model file.")
    if all(name.startswith("module.") for name in weights):
        weights = {name.removeprefix("module."): value for name, value in weights.items()}
    return weights


def import_foreign_checkpoint(path: str | Path) -> ReleasedRegressor:
    """Load a checkpoint of the authors' released code, or of a port of it; nothing in it is executed.

    Files of PyTorch 0.4.0 and older lack BatchNorm's `num_batches_tracked`, which then starts at 0; it plays no part in
    evaluation. Ports may call the head `head` instead of `net`, and keep ImageNet's mean and deviation, which the
    network has anyway.

    Args:
        path: Model file.

    Returns:
        The network on the CPU in evaluation mode, in 32-bit floats.

    Raises:
        CheckpointError: If the file cannot be read (see `read_foreign_state_dict`), belongs to another network, or
            holds values that are not finite.
    """
    path = Path(path)
    weights = read_foreign_state_dict(path)
    weights = {"net." + name[5:] if name.startswith("head.") else name: value for name, value in weights.items()}
    with torch.random.fork_rng(devices=[]):  # the initial weights are overwritten: draw them from nobody's generator
        network = ReleasedRegressor()
    for name in ("mean", "std"):
        if name in weights and torch.allclose(weights[name].float().flatten(), getattr(network, name).flatten()):
            del weights[name]
    expected = network.state_dict()
    for name in expected:
        if name.endswith(".num_batches_tracked"):
            weights.setdefault(name, torch.tensor(0))
    _check_architecture(weights, expected, path.name)
    network.load_state_dict(weights)
    loaded = network.state_dict()
    not_finite = [name for name, value in loaded.items() if not value.isfinite().all()]
    if not_finite:
        raise CheckpointError(
            f"{path.name} holds values that are not finite in {_listed(not_finite)}. Its training went wrong: "
            "choose an earlier checkpoint."
        )
    return network.eval()


def _check_architecture(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: str) -> None:
    trained = [name for name in expected if not name.endswith(".num_batches_tracked")]
    missing = [name for name in trained if name not in weights]
    surplus = [name for name in weights if name not in expected]
    if len(missing) == len(trained):
        raise CheckpointError(
            f"{source} is not the network of MetaIQA's released code: expected {len(expected)} tensors named "
            f"resnet_layer.* and net.*, found {len(surplus)}: {_listed(surplus)}. Choose the authors' checkpoint."
        )
    if missing:
        raise CheckpointError(
            f"{source} lacks {len(missing)} of the {len(expected)} tensors of MetaIQA's released network: "
            f"{_listed(missing)}. Choose a complete checkpoint."
        )
    if surplus:
        raise CheckpointError(
            f"{source} is not the network of MetaIQA's released code: it has {len(surplus)} tensors too many: "
            f"{_listed(surplus)}. Choose the authors' checkpoint."
        )
    for name, wanted in expected.items():
        found = weights[name]
        if found.shape != wanted.shape:
            raise CheckpointError(
                f"{source} is not the network of MetaIQA's released code: {name} should have the shape "
                f"{_shape(wanted)}, found {_shape(found)}. Choose the authors' checkpoint."
            )
        if found.dtype.is_floating_point != wanted.dtype.is_floating_point:
            kind = "floats" if wanted.dtype.is_floating_point else "integers"
            raise CheckpointError(
                f"{source} holds {str(found.dtype).removeprefix('torch.')} values in {name}; expected {kind}. "
                "Save the network in 32-bit floats."
            )


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_SIZE_LIMIT + 1)
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no file {path}. Check the path.") from error
    except IsADirectoryError as error:
        raise CheckpointError(f"{path} is a folder; expected a model file.") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be opened ({error}). Check the path and its permissions.") from error
    if not data:
        raise CheckpointError(f"{path.name} is empty. Download it again.")
    if len(data) > FILE_SIZE_LIMIT:
        raise CheckpointError(f"{path.name} is over {FILE_SIZE_LIMIT // 2**20:,} MiB large. Choose a smaller model.")
    return data


def _read_safetensors(data: bytes, source: str) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(data)
    except (SafetensorError, json.JSONDecodeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{source} is damaged or cut short: its safetensors data break off or make no sense. Download it again."
        ) from error


def _no_checkpoint(data: bytes, source: str) -> CheckpointError:
    start = data[:100].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return CheckpointError(
            f"{source} is a Git LFS pointer, not the weights themselves. Fetch them with: git lfs pull."
        )
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return CheckpointError(
            f"{source} is a web page, not a model file: the download needed a confirmation. Download it in a browser."
        )
    return CheckpointError(
        f"{source} is not a model file: expected one of torch.save or safetensors, found a file that begins with "
        f"{data[:8]!r}. Choose a model file."
    )


def _listed(names: list[str]) -> str:
    """Name up to three, shortened, since a file may call its tensors anything."""
    shown = ", ".join(repr(name if len(name) <= 60 else name[:57] + "...") for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _shape(value: Tensor) -> str:
    return "x".join(map(str, value.shape)) or "()"
