"""Model files by name: weights with their card beside them, those of the program, a user's own, and those of runs."""

import os
from functools import lru_cache
from pathlib import Path

from metaiqa_core.assets import ASSETS
from metaiqa_core.errors import CheckpointError
from metaiqa_core.files import sha256_of
from metaiqa_core.models.card import ModelCard, read_card
from metaiqa_core.settings import runs_folder

SHIPPED_MODELS = ASSETS / "models"
SHIPPED_PRIORS = ASSETS / "priors"
SHIPPED_GRAPH_MODELS = ASSETS / "graph_models"
DEFAULT_MODEL = "lite0-joint"
DEFAULT_START = "mobilenet-metaiqa-livec"
"""Model that fine-tuning continues from unless told otherwise: the presets were chosen on it."""

DEFAULT_GRAPH_MODEL = "lite0-graph"
"""Model that names defects."""


def own_models() -> Path:
    """Return the folder of imported and personal models: METAIQA_MODELS, or a folder in the home directory."""
    return Path(os.environ.get("METAIQA_MODELS") or Path.home() / ".local" / "share" / "metaiqa" / "models")


def list_models() -> dict[str, Path]:
    """Return the weights file of every model that has a card, by name: shipped ones, own ones, then those of runs."""
    kept = _kept_models()
    return kept | {name: file for name, file in list_run_models().items() if name not in kept and _is_judge(file)}


def _kept_models() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in (SHIPPED_MODELS, own_models()):
        for card in sorted(folder.glob("*.json")):
            if card.name.startswith("."):  # half written, or what some systems put beside a file that they copy
                continue
            found.setdefault(card.stem, card.with_suffix(".safetensors"))
    return found


def list_run_models() -> dict[str, Path]:
    """Return the weights file of every model that a run has made, by name.

    A run writes its model and the card together, at its end: what is found can be used. A model whose name another one
    has is called by its run too: `mine (run-2)`.
    """
    found: dict[str, Path] = {}
    taken = {"default", *_kept_models(), *list_priors(), *list_graph_models()}
    try:
        folders = sorted(entry for entry in runs_folder().resolve().iterdir() if not entry.name.startswith("."))
    except OSError:
        return found
    for folder in folders:
        for file in sorted(folder.glob("*.safetensors")) if folder.is_dir() and not folder.is_symlink() else ():
            if file.with_suffix(".json").is_file() and file.is_file():
                is_free = file.stem not in taken and file.stem not in found
                found[file.stem if is_free else f"{file.stem} ({folder.name})"] = file
    return found


def _is_judge(file: Path) -> bool:
    """Return whether a run's model gives scores, which a model that names defects does not."""
    try:
        return _architecture(file.with_suffix(".json"), file.stat().st_mtime_ns) != "distortion-graph"
    except (CheckpointError, OSError):
        return False


@lru_cache(maxsize=512)
def _architecture(card: Path, changed: int) -> str:
    return read_card(card).architecture


def list_priors() -> dict[str, Path]:
    """Return the weights file of every shipped quality prior, by name: a start for fine-tuning, not yet a judge."""
    return {card.stem: card.with_suffix(".safetensors") for card in sorted(SHIPPED_PRIORS.glob("*.json"))}


def list_graph_models() -> dict[str, Path]:
    """Return the weights file of every shipped model that names defects, by name."""
    return {card.stem: card.with_suffix(".safetensors") for card in sorted(SHIPPED_GRAPH_MODELS.glob("*.json"))}


def list_starts() -> dict[str, Path]:
    """Return the weights file of everything that goes by a name: the models and the shipped priors."""
    return list_models() | list_priors()


def find_model(name_or_file: str | Path) -> Path:
    """Return the weights file that a name (`default`, a model, a shipped prior or graph model) or a path stands for.

    Raises:
        CheckpointError: If there is no such model.
    """
    name = str(name_or_file)
    models = list_starts() | list_graph_models()
    models |= {file_name: file for file_name, file in list_run_models().items() if file_name not in models}
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


def read_card_of(path: Path) -> ModelCard:
    """Read the card of a weights file, and make sure that it describes this file.

    Raises:
        CheckpointError: If the card is missing or wrong, or the file is another than the one that it describes.
    """
    card = read_card(path.with_suffix(".json"))
    if card.sha256 and card.sha256 != sha256_of(path):
        raise CheckpointError(
            f"{path.name} is not the file that its card describes (the SHA-256 differs): it was changed or damaged. "
            "Restore both files from the same place."
        )
    return card
