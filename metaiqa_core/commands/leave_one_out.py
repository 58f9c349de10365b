"""Leave one distortion out: learn from all types but one, and be judged on that one (Table 2)."""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.commands.database import add_database_arguments, read_database
from metaiqa_core.commands.output import as_table, finish_with_bar
from metaiqa_core.commands.priors import METHODS, PriorRecipe, add_prior_arguments, read_recipe
from metaiqa_core.commands.run_folder import (
    add_run_arguments,
    add_worker_arguments,
    claim,
    common_folder,
    log_folder,
    shard_of,
    share_folds,
)
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.protocols import Fold, Split, Trainer, leave_one_distortion_out_folds, run_fold
from metaiqa_core.progress import Progress, Work, renamed
from metaiqa_core.results.outcomes import Outcomes
from metaiqa_core.results.records import Protocol
from metaiqa_core.results.run_log import recorded
from metaiqa_core.tasks import distortion_tasks
from metaiqa_core.training.photos import TrainingPhotos, predict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser)
    add_run_arguments(parser, "finished folds and the results, which the app shows")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="(default: both)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="SEED", help="(default: 0)")
    parser.add_argument("--types", nargs="+", metavar="KEY", help="hold out only these types (default: each)")
    add_worker_arguments(parser)
    add_prior_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compute the folds that are missing, write the results, and print SROCC by type."""
    database = read_database(arguments)
    recipe = read_recipe(arguments)
    folds = leave_one_distortion_out_folds(database, arguments.seeds)
    if arguments.types:
        folds = [fold for fold in folds if fold.held_out in arguments.types]
    claim(arguments.run_dir / "folds", recipe.to_dict() | {"database": database.name})
    share_folds(arguments)
    work = _fold_by_fold(arguments, database, recipe, folds)
    finished = finish_with_bar(recorded(work, log_folder(arguments), tensorboard=arguments.tensorboard))
    if not arguments.shard:
        sys.stdout.write(_table(finished, arguments.methods))
    return 0


def _fold_by_fold(
    arguments: argparse.Namespace, database: Database, recipe: PriorRecipe, folds: list[Fold]
) -> Work[dict[str, list[Split]]]:
    photos = TrainingPhotos(database.images, recipe.start.preprocessing)
    configuration = recipe.to_dict() | {"database_folder": common_folder(database)}
    outcomes = Outcomes(arguments.run_dir.name, Protocol.LEAVE_ONE_DISTORTION_OUT, database)
    finished: dict[str, list[Split]] = {method: [] for method in arguments.methods}
    jobs = shard_of([(fold, method) for fold in folds for method in arguments.methods], arguments.shard)
    for number, (fold, method) in enumerate(jobs, start=1):
        place = f"{fold.held_out.partition(':')[2]} {method} ({number} of {len(jobs)})"
        folder = arguments.run_dir / "folds" / method
        trainer = _trainer(method, recipe, photos, database, folder / f"{fold.name}.pt")
        split = yield from renamed(run_fold(database, fold, trainer, folder), place)
        finished[method].append(split)
        if not arguments.shard:
            outcomes.add(split, method, configuration)
            if number % len(arguments.methods) == 0:
                outcomes.write(arguments.run_dir)
        yield Progress(f"{place}: done", number, len(jobs), {"srocc": split.srocc, "plcc": split.plcc})
    return finished


def _trainer(method: str, recipe: PriorRecipe, photos: TrainingPhotos, database: Database, state: Path) -> Trainer:
    def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
        allowed = set(training)
        tasks = [task for task in distortion_tasks(database) if allowed.issuperset(task.positions)]
        network = yield from recipe.train(method, photos, tasks, seed, state)
        predicted = predict(network, photos, test)
        state.unlink(missing_ok=True)
        return predicted

    return train


def _table(finished: dict[str, list[Split]], methods: list[str]) -> str:
    types = list(dict.fromkeys(split.held_out for splits in finished.values() for split in splits))
    means = {
        method: [np.mean([split.srocc for split in finished[method] if split.held_out == kind]) for kind in types]
        for method in methods
    }
    rows = [[kind, *(f"{means[method][place]:.4f}" for method in methods)] for place, kind in enumerate(types)]
    rows.append(["mean", *(f"{np.mean(means[method]):.4f}" for method in methods)])
    return as_table(rows, ["held out", *(f"SROCC {method}" for method in methods)])
