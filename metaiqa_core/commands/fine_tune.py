"""Fine-tune a model on rated photos, and measure by repeated splits how good that is."""

import argparse
import dataclasses
import datetime
import functools
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from metaiqa_core import __version__
from metaiqa_core.commands.database import add_database_arguments, read_database
from metaiqa_core.commands.options import add_options, chosen
from metaiqa_core.commands.output import as_json, finish_with_bar
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import CheckpointError, TrainingError
from metaiqa_core.evaluation.calibration import calibrate
from metaiqa_core.evaluation.protocols import repeated_splits, summarise
from metaiqa_core.files import write_text
from metaiqa_core.models.backbones import BACKBONES, imagenet_weights
from metaiqa_core.models.card import ModelCard
from metaiqa_core.models.checkpoints import load_checkpoint, save_checkpoint
from metaiqa_core.models.imported import read_foreign_state_dict
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.results.repeated_splits import write_splits
from metaiqa_core.tasks import split_by_group
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS, FineTuneConfig
from metaiqa_core.training.finetune import fine_tune
from metaiqa_core.training.photos import TrainingPhotos, predict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    start = parser.add_argument_group("where to start")
    start.add_argument("--model", default="default", metavar="NAME|FILE", help="a model to go on from")
    start.add_argument("--backbone", choices=BACKBONES, help="start from a backbone instead of a model")
    start.add_argument(
        "--initial-weights",
        default="imagenet",
        metavar="imagenet|random|FILE",
        help="of the backbone: downloaded, random, or a state dict of the torchvision classifier",
    )
    start.add_argument("--short-side", type=int, default=500, help="model resolution with --backbone (default: 500)")
    add_database_arguments(parser)
    parser.add_argument("--run-dir", required=True, type=Path, metavar="DIR", help="state, splits and the new model")
    parser.add_argument("--preset", choices=tuple(FINE_TUNE_PRESETS), default="recommended")
    parser.add_argument(
        "--repeats", type=int, default=0, metavar="N", help="first measure by N random 80/20 splits, and calibrate"
    )
    parser.add_argument(
        "--first-seed", type=int, default=0, metavar="SEED", help="seed of the first split (default: 0)"
    )
    parser.add_argument("--only-measure", action="store_true", help="stop after the repeated splits")
    card = parser.add_argument_group("what the model's card says")
    card.add_argument("--name", help="name of the new model (default: that of the run folder)")
    card.add_argument("--training-data", help="what the photos are and who rated them (default: the database's name)")
    card.add_argument("--licence", default="not stated", help="terms of the weights and of the data behind them")
    card.add_argument("--population", help="what to call the database's photos in a percentile")
    add_options(parser, FineTuneConfig)


def run(arguments: argparse.Namespace) -> int:
    """Measure if asked to, then train on the whole database and write the model into the run folder."""
    if arguments.repeats < 0:
        raise TrainingError(f"--repeats must be 0 or more, got {arguments.repeats}.")
    if arguments.only_measure and not arguments.repeats:
        raise TrainingError("--only-measure measures by repeated splits: say how many with --repeats.")
    config = chosen(FINE_TUNE_PRESETS[arguments.preset], arguments)
    database = read_database(arguments)
    start, preprocessing, origin = _start(arguments)
    photos = TrainingPhotos(database.images, preprocessing)
    name = arguments.name or arguments.run_dir.name

    def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
        state = arguments.run_dir / "splits" / f"state-{seed}.pt"
        network = yield from _train(start, photos, training, database, dataclasses.replace(config, seed=seed), state)
        state.unlink(missing_ok=True)
        return predict(network, photos, test)

    accuracy, calibration = {}, None
    if arguments.repeats:
        recipe = {
            "start": origin,
            "backbone": arguments.backbone,
            "preprocessing": preprocessing.to_dict(),
            "configuration": {**config.to_dict(), "seed": None},
        }
        _claim(arguments.run_dir / "splits", recipe)
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.repeats)
        splits = finish_with_bar(repeated_splits(database, train, seeds, arguments.run_dir / "splits"))
        accuracy = {
            "protocol": "repeated random 80/20 splits, identical images on one side; trained on 80 %, tested on 20 %",
            "database": f"{arguments.training_data or database.name}, n = {len(database)}",
            "date": datetime.date.today().isoformat(),
            **summarise(splits),
            "srocc_by_split": [round(split.srocc, 4) for split in splits],
            "plcc_by_split": [round(split.plcc, 4) for split in splits],
        }
        configuration = {**config.to_dict(), "start": origin, "seed": None, "database_folder": _common_folder(database)}
        write_splits(arguments.run_dir, splits, database, name, configuration)
        if len(splits) > 1:
            calibration = calibrate(splits, arguments.population or f"{database.name} photos")
        sys.stderr.write(
            f"{len(splits)} splits: SROCC {accuracy['srocc_mean']:.4f} +- {accuracy.get('srocc_std', 0):.4f}, "
            f"PLCC {accuracy['plcc_mean']:.4f} +- {accuracy.get('plcc_std', 0):.4f}\n"
        )
    if arguments.only_measure:
        return 0

    everything = list(range(len(database)))
    state = arguments.run_dir / "state.pt"
    network = finish_with_bar(_train(start, photos, everything, database, config, state))
    card = ModelCard(
        name=name,
        summary=f"{network.config.backbone} fine-tuned on {arguments.training_data or database.name}.",
        architecture="regressor",
        regressor=network.config,
        preprocessing=preprocessing,
        training_data=arguments.training_data or f"{database.name}, {len(database)} photos",
        licence=arguments.licence,
        recipe={
            "command": _command(),
            "start": origin,
            "preset": arguments.preset,
            "configuration": config.to_dict(),
            "images": len(database),
            "torch": torch.__version__,
        },
        accuracy=accuracy,
        calibration=calibration,
        created=datetime.date.today().isoformat(),
        code_version=__version__,
    )
    path = arguments.run_dir / f"{name}.safetensors"
    save_checkpoint(network, card, path)
    sys.stderr.write(f"wrote {path} and its card\n")
    return 0


