"""List the models, show a model's card, or import foreign weights without executing them."""

import argparse
import re
from pathlib import Path

from metaiqa_core import __version__
from metaiqa_core.commands.output import as_json, as_table, say, write
from metaiqa_core.errors import CheckpointError
from metaiqa_core.files import check_output
from metaiqa_core.models.card import ModelCard, read_card
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.foreign.imported import import_foreign_checkpoint
from metaiqa_core.models.model_files import DEFAULT_MODEL, find_model, list_graph_models, list_starts, own_models
from metaiqa_core.preprocessing import Preprocessing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|import")
    listing = actions.add_parser("list", help="list the models with their accuracy and summary")
    listing.add_argument(
        "--format", choices=("table", "json"), default="table", help="format of the output (default: table)"
    )
    show = actions.add_parser("show", help="show a model's card")
    show.add_argument("model", metavar="NAME|FILE")
    foreign = actions.add_parser("import", help="import a checkpoint of the authors' published code")
    foreign.add_argument("file", type=Path, metavar="FILE")
    foreign.add_argument("--name", help="name of the imported model (default: the file's name)")
    foreign.add_argument("--licence", default="as published by the authors of the weights; not stated in the file")


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen sub-command."""
    return {"list": _list, "show": _show, "import": _import}[arguments.action](arguments)


def _list(arguments: argparse.Namespace) -> int:
    cards: list[ModelCard] = []
    for path in (list_starts() | list_graph_models()).values():
        try:
            cards.append(read_card(path.with_suffix(".json")))
        except CheckpointError as error:
            say(str(error))  # one damaged card does not hide the others
    if arguments.format == "json":
        rows = [{"name": card.name, "summary": card.summary, "accuracy": card.accuracy} for card in cards]
        write(as_json(rows), None)
        return 0
    lines = [
        [
            f"{card.name} (default)" if card.name == DEFAULT_MODEL else card.name,
            _backbone(card),
            _srocc(card),
            card.summary,
        ]
        for card in cards
    ]
    write(as_table(lines, ["name", "backbone", "SROCC", "summary"]), None)
    return 0


def _backbone(card: ModelCard) -> str:
    if card.graph:
        return f"{card.graph.backbone.backbone}, graph"
    return card.regressor.backbone if card.regressor else "released code"


def _srocc(card: ModelCard) -> str:
    if "srocc_mean" in card.accuracy:
        return f"{card.accuracy['srocc_mean']:.3f}"
    return f"{card.accuracy['srocc']:.3f} zero-shot" if "srocc" in card.accuracy else "not measured"


def _show(arguments: argparse.Namespace) -> int:
    write(read_card(find_model(arguments.model).with_suffix(".json")).to_json(), None)
    return 0


def _import(arguments: argparse.Namespace) -> int:
    name = arguments.name or arguments.file.stem
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise CheckpointError(f"A model's name has letters, digits, dots, dashes and underscores only, got {name!r}.")
    path = own_models() / f"{name}.safetensors"
    if name == "default" or name in list_starts() | list_graph_models():
        raise CheckpointError(f"There is a model called {name} already: choose another with --name.")
    check_output(path, [arguments.file])
    check_output(path.with_suffix(".json"), [arguments.file])
    network = import_foreign_checkpoint(arguments.file)
    card = ModelCard(
        name=name,
        summary=f"Imported from {arguments.file.name}: the network of the authors' released code.",
        architecture="released-code",
        regressor=None,
        # The released code resizes to 256 and crops 224 x 224; whole photos at that scale are the nearest use of it
        # that keeps the aspect ratio and has no random part.
        preprocessing=Preprocessing(short_side=256),
        training_data="stated by whoever published the file",
        licence=arguments.licence,
        code_version=__version__,
    )
    save_checkpoint(network, card, path)
    say(f"imported as {name}: use it with --model {name}")
    return 0
