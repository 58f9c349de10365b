"""The loop over folds: experiments plan which candidate is tested on which fold; this computes the missing ones.

for each fold and each candidate
is it in the store?      take it from there
else                     train, predict, put it into the store
publish                  results.json says what the run has measured so far
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.criteria import MINIMUM_IMAGES
from metaiqa_core.evaluation.protocols import Fold, Split
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.trainer import Trainer
from metaiqa_core.progress import Work, outcome, placed
from metaiqa_core.results.finished_fold import FinishedFold, read_fold
from metaiqa_core.results.fold_store import FoldStore
from metaiqa_core.results.records import Protocol, Scalar
from metaiqa_core.results.run_log import recorded

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """One of those that an experiment compares.

    Attributes:
        name: Name in messages, unique within the plan.
        folder: Folder of its finished folds, within the run's folder.
        recipe: Recipe of all its folds, ready for JSON; a folder of folds with another recipe is refused.
        trainer_of: Function that makes a fold's trainer, with a file for the state of the unfinished training.
        configuration_of: Function that returns the configuration of a fold's training, for the results.
        learned_from: Name of the model that it starts from, and the opinion scores that this has learned from; "" for
            none.
        method: Name in tables; "" takes `name`.
    """

    name: str
    folder: str
    recipe: Mapping[str, Any]
    trainer_of: Callable[[Fold, Path], Trainer]
    configuration_of: Callable[[Fold], dict[str, Scalar]]
    learned_from: str = ""
    method: str = ""


@dataclass(frozen=True)
class Plan:
    """The rounds that an experiment computes.

    Attributes:
        database: Database that the positions of the folds refer to.
        protocol: Protocol that the results are labelled with.
        rounds: Pairs of candidate and fold, in the order of the work.
        publish_every: Number of rounds between two publications of the results, so that comparisons are published in
            pairs.
        made_of: Other databases whose images the candidates learn from.
        title: Name of a round in messages; `{fold}` and `{candidate}` stand for the names of both.
        place: Place of a round among all, for progress reports; `{title}`, `{number}` and `{count}` stand for its name,
            its number from 1, and the number of rounds.
    """

    database: Database
    protocol: Protocol
    rounds: Sequence[tuple[Fold, Candidate]]
    publish_every: int = 1
    made_of: Sequence[Database] = ()
    title: str = "{fold} {candidate}"
    place: str = "{title} ({number} of {count})"

    @property
    def candidates(self) -> list[Candidate]:
        """Return the candidates in the order in which they come up."""
        return list({candidate.name: candidate for _, candidate in self.rounds}.values())


def compare(plan: Plan, run: RunFolder) -> Work[dict[str, list[Split]]]:
    """Judge every candidate on its folds, once it is sure that the run's folder holds nothing that was made otherwise.

    Args:
        plan: Rounds to compute.
        run: Folder of the run, with the number of processes.

    Yields:
        The trainers' `Progress`, with the round in its stage, and one at the end of each round.

    Returns:
        By candidate its finished folds in the order of the plan; of a shard, those of the shard.

    Raises:
        TrainingError: If the run's folder holds folds of another configuration, or a worker fails.
        EvaluationError: If no correlation is defined on a fold's test images; or if a fold ranks nothing: then all
            others are finished and published first.
    """
    refuse_unjudgeable(plan)
    fingerprints = {database.name: database.fingerprint() for database in (plan.database, *plan.made_of)}
    for candidate in plan.candidates:
        run.claim(candidate.folder, candidate.recipe, fingerprints)
    for learned_from in dict.fromkeys(candidate.learned_from for candidate in plan.candidates):
        if learned_from:
            logger.warning("NOTE: %s: on those images this is no test.", learned_from)
    if run.workers and not run.shard:
        run.workers.finish(run.folder)
    finished = yield from recorded(run_folds(plan, run), run.log_folder, tensorboard=run.tensorboard)
    if not run.shard:
        refuse_collapsed(plan, finished)
    return {name: [split for split in splits if not split.collapsed] for name, splits in finished.items()}


def run_folds(plan: Plan, run: RunFolder) -> Work[dict[str, list[Split]]]:
    """Compute the folds that are missing, one after the other; the loop that all experiments share.

    Args:
        plan: Rounds to compute.
        run: Folder of the run; with a shard, only its rounds are computed and no results are published.

    Yields:
        The trainers' `Progress`, with the round in its stage, and one at the end of each round.

    Returns:
        By candidate its finished folds in the order of the plan, those that rank nothing too.

    Raises:
        EvaluationError: If the store holds a damaged fold, or that of another database.
    """
    store = FoldStore(run.folder)
    if not run.shard:
        store.gather()
    finished: dict[str, list[Split]] = {candidate.name: [] for candidate in plan.candidates}
    rounds = run.part_of(plan.rounds)
    for number, (fold, candidate) in enumerate(rounds, start=1):
        place = plan.place.format(title=_title(plan, fold, candidate), number=number, count=len(rounds))
        file = run.folder / candidate.folder / f"{fold.name}.json"
        opinion = tuple(plan.database.images[position].unit_score for position in fold.test)
        split = _finished_split(file, fold, opinion)
        if split is None:
            train = candidate.trainer_of(fold, file.with_suffix(".pt"))
            work = train(list(fold.training), list(fold.test), fold.seed)
            predicted = yield from placed(work, place, number, len(rounds))
            split = Split(fold.seed, fold.test, tuple(map(float, predicted)), opinion, fold.name, fold.held_out)
        method, configuration = candidate.method or candidate.name, candidate.configuration_of(fold)
        store.keep(file, FinishedFold.of_today(split, plan.database, method, plan.protocol, configuration))
        finished[candidate.name].append(split)
        if not run.shard and (number % plan.publish_every == 0 or number == len(rounds)):
            store.publish()
        if split.collapsed:
            # A rank correlation with a constant is undefined. The other folds need not wait for what to do about it,
            # but whoever looks may stop a run that lasts for hours.
            logger.warning("%s: every image got the score %.4g, which ranks nothing.", place, split.predicted[0])
            yield outcome(place, number, len(rounds), stage="done, but every image got the same score")
        else:
            yield outcome(place, number, len(rounds), {"srocc": split.srocc, "plcc": split.plcc})
    return finished


def refuse_unjudgeable(plan: Plan) -> None:
    """Say which folds no training could be judged on, before any is trained.

    Args:
        plan: Rounds to compute.

    Raises:
        EvaluationError: If a fold tests on too few images, or on images of one opinion score.
    """
    for fold in dict.fromkeys(fold for fold, _ in plan.rounds):
        opinions = {plan.database.images[position].unit_score for position in fold.test}
        if len(fold.test) < MINIMUM_IMAGES or len(opinions) == 1:
            what = f"{len(fold.test)} images" if len(opinions) > 1 else f"{len(fold.test)} images of the same score"
            raise EvaluationError(
                f"{fold.name} of {plan.database.name} would be judged on {what}, and a correlation needs at least "
                f"{MINIMUM_IMAGES} images with different scores: add rated photos."
            )


def refuse_collapsed(plan: Plan, finished: Mapping[str, Sequence[Split]]) -> None:
    """Say which folds cannot be judged, once all others are finished and published.

    Args:
        plan: Rounds that were computed.
        finished: Finished folds, as `run_folds` returned them.

    Raises:
        EvaluationError: If a fold gave every image the same score.
    """
    collapsed = {(name, split.name) for name, splits in finished.items() for split in splits if split.collapsed}
    names = [
        _title(plan, fold, candidate) for fold, candidate in plan.rounds if (candidate.name, fold.name) in collapsed
    ]
    if names:
        raise EvaluationError(
            f"{len(names)} of {len(plan.rounds)} folds gave every image the same score, which ranks nothing: "
            f"{', '.join(names)}. The others are in the results. Lower the learning rates, with another --run-dir."
        )


def _title(plan: Plan, fold: Fold, candidate: Candidate) -> str:
    return plan.title.format(fold=fold.name, candidate=candidate.name)


def _finished_split(file: Path, fold: Fold, opinion: tuple[float, ...]) -> Split | None:
    found = read_fold(file)
    if found is None:
        return None
    split = found.split
    if (split.seed, split.test, split.opinion) != (fold.seed, fold.test, opinion):
        raise EvaluationError(f"{file} is a split of another database: choose another --run-dir, or delete it.")
    return Split(split.seed, split.test, split.predicted, split.opinion, fold.name, fold.held_out)
