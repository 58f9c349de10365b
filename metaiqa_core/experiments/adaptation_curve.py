"""Adaptation curve: SROCC on held-out photos after fine-tuning on ever more labelled ones, from several starts."""

from collections.abc import Mapping
from dataclasses import dataclass

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.protocols import Split, adaptation_folds
from metaiqa_core.experiments.adaptation import AdaptationConfig, compare_starts
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin
from metaiqa_core.progress import Work
from metaiqa_core.results.records import Protocol


@dataclass(frozen=True)
class AdaptationCurveConfig(AdaptationConfig):
    """Settings of fine-tuning the starts, and the numbers of photos.

    Attributes:
        sizes: Numbers of labelled photos to learn from, ascending.
    """

    sizes: tuple[int, ...] = (10, 20, 50, 100, 200)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sizes or list(self.sizes) != sorted(set(self.sizes)):
            raise ValueError(f"sizes are numbers of photos in ascending order, got {self.sizes}")


@dataclass(frozen=True)
class AdaptationCurve:
    """Result of an adaptation curve.

    Attributes:
        sizes: Numbers of labelled photos.
        splits: Finished splits of each start: one of each size for each seed.
    """

    sizes: tuple[int, ...]
    splits: dict[str, list[Split]]

    def sroccs(self, start: str, size: int) -> list[float]:
        """Return a start's SROCC on held-out photos after learning from so many, one value a seed."""
        return [split.srocc for split in self.splits[start][self.sizes.index(size) :: len(self.sizes)]]


def adaptation_curve(
    database: Database, origins: Mapping[str, Origin], config: AdaptationCurveConfig, run: RunFolder
) -> Work[AdaptationCurve]:
    """Fine-tune every start on ever more photos of the same splits and judge it on the held-out photos.

    Args:
        database: Rated photos.
        origins: Starts to compare, by the names that tables give them.
        config: Settings of fine-tuning, numbers of labelled photos, and the seeds of the splits.
        run: Folder of the run; finished folds are not computed again.

    Yields:
        The trainings' `Progress` with the fold in its stage, and `srocc` and `plcc` at the end of each.

    Raises:
        CheckpointError: If a start cannot be had.
        TrainingError: If the run's folder holds folds of another configuration.
        EvaluationError: If a size does not fit the database, or a fold ranks nothing.

    Example:
        starts = {"MetaIQA": Origin(model="mobilenet-prior"), "ImageNet": Origin(backbone="mobilenet_v2")}
        work = adaptation_curve(
            read_database(Path("live")), starts, AdaptationCurveConfig(), RunFolder(Path("runs/curve"))
        )
        sroccs = finish(work).sroccs("MetaIQA", size=50)
    """
    folds = adaptation_folds(database, config.seeds, config.sizes)
    splits = yield from compare_starts(origins, database, folds, Protocol.ADAPTATION_CURVE, config, run)
    return AdaptationCurve(config.sizes, splits)
