"""How commands measure what a start is worth: fine-tune it on some labelled photos and judge it on held-out ones."""

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.commands.fold_by_fold import Comparison, finish_folds, folds_folder
from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.device import add_device_argument, read_device
from metaiqa_core.commands.options.run_folder import claim, common_folder
from metaiqa_core.commands.options.start import Start, note_what_was_learned, start_from_backbone, start_from_model
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.protocols import Fold, Split, Trainer
from metaiqa_core.models.backbones import BACKBONES
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.results.records import Protocol, Scalar
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS, LEAST_STEPS, FineTuneConfig, enough_epochs
from metaiqa_core.training.finetune import fine_tune
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.photos import TrainingPhotos, predict


def add_adaptation_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the starts that are compared and how they are fine-tuned."""
    parser.add_argument(
        "--start",
        action="append",
        required=True,
        metavar="NAME=MODEL|NAME=BACKBONE:WEIGHTS",
        help="what to compare, once for each: a model, or a backbone with imagenet, random, or a file of its weights",
    )
    parser.add_argument("--short-side", type=int, default=500, help="model resolution with a backbone (default: 500)")
    add_device_argument(parser)
    parser.add_argument(
        "--least-steps",
        type=int,
        default=LEAST_STEPS,
        metavar="N",
        help=f"more epochs where photos are few (default: {LEAST_STEPS} steps)",
    )
    parser.add_argument("--preset", choices=tuple(FINE_TUNE_PRESETS), default="recommended")
    add_options(parser, FineTuneConfig, skip=("seed",))


def read_starts(arguments: argparse.Namespace) -> dict[str, Start]:
    """Return the starts by the names that tables give them.

    Raises:
        TrainingError: If a name is missing or comes twice, or the device is not there.
        CheckpointError: If one cannot be had.
    """
    folded = chosen(FINE_TUNE_PRESETS[arguments.preset], arguments).fixed_statistics
    device = read_device(arguments)
    starts: dict[str, Start] = {}
    for text in arguments.start:
        name, _, origin = text.partition("=")
        if not (name and origin) or name in starts:
            raise TrainingError(f"--start takes NAME=MODEL with a name of its own, got {text!r}.")
        backbone, _, weights = origin.partition(":")
        if backbone in BACKBONES and weights:
            short_side = arguments.short_side
            starts[name] = start_from_backbone(backbone, weights, short_side, folded=folded, device=device)
        else:
            starts[name] = start_from_model(origin, folded=folded, device=device)
    return starts


def compare_starts(
    arguments: argparse.Namespace,
    starts: Mapping[str, Start],
    database: Database,
    folds: Sequence[Fold],
    protocol: Protocol,
) -> dict[str, list[Split]] | None:
    """Fine-tune every start on every fold; the results so far are in the run's folder after each fold.

    Returns:
        What `finish_folds` returns.
    """
    config = chosen(FINE_TUNE_PRESETS[arguments.preset], arguments)
    photos = _photos_of(starts, database, config.frozen_stages)
    for name, start in starts.items():
        claim(folds_folder(arguments.run_dir, name), _recipe(start, config, arguments, database), [database])
    note_what_was_learned(starts.values())

    def tuned_for(fold: Fold) -> FineTuneConfig:
        return enough_epochs(config, len(fold.training), arguments.least_steps)

    def trainer_of(fold: Fold, name: str, state: Path) -> Trainer:
        return fine_tuner(starts[name], photos[name], tuned_for(fold), state)

    def configuration_of(fold: Fold, name: str) -> dict[str, Scalar]:
        recipe = _recipe(starts[name], tuned_for(fold), arguments, database)
        return recipe | {"start": name, "labelled_photos": len(fold.training)}

    comparison = Comparison(database, folds, list(starts), protocol, trainer_of, configuration_of)
    return finish_folds(arguments, comparison)


def _photos_of(starts: Mapping[str, Start], database: Database, frozen_stages: int) -> dict[str, TrainingPhotos]:
    """Return each start's model inputs; starts that see the same, through the same frozen stages, share them."""
    shared: dict[tuple[Preprocessing, str], TrainingPhotos] = {}
    photos = {}
    for name, start in starts.items():
        key = start.preprocessing, hash_of_weights(start.build(0).backbone[:frozen_stages])
        photos[name] = shared.setdefault(key, TrainingPhotos(database.images, start.preprocessing))
    return photos


def fine_tuner(start: Start, photos: TrainingPhotos, config: FineTuneConfig, state: Path) -> Trainer:
    """Return a trainer that fine-tunes a start and forgets its state when it is done."""

    def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
        network = start.network(seed)
        tuned = dataclasses.replace(config, seed=seed)
        network = (yield from fine_tune(network, photos, training, tuned, state_file=state)).network
        predicted = predict(network, photos, test, config.frozen_stages)
        state.unlink(missing_ok=True)
        return predicted

    return train


def _recipe(start: Start, config: FineTuneConfig, arguments: argparse.Namespace, database: Database) -> dict[str, Any]:
    return config.to_dict() | {
        "seed": None,
        "origin": start.origin,
        "start_hash": start.hash,
        "short_side": start.preprocessing.short_side,
        "device": start.device.type,
        "least_steps": arguments.least_steps,
        "database_folder": common_folder(database),
    }
