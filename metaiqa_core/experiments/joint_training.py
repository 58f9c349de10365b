"""Make a model that has learned from several databases, after measuring by repeated splits of one how good that is."""

from collections.abc import Sequence

import torch

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.experiments.joint_configuration import JointTrainingConfig
from metaiqa_core.experiments.joint_learning import JointLearning
from metaiqa_core.experiments.new_model import NewModel
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin
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
    learning = JointLearning(databases, origin.load(folded=False), config)
    measured = (yield from learning.measure(run)) if config.repeats else None
    if config.only_measure:
        return NewModel(measured, None, None)
    work = learning.train({}, config.joint.seed, run.folder / "state.pt")
    trained = yield from recorded(work, run.folder, tensorboard=run.tensorboard)
    network, images = trained.network, {name: len(one) for name, one in learning.databases.items()}
    return learning.write_model(
        network,
        measured,
        learning.judge_held_out(trained),
        run,
        summary=f"{network.config.backbone} trained jointly on {', '.join(images)}.",
        images=images,
        recipe={
            "start": learning.start.origin,
            "configuration": config.joint.to_dict(),
            "shares": dict(config.shares),
            "shown": list(learning.shown),
            "held_out": len(config.held_out),
            "images": images,
            "device": learning.start.device.type,
            "torch": torch.__version__,
        },
    )
