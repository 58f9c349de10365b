"""The methods that are compared with the graph model, each as a trainer on features that were computed once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.experiments.start import Start
from metaiqa_core.experiments.trainer import Trainer
from metaiqa_core.models.distortion_graph.graph_config import GraphConfig
from metaiqa_core.models.distortion_graph.graph_module import DistortionGraph
from metaiqa_core.models.distortion_graph.quarter_features import TONE_CHANNELS
from metaiqa_core.models.regressor_config import RegressorConfig
from metaiqa_core.progress import Work
from metaiqa_core.training.graph_configuration import GraphTrainingConfig, QualityTuningConfig
from metaiqa_core.training.graph_data import DefectImages
from metaiqa_core.training.graph_reading import read_graphs
from metaiqa_core.training.graph_training import train_graph
from metaiqa_core.training.head_tuning import tune_head
from metaiqa_core.training.kept_features import Features
from metaiqa_core.training.kernel_ridge import kernel_ridge
from metaiqa_core.training.quality_tuning import tune_quality


@dataclass(frozen=True, eq=False)
class ComparedImages:
    """Images with the features of every method.

    Attributes:
        database: The rated images.
        rows: Features (N, 4, P) of their quarters, by start.
        statistics: Hand-crafted features (N, 36).
        distances: Distances (N,) from pristine photos; None without such photos.
        typed: Distorted images with types and levels, by start; their contents are the references' names.
        channels: Number of channels of each level, by start.
    """

    database: Database
    rows: Mapping[str, Features]
    statistics: Features
    distances: NDArray[np.float64] | None
    typed: Mapping[str, DefectImages]
    channels: Mapping[str, list[int]]

    @property
    def unit_scores(self) -> NDArray[np.float64]:
        """Opinion scores (N,)."""
        return np.array([image.unit_score for image in self.database])


@dataclass(frozen=True)
class GraphParts:
    """What a graph sees and what it consists of.

    Attributes:
        levels: Stages that it sees.
        kept_levels: Stages whose features were computed.
        tone: Number of bins of light and colour that it sees, all that were computed or 0.
        kept_tone: Number of those that were computed.
        width: Width of a node.
        edges: Whether there is a graph at all.
    """

    levels: tuple[int, ...]
    kept_levels: tuple[int, ...]
    tone: int
    kept_tone: int
    width: int
    edges: bool

    def columns(self, channels: list[int]) -> list[int]:
        """Return the positions of the features that it sees, among those that were computed.

        Args:
            channels: Number of channels of each of the computed levels.
        """
        width = 2 * TONE_CHANNELS * self.kept_tone
        chosen = list(range(width)) if self.tone else []
        for level, count in zip(self.kept_levels, channels, strict=True):
            if level in self.levels:
                chosen += range(width, width + 2 * count)
            width += 2 * count
        return chosen


def hand_crafted_trainer(images: ComparedImages) -> Trainer:
    """Return a trainer of kernel ridge regression on hand-crafted features.

    Args:
        images: The images with their features.
    """
    groups = images.database.groups()

    def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
        yield from ()
        statistics, scores = images.statistics.astype(np.float64), images.unit_scores
        own = [groups[position] for position in training]
        return kernel_ridge(statistics[training], scores[training], own, statistics[test], seed)

    return train


def untrained_trainer(images: ComparedImages) -> Trainer:
    """Return what takes the place of a trainer for the distance from pristine photos, which learns from no scores.

    Args:
        images: The images with their distances.

    Raises:
        ValueError: If there are no distances.
    """
    if images.distances is None:
        raise ValueError("the images have no distances from pristine photos")
    unit_scores = 1 - images.distances / 10  # on the way from 0 to 1; a rank or a line is all that counts

    def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
        yield from ()
        return unit_scores[test]

    return train


def head_trainer(images: ComparedImages, which: str, start: Start, config: QualityTuningConfig) -> Trainer:
    """Return a trainer of the head of MetaIQA, on the mean of the last stage.

    Args:
        images: The images with their features.
        which: Name of the start among the features.
        start: The start, whose head learns; a backbone alone gets a new one.
        config: Settings of the learning.
    """

    def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
        last = images.channels[which][-1]
        whole = np.ascontiguousarray(images.rows[which][:, :, -2 * last : -last].mean(1), np.float32)
        scores = images.unit_scores.astype(np.float32)
        head = yield from tune_head(start.network(seed).head, whole[training], scores[training], config)
        with torch.inference_mode():
            return head(torch.from_numpy(whole[test])).squeeze(1).numpy().astype(np.float64)

    return train


def graph_trainer(
    images: ComparedImages,
    which: str,
    parts: GraphParts,
    training_config: GraphTrainingConfig,
    quality: QualityTuningConfig,
    first: QualityTuningConfig | None,
) -> Trainer:
    """Return a trainer of a graph: types and levels first, then scores of distorted images, then those asked for.

    Args:
        images: The images with their features.
        which: Name of the start among the features.
        parts: Inputs and modules of the graph model.
        training_config: Settings of graph training.
        quality: Settings of the learning of scores.
        first: Settings of the learning of the distorted images' scores before; None: they are not learned.
    """
    columns = parts.columns(images.channels[which])

    def seen(some: DefectImages) -> DefectImages:
        features = np.ascontiguousarray(some.features[:, :, columns])
        return DefectImages(features, some.defects, some.levels, some.contents, some.unit_scores)

    def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
        judged = {images.database.images[position].reference for position in test}
        typed = images.typed[which]
        typed = seen(typed.take([place for place, content in enumerate(typed.contents) if content not in judged]))
        graph = _new_graph(len(columns), typed, parts, seed)
        yield from train_graph(graph, typed, training_config)
        if first is not None:
            yield from tune_quality(graph, typed, first)
        rated = seen(DefectImages.of_database(images.database.images, images.rows[which], images.database.groups()))
        yield from tune_quality(graph, rated.take(training), quality)
        return read_graphs(graph, rated.take(test).features)["quality"].astype(np.float64)

    return train


def _new_graph(features: int, typed: DefectImages, parts: GraphParts, seed: int) -> DistortionGraph:
    width = parts.width
    config = GraphConfig(
        RegressorConfig(pooled=parts.levels),
        tuple(sorted(set(typed.defects))),
        tone=parts.tone,
        fused=width,
        edge_widths=(width, width // 2, 64),
        node_widths=(width, width, 256),
        edges=parts.edges,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DistortionGraph(features, config)
