"""Model files: weights in safetensors and a JSON card beside them, written and loaded only together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from metaiqa_core.errors import CheckpointError
from metaiqa_core.files import is_full_disk, sha256_of, write_together
from metaiqa_core.models.card import ModelCard, check_card
from metaiqa_core.models.distortion_graph.graph_network import GraphNetwork
from metaiqa_core.models.finite_weights import first_not_finite, require_finite
from metaiqa_core.models.model_files import find_model, read_card_of
from metaiqa_core.models.personal import PersonalRegressor
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.models.released import ReleasedRegressor
from metaiqa_core.models.weight_files import not_finite, not_whole, refuse_other_files
from metaiqa_core.preprocessing import Preprocessing


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network in evaluation mode with its card."""

    network: nn.Module
    card: ModelCard

    @property
    def preprocessing(self) -> Preprocessing:
        """Preprocessing that turns a photo into the network's input."""
        return self.card.preprocessing


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
    card = read_card_of(path)
    try:
        network = build_network(card)
    except ValueError as error:
        raise CheckpointError(f"The model card {path.stem}.json is not valid: {error}. Restore the file.") from error
    load_weights(network, weights, path)
    network.eval().requires_grad_(False)
    return Checkpoint(network, card)


def build_network(card: ModelCard) -> nn.Module:
    """Build the network that a card describes, with random weights; no generator moves.

    Raises:
        ValueError: If a stage is to be pooled that the backbone does not have.
    """
    with torch.random.fork_rng(devices=[]):
        if card.architecture == "distortion-graph" and card.graph is not None:
            return GraphNetwork(card.graph)
        if card.architecture == "released-code" or card.regressor is None:
            return ReleasedRegressor()
        return (PersonalRegressor if card.architecture == "personal" else Regressor)(card.regressor)


def save_checkpoint(network: nn.Module, card: ModelCard, path: Path, *, half: bool = False) -> ModelCard:
    """Write weights and card; the card is completed with the weights' SHA-256.

    Args:
        network: Network to save.
        card: Facts about the model.
        path: `.safetensors` file to write; the card goes beside it as `.json`.
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
    completed = card

    def write_card(temporary: Path) -> None:
        temporary.write_text(completed.to_json(), encoding="utf-8", newline="")

    def write_model(temporary: Path) -> None:
        nonlocal completed
        save_file(weights, temporary, metadata={"format": "pt"})
        completed = replace(card, sha256=sha256_of(temporary))

    try:
        write_together({path: write_model, path.with_suffix(".json"): write_card})
    except (OSError, SafetensorError) as error:
        if is_full_disk(error):
            raise CheckpointError(
                f"The disk is full, so the model cannot be written to {path}: make room and start the same command "
                "again."
            ) from error
        raise CheckpointError(f"The model cannot be written to {path}: {error}. Choose another folder.") from error
    return completed


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        CheckpointError: If it is missing, is something else (a pickle, a git-lfs pointer), is cut short, or holds
            values that are not finite.
    """
    refuse_other_files(path)
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise not_whole(path, error) from error
    if broken := first_not_finite(weights):
        raise not_finite(path, broken)
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
