"""Ablation (Table 4): MetaIQA against Baseline, or any other starts, fine-tuned on the same splits."""

from collections.abc import Mapping

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.protocols import authentic_folds
from metaiqa_core.experiments.adaptation import AdaptationConfig, compare_starts
from metaiqa_core.experiments.compared_splits import ComparedSplits
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin
from metaiqa_core.progress import Work
from metaiqa_core.results.records import Protocol


def ablation(
    database: Database, origins: Mapping[str, Origin], config: AdaptationConfig, run: RunFolder
) -> Work[ComparedSplits]:
    """Fine-tune every start on the same splits of a database and judge it on the held-out photos.

    Args:
        database: Rated photos.
        origins: Starts to compare, by the names that tables give them.
        config: Settings of fine-tuning, and the seeds of the splits.
        run: Folder of the run; finished splits are not computed again.

    Yields:
        The trainings' `Progress` with the split in its stage, and `srocc` and `plcc` at the end of each.

    Raises:
        CheckpointError: If a start cannot be had.
        TrainingError: If the run's folder holds splits of another configuration.
        EvaluationError: If a split ranks nothing; all others are finished first.

    Example:
        starts = {"MetaIQA": Origin(model="mobilenet-prior"), "ImageNet": Origin(backbone="mobilenet_v2")}
        work = ablation(read_database(Path("live")), starts, AdaptationConfig(), RunFolder(Path("runs/ablation")))
        summary = finish(work).summary("MetaIQA")
    """
    folds = authentic_folds(database, config.seeds)
    return ComparedSplits((yield from compare_starts(origins, database, folds, Protocol.ABLATION, config, run)))
