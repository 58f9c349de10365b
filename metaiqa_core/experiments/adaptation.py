"""The part that ablation, adaptation curve and parameter study share: a start is fine-tuned and tested on a fold."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.protocols import Fold, Split
from metaiqa_core.experiments.folds import Candidate, Plan, compare
from metaiqa_core.experiments.run_folder import RunFolder, common_folder
from metaiqa_core.experiments.start import Origin, Start
from metaiqa_core.experiments.trainer import Trainer, network_trainer
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.results.fold_store import folder_of_method
from metaiqa_core.results.records import Protocol, Scalar
from metaiqa_core.training.configuration import LEAST_STEPS, RECOMMENDED, FineTuneConfig, enough_epochs
from metaiqa_core.training.finetune import fine_tune
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.photos import TrainingPhotos


@dataclass(frozen=True)
class AdaptationConfig:
    """Settings of fine-tuning the starts that are compared.

    Attributes:
        tuning: Settings of fine-tuning; the seeds come from the folds.
        least_steps: Least number of steps; small training sets get more epochs to reach it.
        seeds: Seeds of the splits.
    """

    tuning: FineTuneConfig = RECOMMENDED
    least_steps: int = LEAST_STEPS
    seeds: tuple[int, ...] = tuple(range(10))

    def __post_init__(self) -> None:
        if not self.seeds:
            raise ValueError("a comparison needs at least one seed")


def compare_starts(
    origins: Mapping[str, Origin],
    database: Database,
    folds: Sequence[Fold],
    protocol: Protocol,
    config: AdaptationConfig,
    run: RunFolder,
) -> Work[dict[str, list[Split]]]:
    """Fine-tune every start on every fold, with results after each fold.

    Args:
        origins: Starts to compare, by the names that tables give them.
        database: Database that the positions of the folds refer to.
        folds: Folds, each with positions to fine-tune on and to test on.
        protocol: Protocol that the results are labelled with.
        config: Settings of fine-tuning.
        run: Folder of the run.

    Returns:
        By start its finished folds in the order of `folds`; of a shard, those of the shard.

    Raises:
        DatabaseError: If the database teaches nothing.
    """
    require_learnable(database)
    starts = {name: origin.load(folded=config.tuning.fixed_statistics) for name, origin in origins.items()}
    photos = _photos_of(starts, database, config.tuning.frozen_stages)

    def candidate(name: str, start: Start) -> Candidate:
        def tuned_for(fold: Fold) -> FineTuneConfig:
            return enough_epochs(config.tuning, len(fold.training), config.least_steps)

        def configuration_of(fold: Fold) -> dict[str, Scalar]:
            recipe = _recipe(start, tuned_for(fold), config.least_steps, database)
            return recipe | {"start": name, "labelled_photos": len(fold.training)}

        return Candidate(
            name,
            folder_of_method(name),
            _recipe(start, config.tuning, config.least_steps, database),
            lambda fold, state: fine_tuner(start, photos[name], tuned_for(fold), state),
            configuration_of,
            start.has_learned_from,
        )

    candidates = [candidate(name, start) for name, start in starts.items()]
    rounds = [(fold, candidate) for fold in folds for candidate in candidates]
    return (yield from compare(Plan(database, protocol, rounds, publish_every=len(candidates)), run))


def fine_tuner(start: Start, photos: TrainingPhotos, config: FineTuneConfig, state: Path) -> Trainer:
    """Return a trainer that fine-tunes a start.

    Args:
        start: Start of each training.
        photos: Images that the positions refer to.
        config: Settings of fine-tuning; the seed comes from the fold.
        state: File of the state of the unfinished training.
    """

    def learn(training: list[int], seed: int) -> Work[Regressor]:
        tuned = dataclasses.replace(config, seed=seed)
        return (yield from fine_tune(start.network(seed), photos, training, tuned, state_file=state)).network

    return network_trainer(learn, photos, state, frozen_stages=config.frozen_stages)


def _photos_of(starts: Mapping[str, Start], database: Database, frozen_stages: int) -> dict[str, TrainingPhotos]:
    """Return each start's model inputs; starts that see the same, through the same frozen stages, share them."""
    shared: dict[tuple[Preprocessing, str], TrainingPhotos] = {}
    photos = {}
    for name, start in starts.items():
        key = start.preprocessing, hash_of_weights(start.build(0).backbone[:frozen_stages])
        photos[name] = shared.setdefault(key, TrainingPhotos(database.images, start.preprocessing))
    return photos


def _recipe(start: Start, config: FineTuneConfig, least_steps: int, database: Database) -> dict[str, Any]:
    return config.to_dict() | {
        "seed": None,
        "origin": start.origin,
        "start_hash": start.hash,
        "short_side": start.preprocessing.short_side,
        "device": start.device.type,
        "least_steps": least_steps,
        "database_folder": common_folder(database),
    }
