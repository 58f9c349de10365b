"""Leave one distortion out: learn from all types but one, and be judged on that one (Table 2)."""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.commands.fold_by_fold import Comparison, finish_folds, folds_folder
from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database
from metaiqa_core.commands.options.prior import METHODS, PriorRecipe, add_prior_arguments, read_recipe
from metaiqa_core.commands.options.run_folder import add_run_arguments, add_worker_arguments, claim, common_folder
from metaiqa_core.commands.options.start import note_what_was_learned
from metaiqa_core.commands.output import as_table
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import DatabaseError
from metaiqa_core.evaluation.protocols import Fold, Split, Trainer, leave_one_distortion_out_folds
from metaiqa_core.progress import Work
from metaiqa_core.results.records import Protocol
from metaiqa_core.tasks import distortion_tasks
from metaiqa_core.training.photos import TrainingPhotos, predict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser)
    add_run_arguments(parser, "finished folds and the results, which the app shows")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="(default: both)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="SEED", help="(default: 0)")
    parser.add_argument("--types", nargs="+", metavar="TYPE", help="hold out only these, such as GB (default: each)")
    add_worker_arguments(parser)
    add_prior_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compute the folds that are missing, write the results, and print SROCC by type."""
    database = chosen_database(arguments)
    recipe = read_recipe(arguments)
    folds = _chosen(leave_one_distortion_out_folds(database, arguments.seeds), arguments.types, database)
    for method in arguments.methods:
        claim(folds_folder(arguments.run_dir, method), recipe.to_dict(), [database])
    note_what_was_learned([recipe.start])
    photos = TrainingPhotos(database.images, recipe.start.preprocessing)
    configuration = recipe.to_dict() | {"database_folder": common_folder(database)}
    comparison = Comparison(
        database,
        folds,
        arguments.methods,
        Protocol.LEAVE_ONE_DISTORTION_OUT,
        lambda _, method, state: _trainer(method, recipe, photos, database, state),
        lambda _, __: configuration,
    )
    finished = finish_folds(arguments, comparison)
    if finished:
        sys.stdout.write(_table(finished, arguments.methods))
    return 0


def _chosen(folds: list[Fold], types: list[str] | None, database: Database) -> list[Fold]:
    """Return the folds that hold out the types, which may be named by their keys or as tables abbreviate them."""
    if not types:
        return folds
    names = {name: fold.held_out for fold in folds for name in (fold.held_out, fold.held_out.partition(":")[2])}
    if unknown := [name for name in types if name not in names]:
        raise DatabaseError(
            f"{database.name} has no distortion type {', '.join(unknown)}: expected some of "
            f"{', '.join(dict.fromkeys(names.values()))}."
        )
    wanted = {names[name] for name in types}
    return [fold for fold in folds if fold.held_out in wanted]


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
