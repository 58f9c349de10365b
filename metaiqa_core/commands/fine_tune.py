"""Fine-tune a model on rated photos, and measure by repeated splits how good that is."""

import argparse
import dataclasses
import datetime
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from metaiqa_core import __version__
from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database
from metaiqa_core.commands.options.run_folder import add_run_arguments, claim, command_line, common_folder
from metaiqa_core.commands.options.start import Start, add_start_arguments, note_what_was_learned, read_start
from metaiqa_core.commands.output import finish_with_bar
from metaiqa_core.databases import reading
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.calibration import calibrate
from metaiqa_core.evaluation.protocols import authentic_protocol, refuse_collapsed, repeated_splits, summarise
from metaiqa_core.models.card import ModelCard
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.results.outcomes import write_splits
from metaiqa_core.results.run_log import recorded
from metaiqa_core.tasks import split_by_group
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS, LEAST_STEPS, FineTuneConfig, enough_epochs
from metaiqa_core.training.finetune import fine_tune
from metaiqa_core.training.photos import TrainingPhotos, predict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_start_arguments(parser, unsaid="model")
    add_database_arguments(parser)
    add_run_arguments(parser, "state, splits and the new model")
    parser.add_argument("--preset", choices=tuple(FINE_TUNE_PRESETS), default="recommended")
    parser.add_argument(
        "--repeats",
        type=int,
        default=0,
        metavar="N",
        help="first measure by N splits (80/20; CID2013: 4 of 6 sets), and calibrate",
    )
    parser.add_argument(
        "--first-seed", type=int, default=0, metavar="SEED", help="seed of the first split (default: 0)"
    )
    parser.add_argument("--only-measure", action="store_true", help="stop after the repeated splits")
    rehearsal = parser.add_argument_group("rehearsal, so that the start's knowledge is not forgotten")
    rehearsal.add_argument(
        "--rehearse",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR|CSV",
        help="learn from images of these databases too, such as those of the prior; they test nothing",
    )
    rehearsal.add_argument(
        "--rehearsal-share",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="how many of them, drawn by the seed, as a share of the training photos (default: 0.5)",
    )
    card = parser.add_argument_group("what the model's card says")
    card.add_argument("--name", help="name of the new model (default: that of the run folder)")
    card.add_argument("--training-data", help="what the photos are and who rated them (default: the database's name)")
    card.add_argument("--licence", default="not stated", help="terms of the weights and of the data behind them")
    card.add_argument("--population", help="what to call the database's photos in a percentile")
    add_options(parser, FineTuneConfig)
    parser.add_argument(
        "--least-steps",
        type=int,
        metavar="N",
        help=f"more epochs where photos are few (default: {LEAST_STEPS} steps, or as --epochs says)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure if asked to, then train on the whole database and write the model into the run folder."""
    if arguments.repeats < 0:
        raise TrainingError(f"--repeats must be 0 or more, got {arguments.repeats}.")
    if arguments.only_measure and not arguments.repeats:
        raise TrainingError("--only-measure measures by repeated splits: say how many with --repeats.")
    if arguments.rehearsal_share <= 0:
        raise TrainingError(f"--rehearsal-share must be above 0, got {arguments.rehearsal_share:g}.")
    config = chosen(FINE_TUNE_PRESETS[arguments.preset], arguments)
    least_steps = arguments.least_steps
    if least_steps is None:
        least_steps = LEAST_STEPS if arguments.epochs is None else 0
    database = chosen_database(arguments)
    start = read_start(arguments, folded=config.fixed_statistics)
    rehearsed = [reading.read_database(path) for path in arguments.rehearse]
    for other in rehearsed:
        if copied := database.find_copy(other):
            raise TrainingError(
                f"{copied} is to be rehearsed and is also a photo of {database.name}, on which a split may test: "
                "rehearse other images."
            )
    images = [*database.images, *(image for other in rehearsed for image in other)]
    photos = TrainingPhotos(images, start.preprocessing)
    names = ", ".join(other.name for other in rehearsed)
    share = arguments.rehearsal_share if rehearsed else 0.0
    rehearsal = {"rehearsed": names, "rehearsal_share": share}
    name = arguments.name or arguments.run_dir.name

    def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
        state = arguments.run_dir / "splits" / f"state-{seed}.pt"
        tuned = enough_epochs(dataclasses.replace(config, seed=seed), len(training), least_steps)
        network = yield from _train(start, photos, training, database, tuned, share, state)
        state.unlink(missing_ok=True)
        return predict(network, photos, test, config.frozen_stages)

    accuracy, calibration = {}, None
    if arguments.repeats:
        recipe = {
            "start": start.origin,
            "start_hash": start.hash,
            "preprocessing": start.preprocessing.to_dict(),
            "device": start.device.type,
            "configuration": {**config.to_dict(), "seed": None},
            "least_steps": least_steps,
            **rehearsal,
        }
        claim(arguments.run_dir / "splits", recipe, [database, *rehearsed])
        note_what_was_learned([start])
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.repeats)
        measuring = repeated_splits(database, train, seeds, arguments.run_dir / "splits")
        splits = finish_with_bar(recorded(measuring, arguments.run_dir, tensorboard=arguments.tensorboard))
        configuration = {
            **config.to_dict(),
            "least_steps": least_steps,
            **rehearsal,
            "start": start.origin,
            "start_hash": start.hash,
            "device": start.device.type,
            "seed": None,
            "database_folder": common_folder(database),
        }
        judged = [split for split in splits if not split.collapsed]
        if judged:
            write_splits(arguments.run_dir, judged, database, name, configuration)
        refuse_collapsed([split.name for split in splits if split.collapsed], len(splits))
        accuracy = {
            "protocol": authentic_protocol(database),
            "database": f"{arguments.training_data or database.name}, n = {len(database)}",
            "date": datetime.date.today().isoformat(),
            **summarise(splits),
            "srocc_by_split": [round(split.srocc, 4) for split in splits],
            "plcc_by_split": [round(split.plcc, 4) for split in splits],
        }
        if len(splits) > 1:
            calibration = calibrate(splits, arguments.population or f"{database.name} photos")
        sys.stderr.write(
            f"{len(splits)} splits: SROCC {accuracy['srocc_mean']:.4f} +- {accuracy.get('srocc_std', 0):.4f}, "
            f"PLCC {accuracy['plcc_mean']:.4f} +- {accuracy.get('plcc_std', 0):.4f}\n"
        )
    if arguments.only_measure:
        return 0

    everything = list(range(len(database)))
    config = enough_epochs(config, len(database), least_steps)
    state = arguments.run_dir / "state.pt"
    training = _train(start, photos, everything, database, config, share, state)
    network = finish_with_bar(recorded(training, arguments.run_dir, tensorboard=arguments.tensorboard))
    network.fold()  # it has learned, and scores faster so
    learned_from = arguments.training_data or database.name
    if names:
        learned_from += f", rehearsing {names}"
    card = ModelCard(
        name=name,
        summary=f"{network.config.backbone} fine-tuned on {learned_from}.",
        architecture="regressor",
        regressor=network.config,
        preprocessing=start.preprocessing,
        training_data=arguments.training_data or f"{database.name}, {len(database)} photos",
        licence=arguments.licence,
        recipe={
            "command": command_line(),
            "start": start.origin,
            "preset": arguments.preset,
            "configuration": config.to_dict(),
            **rehearsal,
            "device": start.device.type,
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


def _train(
    start: Start,
    photos: TrainingPhotos,
    indices: list[int],
    database: Database,
    config: FineTuneConfig,
    rehearsal_share: float,
    state: Path,
) -> Work[Regressor]:
    """Fine-tune on a database's images and on some of the rehearsed ones, which come after them in `photos`."""
    training, validation = indices, []
    if config.validation_share:
        groups = database.take(indices).groups()
        first, second = split_by_group(groups, config.validation_share, config.seed)
        training, validation = [indices[i] for i in first], [indices[i] for i in second]
    rehearsed = np.random.default_rng((config.seed, 3)).permutation(np.arange(len(database), len(photos)))
    training = [*training, *rehearsed[: round(rehearsal_share * len(training))].tolist()]
    network = start.network(config.seed)
    work = fine_tune(network, photos, training, config, validation=validation, state_file=state)
    return (yield from work).network
