"""How commands go through a protocol: every fold by every method, with results that are there after each."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from metaiqa_core.commands.options.run_folder import log_folder, shard_of, share_folds
from metaiqa_core.commands.output import finish_with_bar
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.protocols import Fold, Split, Trainer, refuse_collapsed, run_fold
from metaiqa_core.files import file_name_for
from metaiqa_core.progress import Progress, Work, renamed
from metaiqa_core.results.outcomes import Outcomes
from metaiqa_core.results.records import Protocol, Scalar
from metaiqa_core.results.run_log import recorded


def folds_folder(run_folder: Path, method: str) -> Path:
    """Return where a method's finished folds lie."""
    return run_folder / "folds" / file_name_for(method)


@dataclass(frozen=True)
class Comparison:
    """Who is judged on what.

    Attributes:
        database: What the folds' positions count.
        folds: What to learn from and to be judged on.
        methods: Who does, by the names that tables give them.
        protocol: How results are to be labelled.
        trainer_of: Makes a fold's trainer by a method, with a file for its state.
        configuration_of: What results say about how that was trained.
    """

    database: Database
    folds: Sequence[Fold]
    methods: Sequence[str]
    protocol: Protocol
    trainer_of: Callable[[Fold, str, Path], Trainer]
    configuration_of: Callable[[Fold, str], dict[str, Scalar]]


def finish_folds(arguments: argparse.Namespace, comparison: Comparison) -> dict[str, list[Split]] | None:
    """Compute the folds that are missing, with a bar and the run's log, in as many processes as were asked for.

    Args:
        arguments: With `run_dir`, `workers`, `shard` and `tensorboard`.
        comparison: What there is to compute.

    Returns:
        By method its outcomes in the order of the folds; None in a process that has only done its share of them.

    Raises:
        EvaluationError: If a fold's outcome cannot be judged; all others are finished and written first.
    """
    share_folds(arguments)
    work = _fold_by_fold(arguments, comparison)
    finished = finish_with_bar(recorded(work, log_folder(arguments), tensorboard=arguments.tensorboard))
    return None if arguments.shard else finished


def say_collapsed(split: Split, place: str) -> None:
    """Say at once that a fold ranks nothing: whoever looks may stop a run that lasts for hours."""
    sys.stderr.write(f"{place}: every image got the score {split.predicted[0]:.4g}, which ranks nothing.\n")


def _fold_by_fold(arguments: argparse.Namespace, comparison: Comparison) -> Work[dict[str, list[Split]]]:
    database, methods = comparison.database, comparison.methods
    outcomes = Outcomes(arguments.run_dir.name, comparison.protocol, database)
    finished: dict[str, list[Split]] = {method: [] for method in methods}
    collapsed = []
    jobs = shard_of([(fold, method) for fold in comparison.folds for method in methods], arguments.shard)
    for number, (fold, method) in enumerate(jobs, start=1):
        place = f"{fold.name} {method} ({number} of {len(jobs)})"
        folder = folds_folder(arguments.run_dir, method)
        trainer = comparison.trainer_of(fold, method, folder / f"{fold.name}.pt")
        split = yield from renamed(run_fold(database, fold, trainer, folder), place)
        if split.collapsed:
            # A rank correlation with a constant is undefined; the other folds need not wait for what to do about it.
            collapsed.append(f"{fold.name} {method}")
            say_collapsed(split, place)
            continue
        finished[method].append(split)
        if not arguments.shard:
            outcomes.add(split, method, comparison.configuration_of(fold, method))
            if number % len(methods) == 0:
                outcomes.write(arguments.run_dir, folds=arguments.run_dir / "folds")
        yield Progress(f"{place}: done", number, len(jobs), {"srocc": split.srocc, "plcc": split.plcc})
    if collapsed and not arguments.shard:
        if any(finished.values()):
            outcomes.write(arguments.run_dir, folds=arguments.run_dir / "folds")
        refuse_collapsed(collapsed, len(jobs))
    return finished
