"""Compare the graph model with MetaIQA and with hand-crafted features, and leave its parts out one by one.

Every method learns the opinion scores of the same images and is judged on the same others. The backbones rest, so that
their features are computed once: what is compared is what is made of them.

| method | features | what learns |
|---|---|---|
| hand-crafted | BRISQUE's 36 natural scene statistics | kernel ridge regression |
| hand-crafted, untrained | NIQE's distance from pristine photos, if some are given | nothing |
| MetaIQA | the last stage of the meta-learned prior, its mean | the prior's head |
| MetaIQA, no meta-learning | that of the backbone with its first weights | a new head of that form |
| graph | several stages of the prior, over quarters | a graph |
| graph, no meta-learning | those of the backbone with its first weights | the same |
| graph, no fusion | the last stage of the prior alone | the same |
| graph, no graph | as graph | the same without edges |

A graph learns types and levels of distorted images first, then these images' scores (the prior has learned from such
scores before it comes here), then those of the images to learn from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.defect_words import NOTHING, Defect
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.protocols import Fold, random_folds
from metaiqa_core.experiments.compared_methods import (
    ComparedImages,
    GraphParts,
    graph_trainer,
    hand_crafted_trainer,
    head_trainer,
    untrained_trainer,
)
from metaiqa_core.experiments.compared_splits import ComparedSplits
from metaiqa_core.experiments.folds import Candidate, Plan, compare
from metaiqa_core.experiments.graph_configuration import GraphModelConfig
from metaiqa_core.experiments.graph_sources import CHOICE_SEED
from metaiqa_core.experiments.graph_training import new_graph_network
from metaiqa_core.experiments.kernel_data import chosen_positions
from metaiqa_core.experiments.run_folder import RunFolder, common_folder
from metaiqa_core.experiments.start import Origin, Start
from metaiqa_core.experiments.trainer import Trainer
from metaiqa_core.models.backbones import stage_channels
from metaiqa_core.models.distortion_graph.graph_config import SMALLEST_SIDE
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.results.fold_store import folder_of_method
from metaiqa_core.results.records import Protocol, Scalar
from metaiqa_core.training.graph_configuration import GraphTrainingConfig, QualityTuningConfig
from metaiqa_core.training.graph_data import DefectImages
from metaiqa_core.training.natural_scene_statistics import natural_scene_rows
from metaiqa_core.training.naturalness import NaturalScenes, patch_rows
from metaiqa_core.training.quarter_rows import quarter_rows

HAND_CRAFTED, META, GRAPH = "hand-crafted (BRISQUE)", "MetaIQA", "graph model"
UNTRAINED = "hand-crafted, untrained (NIQE)"
"""A method of its own, which needs pristine photos."""
NO_META, NO_FUSION, NO_GRAPH = "no meta-learning", "no fusion", "no graph"
METHODS = (
    HAND_CRAFTED,
    META,
    f"{META}, {NO_META}",
    GRAPH,
    f"{GRAPH}, {NO_META}",
    f"{GRAPH}, {NO_FUSION}",
    f"{GRAPH}, {NO_GRAPH}",
)
"""Names of the methods in tables, in their order."""


@dataclass(frozen=True, kw_only=True)
class GraphComparisonConfig:
    """Settings of the comparison.

    Attributes:
        training: Settings of graph training.
        quality: Settings of the learning of scores by graphs; its seed is that of the split.
        first: Settings of the learning of the distorted images' scores before, with the same seed.
        head: Settings of the learning of scores by the heads of MetaIQA, with the same seed.
        levels: Stages of the backbone that are the graph's levels, as numbers from 1; the last one is what MetaIQA
            sees.
        tone: Number of bins of the histograms of light and colour; 0 for none.
        width: Width of a node.
        short_side: Short side to which the photos are shrunk for the backbones, pixels; hand-crafted features see 512.
        most: Number of images at most, by database, drawn once for all seeds.
        seeds: Seeds of the splits and of everything that is learned.
    """

    training: GraphTrainingConfig = GraphTrainingConfig(steps=300, type_nodes=8, level_weight=1.0, dropout=0.2)
    quality: QualityTuningConfig = QualityTuningConfig(
        quality_steps=300, learns="graph", quality_dropout=0.5, quality_weight_decay=0.3
    )
    first: QualityTuningConfig = QualityTuningConfig(
        quality_steps=300, learns="graph", quality_dropout=0.3, quality_weight_decay=0.1
    )
    head: QualityTuningConfig = QualityTuningConfig(quality_steps=300, quality_rate=5e-4)
    levels: tuple[int, ...] = (2, 4, 7, 14, 18, 19)
    tone: int = 16
    width: int = 128
    short_side: int = 320
    most: Mapping[str, int] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)

    def __post_init__(self) -> None:
        if not self.levels:
            raise ValueError("the comparison needs the stages of the backbone that are levels, got none")
        if not self.seeds:
            raise ValueError("the comparison needs at least one seed, got none")


def graph_comparison(
    database: Database,
    typed: Database,
    prior: Origin,
    plain: Origin,
    config: GraphComparisonConfig,
    run: RunFolder,
    *,
    pristine: Database | None = None,
    features: Path | None = None,
) -> Work[ComparedSplits]:
    """Judge every method on the same splits of a database; contents stay on one side.

    Args:
        database: Rated images.
        typed: Distorted images with their types and levels, from which graphs learn first; those of contents that a
            split judges by are left out.
        prior: Meta-learned prior.
        plain: The same backbone without meta-learning.
        config: Settings of the comparison.
        run: Folder of the run; finished splits are not computed again.
        pristine: Undamaged photos, for the distance from these; None leaves that method out.
        features: Folder of kept features, which several runs may share; None: one in the run's folder.

    Yields:
        The `Progress` of the features and of the trainings, with `srocc` and `plcc` at the end of each.

    Raises:
        CheckpointError: If a start cannot be had.
        DatabaseError: If an image cannot be read.
        TrainingError: If images lack types and levels, or the run's folder holds splits of another configuration.
        EvaluationError: If a split ranks nothing; all others are finished first.

    Example:
        work = graph_comparison(
            read_database(Path("live")), read_database(Path("kadid10k-style")), Origin(model="mobilenet-prior"),
            Origin(backbone="mobilenet_v2"), GraphComparisonConfig(), RunFolder(Path("runs/comparison-livec")),
        )
        gain = finish(work).summary("graph model")["srocc_mean"]
    """
    if not typed.distortion_types():
        raise TrainingError(f"The comparison needs a database with distortion types, and {typed.name} has none.")
    kept = features or run.folder / "features"
    database, typed = (_chosen(one, config) for one in (database, typed))
    starts = {"prior": prior.load(folded=True), "plain": plain.load(folded=True)}
    images = yield from _compared_images(database, typed, starts, config, kept, pristine)
    names = METHODS if pristine is None else (METHODS[0], UNTRAINED, *METHODS[1:])
    candidates = [_candidate(name, images, starts, config) for name in names]
    rounds = [(fold, one) for fold in random_folds(database, config.seeds) for one in candidates]
    plan = Plan(database, Protocol.COMPARISON, rounds, publish_every=len(candidates), made_of=(typed,))
    return ComparedSplits((yield from compare(plan, run)))


def _chosen(database: Database, config: GraphComparisonConfig) -> Database:
    most = config.most.get(database.name)
    return database.take(chosen_positions(range(len(database)), most, CHOICE_SEED))


def _compared_images(
    database: Database,
    typed: Database,
    starts: Mapping[str, Start],
    config: GraphComparisonConfig,
    kept: Path,
    pristine: Database | None,
) -> Work[ComparedImages]:
    """Compute all features, or read those that are kept."""
    seen = Preprocessing(short_side=config.short_side, minimum_side=SMALLEST_SIDE)
    rows, typed_rows, channels = {}, {}, {}
    for name, start in starts.items():
        settings = GraphModelConfig(levels=config.levels, tone=config.tone)
        module = new_graph_network(start, [Defect("", NOTHING), Defect("any", "blurred")], settings).features
        stages = stage_channels(module.backbone)
        last = len(stage_channels(start.make().backbone))
        if config.levels[-1] != last:
            raise TrainingError(
                f"The last level must be the last stage of the backbone, {last} for {start.origin}, which is what "
                f"MetaIQA sees; got the levels {' '.join(map(str, config.levels))}."
            )
        channels[name] = [stages[level - 1] for level in config.levels]
        rows[name] = yield from quarter_rows(module, database.images, seen, kept)
        typed_rows[name] = yield from quarter_rows(module, typed.images, seen, kept)
    statistics = yield from natural_scene_rows(database.images, kept)
    distances = None
    if pristine is not None:
        natural = NaturalScenes.of((yield from patch_rows(pristine.images, kept)))
        patches = yield from patch_rows(database.images, kept)
        distances = np.array([natural.distance(one) for one in patches])
    contents = [image.reference or image.name for image in typed.images]
    return ComparedImages(
        database=database,
        rows=rows,
        statistics=statistics,
        distances=distances,
        typed={name: DefectImages.of_database(typed.images, one, contents) for name, one in typed_rows.items()},
        channels=channels,
    )


def _candidate(
    name: str, images: ComparedImages, starts: Mapping[str, Start], config: GraphComparisonConfig
) -> Candidate:
    method, _, missing = name.partition(", ")
    which = "plain" if missing == NO_META else "prior"
    start = None if name in (HAND_CRAFTED, UNTRAINED) else starts[which]
    has_seen = bool(start and images.database.name in start.learned_from)
    recorded: dict[str, Scalar] = {
        "start": start.origin if start else "none",
        "start_has_seen_these_scores": has_seen,
        "levels": " ".join(map(str, config.levels)),
        "tone": config.tone,
        "width": config.width,
        "short_side": config.short_side,
        "graph_steps": config.training.steps,
        "quality_steps": config.quality.quality_steps,
        "images": len(images.database),
        "typed_images": len(images.typed["prior"]),
        "database_folder": common_folder(images.database),
    }

    def trainer(fold: Fold, _state: Path) -> Trainer:
        if name == HAND_CRAFTED:
            return hand_crafted_trainer(images)
        if name == UNTRAINED:
            return untrained_trainer(images)
        if method == META:
            return head_trainer(images, which, starts[which], replace(config.head, quality_seed=fold.seed))
        quality, first = (replace(one, quality_seed=fold.seed) for one in (config.quality, config.first))
        training = replace(config.training, seed=fold.seed)
        levels = config.levels[-1:] if missing == NO_FUSION else config.levels
        tone = 0 if missing == NO_FUSION else config.tone
        parts = GraphParts(levels, config.levels, tone, config.tone, config.width, edges=missing != NO_GRAPH)
        return graph_trainer(images, which, parts, training, quality, first)

    recipe = {
        "method": name,
        "start_hash": start.hash if start else "",
        "training": config.training.to_dict(),
        "quality": config.quality.to_dict(),
        "first": config.first.to_dict(),
        "head": config.head.to_dict(),
        **{key: value for key, value in recorded.items() if key != "database_folder"},
    }
    learned_from = start.has_learned_from if start and has_seen else ""
    return Candidate(name, folder_of_method(name), recipe, trainer, lambda _: recorded, learned_from)


def gains_in_percent(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return by how many percent the mean of some correlations is above that of others.

    >>> round(gains_in_percent([0.6, 0.7], [0.5, 0.5]), 1)
    30.0
    """
    return 100 * (sum(ours) / len(ours) / (sum(theirs) / len(theirs)) - 1)
