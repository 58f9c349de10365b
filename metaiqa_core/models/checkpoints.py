"""Model files: weights in safetensors and a JSON card beside them, written and loaded only together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from metaiqa_core.assets import ASSETS
from metaiqa_core.errors import CheckpointError
from metaiqa_core.files import sha256_of, write_text, write_whole
from metaiqa_core.models.card import ModelCard, check_card, read_card
from metaiqa_core.models.finite_weights import first_not_finite, require_finite
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.models.released import ReleasedRegressor
from metaiqa_core.preprocessing import Preprocessing

SHIPPED_MODELS = ASSETS / "models"
SHIPPED_PRIORS = ASSETS / "priors"
DEFAULT_MODEL = "mobilenet-metaiqa-livec"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network in evaluation mode with all that belongs to it."""

    network: nn.Module
    card: ModelCard

    @property
    def preprocessing(self) -> Preprocessing:
        """How a photo becomes the network's input."""
        return self.card.preprocessing


def own_models() -> Path:
    """Return the folder of imported and personal models: METAIQA_MODELS, or a folder in the home directory."""
    return Path(os.environ.get("METAIQA_MODELS") or Path.home() / ".local" / "share" / "metaiqa" / "models")


def list_models() -> dict[str, Path]:
    """Return the weights file of every model that has a card, by name: shipped ones first, then own ones."""
    found: dict[str, Path] = {}
    for folder in (SHIPPED_MODELS, own_models()):
        for card in sorted(folder.glob("*.json")):
            if card.name.startswith("."):  # half written, or what some systems put beside a file that they copy
                continue
            found.setdefault(card.stem, card.with_suffix(".safetensors"))
    return found


def list_priors() -> dict[str, Path]:
    """Return the weights file of every shipped quality prior, by name: a start for fine-tuning, not yet a judge."""
    return {card.stem: card.with_suffix(".safetensors") for card in sorted(SHIPPED_PRIORS.glob("*.json"))}


def list_starts() -> dict[str, Path]:
    """Return the weights file of everything that goes by a name: the models and the shipped priors."""
    return list_models() | list_priors()


def find_model(name_or_file: str | Path) -> Path:
    """Return the weights file that a name (`default`, a model, or a shipped prior) or a path stands for.

    Raises:
        CheckpointError: If there is no such model.
    """
    name = str(name_or_file)
    models = list_starts()
    if name == "default":
        return models.get(DEFAULT_MODEL, SHIPPED_MODELS / f"{DEFAULT_MODEL}.safetensors")
    if name in models:
        return models[name]
    path = Path(name_or_file)
    if path.suffix == ".json":
        path = path.with_suffix(".safetensors")
    if path.is_file():
        return path
    raise CheckpointError(
        f"There is no model called {name!r}: expected a file, `default`, or one of {', '.join(models) or 'no others'}."
    )


def load_checkpoint(name_or_file: str | Path = "default") -> Checkpoint:
    """Load a model with its card.

    Args:
        name_or_file: `default`, a model's name, or the path of a `.safetensors` file with its card beside it.

    Returns:
        The network on the CPU, in evaluation mode, without gradients for its weights.

    Raises:
        CheckpointError: If anything about the files is wrong.
    """
    path = find_model(name_or_file)
    weights = read_weights(path)
    card = read_card(path.with_suffix(".json"))
    if card.sha256 and card.sha256 != sha256_of(path):
        raise CheckpointError(
            f"{path.name} is not the file that its card describes (the SHA-256 differs): it was changed or damaged. "
            "Restore both files from the same place."
        )
    with torch.random.fork_rng(devices=[]):  # the initial weights are overwritten: draw them from nobody's generator
        try:
            network = Regressor(card.regressor) if card.architecture == "regressor" else ReleasedRegressor()
        except ValueError as error:
            raise CheckpointError(
                f"The model card {path.stem}.json is not valid: {error}. Restore the file."
            ) from error
    load_weights(network, weights, path)
    network.eval().requires_grad_(False)
    return Checkpoint(network, card)


def save_checkpoint(network: nn.Module, card: ModelCard, path: Path, *, half: bool = False) -> ModelCard:
    """Write weights and card; the card is completed with the weights' SHA-256.

    Args:
        network: The network.
        card: Facts about the model.
        path: The `.safetensors` file; the card goes beside it as `.json`.
        half: Whether to write floating-point weights in half precision: half the size. They are read back as float32.

    Returns:
        The completed card.

    Raises:
        CheckpointError: If the card could not be read again, or the disk refuses; older files stay as they were.
        TrainingError: If a weight is not finite; older files stay as well.
    """
    require_finite(network)
    check_card(card)
    weights = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    if half:
        weights = {key: value.half() if value.is_floating_point() else value for key, value in weights.items()}
        if too_large := [key for key, value in weights.items() if not torch.isfinite(value).all()]:
            raise CheckpointError(f"{too_large[0]} holds values beyond 65,504: write the model in full precision.")
    try:
        write_whole(path, lambda temporary: save_file(weights, temporary, metadata={"format": "pt"}))
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"The model cannot be written to {path}: {error}. Make room or choose another folder."
        ) from error
    card = replace(card, sha256=sha256_of(path))
    write_text(path.with_suffix(".json"), card.to_json())
    return card


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        CheckpointError: If it is missing, is something else (a pickle, a git-lfs pointer), is cut short, or holds
            values that are not finite.
    """
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise CheckpointError(f"The weights file {path.name} cannot be opened: {error.strerror}.") from error
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            f"{path.name} is a git-lfs pointer, not the weights: run `git lfs pull` in its repository."
        )
    # A safetensors file starts with the length of its JSON header, whose bytes can be anything; its ninth byte is "{".
    if start[8:9] != b"{" and (start[:1] == b"\x80" or start[:2] == b"PK"):
        raise CheckpointError(
            f"{path.name} is a pickle, which could run code and is never loaded: "
            f"bring it in with `models import {path.name}`."
        )
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path.name} is not a whole safetensors file ({error}): it was cut short or is another kind of file."
        ) from error
    if broken := first_not_finite(weights):
        raise CheckpointError(
            f"{path.name} holds values that are not finite, first in {broken}: training went wrong there."
        )
    return weights


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Copy weights into a network; every tensor must fit.

    Raises:
        CheckpointError: If tensors are missing, superfluous or of another shape.
    """
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in weights]
    extra = [key for key in weights if key not in wanted]
    wrong = [key for key in wanted if key in weights and weights[key].shape != wanted[key].shape]
    if missing or extra or wrong:
        first = (missing or wrong or extra)[0]
        raise CheckpointError(
            f"{path.name} does not fit the architecture on its card: {len(missing)} tensors are missing, {len(extra)} "
            f"are unknown and {len(wrong)} have another shape, {first} first."
        )
    network.load_state_dict(dict(weights))
