"""What the graph learns from: features of photos' quarters with their defects and levels, and the graphs of a step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.defect_words import NOTHING, Defect, defect_of, severity_of
from metaiqa_core.errors import TrainingError
from metaiqa_core.training.graph_configuration import GraphTrainingConfig
from metaiqa_core.training.kept_features import Features


@dataclass(frozen=True, eq=False)
class DefectImages:
    """Photos whose defects are known.

    Attributes:
        features: (N, 4, P): features of their quarters.
        defects: Defect of each.
        levels: (N,): severity of each, 0 (nothing) to 5; NaN where it is not known.
        contents: Name of what each shows; images of one content stay on one side of a split.
        unit_scores: (N,): opinion scores.
    """

    features: Features
    defects: tuple[Defect, ...]
    levels: NDArray[np.float32]
    contents: tuple[str, ...]
    unit_scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        if len({len(self.features), len(self.defects), len(self.levels), len(self.contents)}) > 1:
            raise ValueError("each image needs features, a defect, a level and a content")

    def __len__(self) -> int:
        return len(self.defects)

    @classmethod
    def of_database(cls, images: Sequence[RatedImage], features: Features, contents: Sequence[str]) -> Self:
        """Return the images of a database; those without a distortion type are photos in which nothing is to be found.

        Args:
            images: The images.
            features: (N, 4, P): features of their quarters.
            contents: Name of what each shows.

        Raises:
            TrainingError: If an image has a type that the catalogue does not know, or a level out of 1 to 5.
        """
        defects, levels = [], []
        for image in images:
            if image.distortion_type is None:
                defects.append(Defect("", NOTHING))
                levels.append(0)
                continue
            try:
                level = image.level if image.level is not None else 0
                defects.append(defect_of(image.distortion_type, level))
                levels.append(severity_of(image.distortion_type, level))
            except ValueError as error:
                raise TrainingError(f"{image.name} cannot be learned from: {error}.") from error
        scores = np.array([image.unit_score for image in images], np.float32)
        return cls(features, tuple(defects), np.array(levels, np.float32), tuple(contents), scores)

    def take(self, positions: Sequence[int]) -> Self:
        """Return the images at these positions, in that order."""
        places = list(positions)
        return type(self)(
            self.features[places],
            tuple(self.defects[place] for place in places),
            self.levels[places],
            tuple(self.contents[place] for place in places),
            self.unit_scores[places],
        )

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """Return the images of several parts, one after the other."""
        return cls(
            np.concatenate([part.features for part in parts]),
            tuple(defect for part in parts for defect in part.defects),
            np.concatenate([part.levels for part in parts]),
            tuple(content for part in parts for content in part.contents),
            np.concatenate([part.unit_scores for part in parts]),
        )


@dataclass(frozen=True, eq=False)
class Graphs:
    """Graphs of one size.

    Attributes:
        features: (G, N, P): features of their nodes.
        levels: (G, N): severity of their nodes; NaN where it is not known.
        defects: (G,): number of their defect.
    """

    features: Tensor
    levels: Tensor
    defects: Tensor


class GraphBatches:
    """Graphs of random defects: graphs of a defect, whose nodes are quarters of many images, and graphs of a photo.

    A graph of a type is published with GraphIQA; a photo as a graph of its own is *inferred*: that is what a photo is
    when somebody asks.

    Args:
        images: Images to learn from.
        known: The defects that the model tells apart, in its order.
        config: Numbers of defects, graphs and nodes in a step.

    Raises:
        TrainingError: If there are fewer than two images of a defect, or an image has a defect that the model does not
            know.
    """

    def __init__(self, images: DefectImages, known: Sequence[Defect], config: GraphTrainingConfig) -> None:
        numbers = {defect: number for number, defect in enumerate(known)}
        if unknown := next((defect for defect in images.defects if defect not in numbers), None):
            raise TrainingError(f"The model does not know {unknown.name}: name it among its defects.")
        self._images, self._config = images, config
        self._features = torch.from_numpy(images.features)
        self._levels = torch.from_numpy(images.levels)
        own = np.array([numbers[defect] for defect in images.defects])
        self._nothing = next((number for number, defect in enumerate(known) if defect.word == NOTHING), None)
        self._members = {number: np.nonzero(own == number)[0] for number in range(len(known))}
        for number, members in self._members.items():
            if len(members) < 2:
                raise TrainingError(
                    f"There are {len(members)} images of {known[number].name} to learn from: expected two or more."
                )

    def draw(self, generator: np.random.Generator) -> list[Graphs]:
        """Return the graphs of a step: those of types first, then those of photos; either may be missing."""
        config = self._config
        drawn = generator.permutation(len(self._members))[: config.defects_per_step]
        if self._nothing is not None and self._nothing not in drawn:
            drawn[-1] = self._nothing
        batches = []
        if config.type_graphs:
            defects = np.repeat(drawn, config.type_graphs)
            images = np.stack([self._some(int(defect), config.type_nodes, generator) for defect in defects])
            quarters = generator.integers(self._features.shape[1], size=images.shape)
            batches.append(self._graphs(self._features[images, quarters], self._levels[images], defects))
        if config.photo_graphs:
            defects = np.repeat(drawn, config.photo_graphs)
            images = np.concatenate([self._some(int(defect), config.photo_graphs, generator) for defect in drawn])
            features = self._features[images]
            levels = self._levels[images][:, None].expand(features.shape[:2])
            batches.append(self._graphs(features, levels, defects))
        return batches

    def _some(self, defect: int, number: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Draw images of a defect; where there are not enough, some come again."""
        members = self._members[defect]
        return generator.choice(members, number, replace=len(members) < number)

    def _graphs(self, features: Tensor, levels: Tensor, defects: NDArray[np.int64]) -> Graphs:
        return Graphs(features, levels, torch.from_numpy(defects))
