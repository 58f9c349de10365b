"""Fine-tune a graph model on opinion scores, on a split by reference, and measure how well its scores agree."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import CheckpointError
from metaiqa_core.evaluation.criteria import plcc, srocc
from metaiqa_core.experiments.graph_configuration import QualityConfig
from metaiqa_core.experiments.graph_training import GraphModel
from metaiqa_core.experiments.kernel_data import chosen_positions
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.models.checkpoints import load_checkpoint, save_checkpoint
from metaiqa_core.models.distortion_graph.graph_network import GraphNetwork
from metaiqa_core.progress import Work
from metaiqa_core.results.run_log import recorded
from metaiqa_core.tasks import split_by_group
from metaiqa_core.training.graph_data import DefectImages
from metaiqa_core.training.graph_reading import read_graphs
from metaiqa_core.training.quality_tuning import tune_quality
from metaiqa_core.training.quarter_rows import quarter_rows


def graph_quality(
    databases: Sequence[Database],
    model: str | Path,
    config: QualityConfig,
    run: RunFolder,
    *,
    features: Path | None = None,
) -> Work[GraphModel]:
    """Let a graph model learn opinion scores, and write it into the run's folder.

    Args:
        databases: Rated images; images of one reference stay on one side.
        model: Name or file of a graph model.
        config: Settings of the experiment.
        run: Folder of the run; an interrupted training is resumed.
        features: Folder of kept features, which several runs may share; None: one in the run's folder.

    Yields:
        The `Progress` of the features and of the training.

    Raises:
        CheckpointError: If the model is none that has a graph.
        DatabaseError: If an image cannot be read.
        TrainingError: If there are no two different scores, or the run's folder holds another run.

    Example:
        databases = [read_database(Path("kadid10k-style"))]
        work = graph_quality(databases, "runs/graph/graph.safetensors", QualityConfig(), RunFolder(Path("runs/tuned")))
        finish(work).accuracy
    """
    checkpoint = load_checkpoint(model)
    network, card = checkpoint.network, checkpoint.card
    if not isinstance(network, GraphNetwork):
        raise CheckpointError(f"{card.name} has no graph: fine-tune a model that `graph-train` made.")
    folder = features or run.folder / "features"
    parts = []
    for database in databases:
        chosen = database.take(chosen_positions(range(len(database)), config.most.get(database.name), config.seed))
        rows = yield from quarter_rows(network.features, chosen.images, card.preprocessing, folder)
        contents = [f"{database.name} {group}" for group in chosen.groups()]
        parts.append(DefectImages.of_database(chosen.images, rows, contents))
    images = DefectImages.together(parts)
    learned, held_out = split_by_group(images.contents, config.held_out_share, (config.seed, 9))
    work = tune_quality(network.graph, images.take(learned), config.quality, state_file=run.folder / "state.pt")
    yield from recorded(work, run.folder, tensorboard=run.tensorboard)
    judged = images.take(held_out)
    accuracy = _accuracy(network, judged, databases)
    name = config.name or run.name
    tuned = replace(
        card,
        name=name,
        accuracy=card.accuracy | {"quality": accuracy},
        recipe=dict(card.recipe)
        | {"quality": {"command": run.command, "configuration": config.quality.to_dict(), "most": dict(config.most)}},
    )
    file = run.folder / f"{name}.safetensors"
    save_checkpoint(network, tuned, file, half=config.half)
    return GraphModel(network, file, accuracy)


def _accuracy(network: GraphNetwork, images: DefectImages, databases: Sequence[Database]) -> dict[str, Any]:
    """Return SROCC and PLCC on the held-out images of each database."""
    predicted = read_graphs(network.graph, images.features)["quality"]
    accuracy: dict[str, Any] = {}
    for database in databases:
        places = [place for place, content in enumerate(images.contents) if content.startswith(f"{database.name} ")]
        opinion = images.unit_scores[places].astype(float)
        if len(set(opinion.tolist())) > 1 and len(set(predicted[places].tolist())) > 1:
            accuracy[database.name] = {
                "n": len(places),
                "srocc": round(srocc(predicted[places], opinion), 4),
                "plcc": round(plcc(predicted[places], opinion), 4),
            }
    return accuracy
