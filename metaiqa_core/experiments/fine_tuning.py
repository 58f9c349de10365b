"""Make a model: fine-tune a start on all photos of a database, after measuring by repeated splits how good that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.experiments.new_model import NewModel, NewModelConfig, measured_accuracy, new_card
from metaiqa_core.experiments.repeated_splits import RepeatedSplits, RepeatedSplitsConfig, measure
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin
from metaiqa_core.experiments.tuning import Tuning, TuningConfig
from metaiqa_core.models.card import ModelCard, check_card
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.results.run_log import recorded
from metaiqa_core.training.photos import predict


@dataclass(frozen=True, kw_only=True)
class FineTuningConfig(TuningConfig, NewModelConfig):
    """Settings of fine-tuning as `TuningConfig` has them, of the measurement before it, and of the model's card.

    Attributes:
        preset: Name of the settings of fine-tuning, for the card.
    """

    preset: str = "recommended"

    def __post_init__(self) -> None:
        NewModelConfig.__post_init__(self)
        TuningConfig.__post_init__(self)


def fine_tuning(
    database: Database, origin: Origin, config: FineTuningConfig, run: RunFolder, rehearsed: Sequence[Database] = ()
) -> Work[NewModel]:
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
        work = fine_tuning(photos, Origin(model="mobilenet-prior"), FineTuningConfig(), RunFolder(Path("runs/mine")))
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
        return NewModel(measured, None, None)
    work = _train_on_all(tuning, run)
    network = yield from recorded(work, run.folder, tensorboard=run.tensorboard)
    predict(network, tuning.photos, [0])  # finite weights may still be too large for a finite score
    network.fold()  # it has learned, and scores faster so
    file = run.folder / f"{name}.safetensors"
    save_checkpoint(network, _card(network, name, tuning, config, measured, run.command), file)
    return NewModel(measured, network, file)


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
    database, start = tuning.database, tuning.start
    data = config.training_data or database.name
    rehearsed = f", rehearsing {names}" if (names := tuning.rehearsal["rehearsed"]) else ""
    return new_card(
        network,
        start.preprocessing,
        name,
        summary=f"{network.config.backbone} fine-tuned on {data}{rehearsed}.",
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
        accuracy=measured_accuracy(measured, database, data) if measured else None,
        calibration=measured.calibration(config.population or f"{database.name} photos") if measured else None,
    )
