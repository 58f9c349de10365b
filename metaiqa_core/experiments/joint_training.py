"""Make a model that has learned from several databases, after measuring by repeated splits of one how good that is."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.calibration import calibrate_on_several
from metaiqa_core.experiments.held_out import HeldOut, held_out_accuracy, write_held_out
from metaiqa_core.experiments.joint_configuration import NATIVE_SIDE, JointTrainingConfig
from metaiqa_core.experiments.joint_learning import JointLearning
from metaiqa_core.experiments.new_model import NewModel, measured_accuracy, new_card
from metaiqa_core.experiments.repeated_splits import RepeatedSplits
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin
from metaiqa_core.models.card import ModelCard
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.results.run_log import recorded


def joint_training(
    databases: Sequence[Database], origin: Origin, config: JointTrainingConfig, run: RunFolder
) -> Work[NewModel]:
    """Measure if asked to, then learn from all databases and write the model into the run's folder.

    Args:
        databases: Rated images, each database of another name.
        origin: Start of each training.
        config: Settings of the experiment.
        run: Folder of the run; finished splits are not computed again, and an interrupted training is resumed.

    Yields:
        The trainings' `Progress`.

    Raises:
        CheckpointError: If the start cannot be had.
        DatabaseError: If nothing can be learned from one of the databases.
        TrainingError: If a weight is not finite, a database is named that is not there, two have a photo in common, or
            the run's folder holds another run.
        EvaluationError: If a split ranks nothing; all others are finished first.

    Example:
        databases = [read_database(Path("live")), read_database(Path("biq2021"))]
        start = Origin(backbone="efficientnet_lite0")
        work = joint_training(databases, start, JointTrainingConfig(), RunFolder(Path("runs/both")))
        file = finish(work).file
    """
    for database in databases:
        require_learnable(database)
    learning = JointLearning(databases, origin.load(folded=False), config)
    measured = (yield from learning.measure(run)) if config.repeats else None
    if config.only_measure:
        return NewModel(measured, None, None)
    work = learning.train({}, config.joint.seed, run.folder / "state.pt")
    trained = yield from recorded(work, run.folder, tensorboard=run.tensorboard)
    judged = learning.judge_held_out(trained)
    write_held_out(run.folder / "held_out.json", judged)
    network = trained.network
    network.fold()  # it has learned, and scores faster so
    name = config.name or run.name
    file = run.folder / f"{name}.safetensors"
    save_checkpoint(network, _card(network, name, learning, measured, judged, run.command), file, half=config.half)
    return NewModel(measured, network, file)


def _card(
    network: Regressor,
    name: str,
    learning: JointLearning,
    measured: RepeatedSplits | None,
    judged: Sequence[HeldOut],
    command: str,
) -> ModelCard:
    config, databases, database = learning.config, learning.databases, learning.judged
    accuracy = measured_accuracy(measured, database, database.name) if measured else {}
    calibration = None
    if measured and len(measured.splits) > 1:
        others = {one.database: one.on_the_model_s_scale() for one in judged}
        population = config.population or f"{database.name} photos"
        calibration, accuracy["coverage"] = calibrate_on_several(measured.splits, others, population)
        # Smaller photos are enlarged, and people have rated none of them here.
        smallest = config.smallest_side if config.smallest_side > NATIVE_SIDE else 0
        calibration = replace(calibration, smallest_side=smallest)
    return new_card(
        network,
        learning.preprocessing,
        name,
        summary=f"{network.config.backbone} trained jointly on {', '.join(databases)}.",
        training_data=config.training_data
        or ", ".join(f"{name} ({len(one):,} images)" for name, one in databases.items()),
        licence=config.licence,
        recipe={
            "command": command,
            "start": learning.start.origin,
            "configuration": config.joint.to_dict(),
            "shares": dict(config.shares),
            "shown": list(learning.shown),
            "held_out": len(config.held_out),
            "images": {name: len(one) for name, one in databases.items()},
            "device": learning.start.device.type,
            "torch": torch.__version__,
        },
        accuracy=accuracy | held_out_accuracy(judged),
        calibration=calibration,
    )