def _claim(folder: Path, recipe: dict[str, Any]) -> None:
    """Refuse a folder whose finished splits another recipe made: their numbers would go onto this model's card."""
    file, content = folder / "recipe.json", as_json(recipe)
    if not file.exists():
        write_text(file, content)
    elif file.read_text(encoding="utf-8") != content:
        raise TrainingError(
            f"The splits in {folder} were made by another configuration: choose another --run-dir, or delete it."
        )


def _train(
    start: functools.partial[Regressor],
    photos: TrainingPhotos,
    indices: list[int],
    database: Database,
    config: FineTuneConfig,
    state: Path,
) -> Work[Regressor]:
    training, validation = indices, []
    if config.validation_share:
        groups = database.take(indices).groups()
        first, second = split_by_group(groups, config.validation_share, config.seed)
        training, validation = [indices[i] for i in first], [indices[i] for i in second]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)  # of the new layers
        network = start()
    work = fine_tune(network, photos, training, config, validation=validation, state_file=state)
    return (yield from work).network


def _start(arguments: argparse.Namespace) -> tuple[functools.partial[Regressor], Preprocessing, str]:
    """Return how to build the prior afresh for each split, its preprocessing, and where it comes from."""
    if arguments.backbone is None:
        checkpoint = load_checkpoint(arguments.model)
        if not isinstance(checkpoint.network, Regressor):
            raise CheckpointError(
                f"{checkpoint.card.name} has the released code's architecture, which is for scoring only: "
                "fine-tune one of our own models, or start with --backbone resnet18."
            )
        return functools.partial(_copy, checkpoint.network), checkpoint.preprocessing, checkpoint.card.name
    config = RegressorConfig(backbone=arguments.backbone, dropout=0.2, folded=arguments.preset == "recommended")
    preprocessing = Preprocessing(short_side=arguments.short_side)
    origin = arguments.initial_weights
    if origin == "random":
        sys.stderr.write("WARNING: the backbone starts from random weights; expect far lower accuracy.\n")
        return functools.partial(Regressor, config), preprocessing, "random weights"
    weights = imagenet_weights(arguments.backbone) if origin == "imagenet" else read_foreign_state_dict(origin)
    build = functools.partial(Regressor, config, backbone_weights=weights, source=origin)
    named = "torchvision's ImageNet weights" if origin == "imagenet" else f"weights from {Path(origin).name}"
    return build, preprocessing, f"{arguments.backbone}, {named}"


def _copy(network: Regressor) -> Regressor:
    copy = Regressor(network.config)
    copy.load_state_dict(network.state_dict())
    return copy


def _common_folder(database: Database) -> str | None:
    folders = {image.path.parent.resolve() for image in database}
    return str(folders.pop()) if len(folders) == 1 else None


def _command() -> str:
    """The command line of this run, with file paths shortened to their names."""
    # os.path: unlike Path.exists it says no, where a sentence is longer than any file name.
    words = [Path(word).name if os.path.exists(word) else word for word in sys.argv[1:]]  # noqa: PTH110
    return shlex.join(["python", "-m", "metaiqa_core", *words])
