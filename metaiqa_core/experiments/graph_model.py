"""All three stages of the graph model: meta pre-training of the backbone, graph training, quality fine-tuning."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.experiments.graph_configuration import GraphModelConfig, QualityConfig
from metaiqa_core.experiments.graph_quality import graph_quality
from metaiqa_core.experiments.graph_training import GraphModel, graph_training
from metaiqa_core.experiments.prior import PriorConfig, learn_prior
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin
from metaiqa_core.progress import Work, placed

STAGES = ("meta pre-training", "graph training", "quality fine-tuning")


@dataclass(frozen=True, kw_only=True)
class ThreeStagesConfig:
    """Settings of the three stages.

    Attributes:
        prior: Settings of the meta pre-training.
        graph: Settings of the graph training.
        quality: Settings of the quality fine-tuning.
    """

    prior: PriorConfig = PriorConfig()
    graph: GraphModelConfig = GraphModelConfig()
    quality: QualityConfig = QualityConfig()


def graph_model(
    databases: Sequence[Database],
    origin: Origin,
    config: ThreeStagesConfig,
    run: RunFolder,
    *,
    judged: Sequence[Database] = (),
    undamaged: Sequence[Database] = (),
    judged_undamaged: Sequence[Database] = (),
    features: Path | None = None,
) -> Work[GraphModel]:
    """Make a graph model from a backbone, stage after stage; each has a folder of its own in the run's folder.

    Args:
        databases: Databases with types and levels, which all stages learn from, and databases of authentic photos,
            which the second one learns from.
        origin: The backbone, with the adapters that the meta pre-training is to teach.
        config: Settings of the three stages.
        run: Folder of the run; finished stages are taken from there, and an interrupted one is resumed.
        judged: Databases that nothing is learned from or chosen by, to be measured on.
        undamaged: Photos in which nothing is wrong, for the second stage.
        judged_undamaged: Such photos that nothing is learned from or chosen by.
        features: Folder of kept features, which several runs may share; None: one in the run's folder.

    Yields:
        The `Progress` of the stages.

    Raises:
        CheckpointError: If the backbone cannot be had, or a card could not be read again.
        DatabaseError: If an image cannot be read.
        TrainingError: If nothing can be learned, or the run's folder holds another run.
    """
    typed = [database for database in databases if database.distortion_types()]
    kept = features or run.folder / "features"

    def folder(name: str) -> RunFolder:
        return replace(run, folder=run.folder / name)

    work = learn_prior(typed, origin, config.prior, folder("meta"))
    prior = yield from placed(work, STAGES[0], 1, len(STAGES))
    graph_work = graph_training(
        databases,
        Origin(model=str(prior.file)),
        config.graph,
        folder("graph"),
        judged=judged,
        undamaged=undamaged,
        judged_undamaged=judged_undamaged,
        features=kept,
    )
    graph = yield from placed(graph_work, STAGES[1], 2, len(STAGES))
    name = config.quality.name or run.name
    quality = replace(config.quality, name=name)
    quality_work = graph_quality(typed, graph.file, quality, folder("quality"), features=kept)
    tuned = yield from placed(quality_work, STAGES[2], 3, len(STAGES))
    return GraphModel(tuned.network, tuned.file, graph.accuracy | {"quality": tuned.accuracy})
