"""Make a model: fine-tune a start on all photos of a database, after measuring by repeated splits how good that is."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from metaiqa_core import __version__
from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.protocols import authentic_protocol
from metaiqa_core.experiments.repeated_splits import RepeatedSplits, RepeatedSplitsConfig, measure
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin
from metaiqa_core.experiments.tuning import Tuning, TuningConfig
from metaiqa_core.models.card import ModelCard, check_card, check_name
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.results.run_log import recorded
from metaiqa_core.training.photos import predict


@dataclass(frozen=True)
class FineTuningConfig(TuningConfig):
    """Settings of fine-tuning, of the measurement before it, and of the model's card.

    Attributes:
        repeats: Number of repeated splits to measure before the final training; 0 skips them.
        first_seed: Seed of the first split.
        only_measure: Whether to stop after the repeated splits.
        preset: Name of the settings of fine-tuning.
        name: Name of the new model; "" takes the name of the run folder.
        training_data: Description of the photos and of who rated them; "" takes the name of the database.
        licence: Terms of the weights and of the data behind them.
        population: Name of the database's photos in a percentile; "" takes the name of the database.
    """

    repeats: int = 0
    first_seed: int = 0
    only_measure: bool = False
    preset: str = "recommended"
    name: str = ""
    training_data: str = ""
    licence: str = "not stated"
    population: str = ""

    def __post_init__(self) -> None:
        if self.repeats < 0:
            raise ValueError(f"--repeats must be 0 or more, got {self.repeats}.")
        if self.only_measure and not self.repeats:
            raise ValueError("--only-measure measures by repeated splits: say how many with --repeats.")
        if self.name:
            check_name(self.name)
        if len(self.population) > 200:
            raise ValueError(f"--population must be at most 200 characters, got {len(self.population)}.")
        super().__post_init__()


@dataclass(frozen=True, eq=False)
class TunedModel:
    """Result of fine-tuning.

    Attributes:
        measured: Results of the repeated splits; None where none were asked for.
        network: Fine-tuned model, in evaluation mode; None where only measuring was asked for.
        file: Weights file of the model, with the card beside it; None where only measuring was asked for.
    """

    measured: RepeatedSplits | None
    network: Regressor | None
    file: Path | None


def fine_tuning(
    database: Database, origin: Origin, config: FineTuningConfig, run: RunFolder, rehearsed: Sequence[Database] = ()
) -> Work[TunedModel]:
    """Measure if asked to, then fine-tune on the whole database and write the model into the run's folder.

    Args:
        database: Rated photos.
        origin: Start to fine-tune.
        config: Settings of the experiment.
        run: Folder of the run; an interrupted training is resumed from it.
        rehearsed: Databases whose images are learned from as well, so that the start's knowledge is not forgotten.

    Yields:
        The trainings' `Progress`.

    Raises:
        CheckpointError: If the start cannot be had, or the model's card could not be written so.
        DatabaseError: If nothing can be learned from the database.
        TrainingError: If the run's folder holds another run, the loss or a weight is not finite, or a rehearsed image
            is one of the database's.
        EvaluationError: If a split ranks nothing; all others are finished first.

    Example:
        photos = read_database(Path("my_photos"))
        work = fine_tuning(photos, Origin(model="default"), FineTuningConfig(), RunFolder(Path("runs/mine")))
        file = finish(work).file
    """
    require_learnable(database)  # before weights are sought
    tuning = Tuning(origin.load(folded=config.tuning.fixed_statistics), database, rehearsed, config)
    name, measured = config.name or run.name, None
    if not config.only_measure:  # what is wrong with the card is told now, not after hours of training
        check_card(_card(tuning.start.build(0), name, tuning, config, None, run.command))
    if config.repeats:
        how = config.tuning, config.least_steps, config.rehearsal_share
        measured = yield from measure(tuning, RepeatedSplitsConfig(*how, config.repeats, config.first_seed, name), run)
    if config.only_measure:
        return TunedModel(measured, None, None)
    work = _train_on_all(tuning, run)
    network = yield from recorded(work, run.folder, tensorboard=run.tensorboard)
    predict(network, tuning.photos, [0])  # finite weights may still be too large for a finite score
    network.fold()  # it has learned, and scores faster so
    file = run.folder / f"{name}.safetensors"
    save_checkpoint(network, _card(network, name, tuning, config, measured, run.command), file)
    return TunedModel(measured, network, file)


def _train_on_all(tuning: Tuning, run: RunFolder) -> Work[Regressor]:
    config = tuning.config_for(len(tuning.database), tuning.config.tuning.seed)
    return (yield from tuning.train(range(len(tuning.database)), config, run.folder / "state.pt"))


def _card(
    network: Regressor,
    name: str,
    tuning: Tuning,
    config: FineTuningConfig,
    measured: RepeatedSplits | None,
    command: str,
) -> ModelCard:
    database, start, today = tuning.database, tuning.start, datetime.date.today().isoformat()
    data = config.training_data or database.name
    rehearsed = f", rehearsing {names}" if (names := tuning.rehearsal["rehearsed"]) else ""
    return ModelCard(
        name=name,
        summary=f"{network.config.backbone} fine-tuned on {data}{rehearsed}.",
        architecture="regressor",
        regressor=network.config,
        preprocessing=start.preprocessing,
        training_data=config.training_data or f"{database.name}, {len(database)} photos",
        licence=config.licence,
        recipe={
            "command": command,
            "start": start.origin,
            "preset": config.preset,
            "configuration": tuning.config_for(len(database), config.tuning.seed).to_dict(),
            **tuning.rehearsal,
            "device": start.device.type,
            "images": len(database),
            "torch": torch.__version__,
        },
        accuracy=_accuracy(measured, database, data, today) if measured else {},
        calibration=measured.calibration(config.population or f"{database.name} photos") if measured else None,
        created=today,
        code_version=__version__,
    )


def _accuracy(measured: RepeatedSplits, database: Database, data: str, today: str) -> dict[str, Any]:
    return {
        "protocol": authentic_protocol(database),
        "database": f"{data}, n = {len(database)}",
        "date": today,
        **measured.summary(),
        "srocc_by_split": [round(split.srocc, 4) for split in measured.splits],
        "plcc_by_split": [round(split.plcc, 4) for split in measured.splits],
    }
