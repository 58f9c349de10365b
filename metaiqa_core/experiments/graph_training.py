"""Make a graph model: compute the features of all photos once, let the graph learn from them, calibrate, and judge."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from metaiqa_core import __version__
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.defect_words import NOTHING, Defect, defect_of
from metaiqa_core.diagnosis import DiagnosisCalibration
from metaiqa_core.distortions import CATALOGUE, LEVELS
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.defects import DefectReadings, calibrate_defects, judge_defects
from metaiqa_core.experiments.graph_configuration import SHORT_SIDE, GraphModelConfig
from metaiqa_core.experiments.graph_sources import GraphSources
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin, Start
from metaiqa_core.models.card import ModelCard, check_card
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.distortion_graph.graph_config import SMALLEST_SIDE, GraphConfig
from metaiqa_core.models.distortion_graph.graph_network import GraphNetwork
from metaiqa_core.models.regressor_config import RegressorConfig
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.results.run_log import recorded
from metaiqa_core.tasks import split_by_group
from metaiqa_core.training.graph_data import DefectImages
from metaiqa_core.training.graph_reading import read_graphs
from metaiqa_core.training.graph_training import train_graph

PREPROCESSING = Preprocessing(short_side=SHORT_SIDE, minimum_side=SMALLEST_SIDE)


@dataclass(frozen=True, eq=False)
class GraphModel:
    """Result of an experiment that makes a graph model.

    Attributes:
        network: The model, in evaluation mode.
        file: Weights file of the model, with the card beside it.
        accuracy: Measurements by the name of the photos.
    """

    network: GraphNetwork
    file: Path
    accuracy: dict[str, Any]


def graph_training(
    databases: Sequence[Database],
    origin: Origin,
    config: GraphModelConfig,
    run: RunFolder,
    *,
    judged: Sequence[Database] = (),
    undamaged: Sequence[Database] = (),
    judged_undamaged: Sequence[Database] = (),
    features: Path | None = None,
) -> Work[GraphModel]:
    """Let a graph learn from distorted and from good authentic photos, and write the model into the run's folder.

    Args:
        databases: Databases with types and levels, and databases of authentic photos without.
        origin: The backbone, which rests.
        config: Settings of the experiment.
        run: Folder of the run; an interrupted training is resumed.
        judged: Databases that nothing is learned from or chosen by, to be measured on.
        undamaged: Photos in which nothing is wrong (`undamaged_photos`): all of them are learned from and calibrated
            on, with distorted copies.
        judged_undamaged: Such photos that nothing is learned from or chosen by.
        features: Folder of kept features, which several runs may share; None: one in the run's folder.

    Yields:
        The `Progress` of the features and of the training.

    Raises:
        CheckpointError: If the backbone cannot be had, or the card could not be read again.
        DatabaseError: If an image cannot be read.
        TrainingError: If no database has types, a defect has fewer than two images, a type or a level is none that the
            catalogue knows, or the run's folder holds another run.

    Example:
        databases = [read_database(Path("kadid10k-style"))]
        work = graph_training(databases, Origin(model="default"), GraphModelConfig(), RunFolder(Path("runs/graph")))
        file = finish(work).file
    """
    if not any(_has_types(database) for database in databases):
        raise TrainingError("Graph training needs a database with distortion types: name one with --database.")
    named = (*databases, *judged, *undamaged, *judged_undamaged)
    if unknown := sorted(config.most.keys() - {database.name for database in named}):
        raise TrainingError(f"There is no database {unknown[0]} among those that were named.")
    start = origin.load(folded=True)
    defects = _defects_of(databases)
    network = new_graph_network(start, defects, config)
    sources = GraphSources(network.features, PREPROCESSING, features or run.folder / "features")
    images = yield from _all_images(sources, databases, undamaged, config)
    learned, held_out = split_by_group(images.contents, config.held_out_share, (config.seed, 8))
    training = replace(config.training, seed=config.seed)
    work = train_graph(network.graph, images.take(learned), training, state_file=run.folder / "state.pt")
    yield from recorded(work, run.folder, tensorboard=run.tensorboard)
    network.eval().requires_grad_(False)
    kept = _readings(network, images.take(held_out))
    measured_on = f"{len(held_out)} photos of contents that nothing was learned from, of the same databases"
    calibration = calibrate_defects(
        kept, measured_on=measured_on, right=config.right, accused_at_all=config.accused, lost=config.lost
    )
    accuracy: dict[str, Any] = {"held out": judge_defects(kept, calibration).to_dict()}
    for database in judged:
        others = yield from _judged_images(sources, database, config)
        accuracy[database.name] = judge_defects(_readings(network, others), calibration).to_dict()
    for database in judged_undamaged:
        others = yield from sources.good(database, 1.0, config.most.get(database.name))
        accuracy[database.name] = judge_defects(_readings(network, others), calibration).to_dict()
    name = config.name or run.name
    recipe = {
        "command": run.command,
        "start": start.origin,
        "start_learned_from": start.learned_from,
        "configuration": training.to_dict(),
        "seed": config.seed,
        "most": dict(config.most),
        "photos": len(images),
        "photos_held_out": len(held_out),
        "torch": torch.__version__,
    }
    card = graph_card(network, calibration, name, config, [*databases, *undamaged], recipe, accuracy)
    file = run.folder / f"{name}.safetensors"
    save_checkpoint(network, card, file, half=config.half)
    return GraphModel(network, file, accuracy)


def new_graph_network(start: Start, defects: Sequence[Defect], config: GraphModelConfig) -> GraphNetwork:
    """Return a graph model with the backbone of a start and a new graph.

    Args:
        start: The backbone.
        defects: Names of the defects to tell apart.
        config: Levels and widths.
    """
    network = start.network(config.seed)
    levels = config.levels or tuple(range(1, max(2, len(network.backbone))))
    # Only the backbone of the start counts: its head may be of any kind, and the graph has none.
    known = network.config
    backbone = RegressorConfig(
        known.backbone, hidden=1, folded=known.folded, pooled=levels, adapters=known.adapters, fused=config.top_down
    )
    graph = GraphConfig(
        backbone=backbone,
        defects=tuple(defects),
        tone=config.tone,
        fused=config.width,
        edge_widths=(config.width, config.width // 2, 64),
        node_widths=(config.width, config.width, 256),
        edges=config.edges,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return GraphNetwork(graph, network).eval().requires_grad_(True)


def graph_card(
    network: GraphNetwork,
    calibration: DiagnosisCalibration,
    name: str,
    config: GraphModelConfig,
    databases: Sequence[Database],
    recipe: Mapping[str, Any],
    accuracy: Mapping[str, Any],
) -> ModelCard:
    """Return the card of a new graph model.

    Raises:
        CheckpointError: If it could not be read again.
    """
    words = len({defect.word for defect in network.config.defects})
    card = ModelCard(
        name=name,
        summary=f"Names a photo's defect by a graph of its parts: {len(network.config.defects)} in {words} words.",
        architecture="distortion-graph",
        regressor=None,
        preprocessing=PREPROCESSING,
        training_data=config.training_data
        or ", ".join(f"{database.name} ({len(database):,} images)" for database in databases),
        licence=config.licence,
        recipe=dict(recipe),
        accuracy=dict(accuracy) | {"date": datetime.date.today().isoformat()},
        created=datetime.date.today().isoformat(),
        code_version=__version__,
        graph=network.config,
        diagnosis=calibration,
    )
    check_card(card)
    return card


def _has_types(database: Database) -> bool:
    return bool(database.distortion_types())


def _defects_of(databases: Sequence[Database]) -> list[Defect]:
    """Return every defect of the databases and the one that is none, sorted; wrong types and levels are told later."""
    known = {entry.key for entry in CATALOGUE}
    pairs = {
        (image.distortion_type, image.level)
        for database in databases
        for image in database
        if image.distortion_type in known and image.level in LEVELS
    }
    return sorted({defect_of(kind, level) for kind, level in pairs if kind and level} | {Defect("", NOTHING)})


def _all_images(
    sources: GraphSources, databases: Sequence[Database], undamaged: Sequence[Database], config: GraphModelConfig
) -> Work[DefectImages]:
    parts = []
    shares = [(database, config.good_share) for database in databases] + [(one, 1.0) for one in undamaged]
    for database, share in shares:
        most = config.most.get(database.name)
        if _has_types(database):
            parts.append((yield from sources.typed(database, most)))
            continue
        parts.append((yield from sources.good(database, share, most)))
        if config.degraded:
            parts.append((yield from sources.degraded(database, share, most, config.degraded)))
    return DefectImages.together(parts)


def _judged_images(sources: GraphSources, database: Database, config: GraphModelConfig) -> Work[DefectImages]:
    if _has_types(database):
        return (yield from sources.typed(database, config.most.get(database.name)))
    return (yield from sources.good(database, config.good_share, config.most.get(database.name)))


def _readings(network: GraphNetwork, images: DefectImages) -> DefectReadings:
    said = read_graphs(network.graph, images.features)
    return DefectReadings(
        logits=said["logits"],
        level=said["level"],
        deviation=said["deviation"],
        type_code=said["type_code"],
        known=network.config.defects,
        defects=images.defects,
        levels=images.levels,
        contents=images.contents,
    )
