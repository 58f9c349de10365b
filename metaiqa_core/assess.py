"""From a photo to its assessment by one model."""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.assessment import Assessment, QualityMap, percentile_of, word_of
from metaiqa_core.diagnosis import Diagnosis, read_diagnosis
from metaiqa_core.engine import Engine, choose_engine
from metaiqa_core.engine.stored_model import StoredModel
from metaiqa_core.errors import CheckpointError, MetaIQAError, PhotoError
from metaiqa_core.images import DecodeLimits, Photo, PhotoSource, decode
from metaiqa_core.many_photos import Answer, Ready, answers
from metaiqa_core.models.card import ModelCard
from metaiqa_core.models.distortion_graph.graph_config import SMALLEST_SIDE
from metaiqa_core.models.model_files import DEFAULT_GRAPH_MODEL
from metaiqa_core.preprocessing import Preprocessing, tiles
from metaiqa_core.progress import Progress, Work, finish

if TYPE_CHECKING:  # scoring needs no torch, only the engine of that name does
    from torch import nn

TILE = 500
"""Side of the tiles of the zoomed-in reading, in photo pixels: the size of the photos the default model learnt on."""


class Model(Protocol):
    """A network with its card, such as a `Checkpoint` in memory or a `StoredModel` on the disk."""

    @property
    def network(self) -> "nn.Module":
        """The network: (B, 3, H, W) RGB in [0, 1] -> unit scores (B,)."""

    @property
    def card(self) -> ModelCard:
        """The card."""


class Assessor:
    """Scores photos with one model; safe to share between threads, since it holds no state but the weights.

    Scores are those of evaluation mode, whatever mode the network is in; that mode stays as it is.

    Args:
        model: Network with its card.
        limits: Sizes of the photos that are accepted; None for the defaults.
        engine: Engine that runs the model; None: torch runs the network itself.
    """

    def __init__(self, model: Model, *, limits: DecodeLimits | None = None, engine: Engine | None = None) -> None:
        self._model = model
        self._limits = limits or DecodeLimits()
        if engine is None:
            from metaiqa_core.engine.torch_engine import TorchEngine

            engine = TorchEngine(model.network)
        self._engine = engine

    @classmethod
    def load(
        cls, model: str | Path = "default", *, limits: DecodeLimits | None = None, engine: str | None = None
    ) -> "Assessor":
        """Load a model by name or file.

        Args:
            model: `default`, the name of a model, or the path of a `.safetensors` file with its card beside it.
            limits: Sizes of the photos that are accepted; None for the defaults.
            engine: Name of the engine: `onnx`, `torch`, or `auto` (see `choose_engine`).

        Raises:
            CheckpointError: If the model does not exist or cannot be used.
            EngineError: If the engine cannot be used.
        """
        stored = StoredModel(model)
        return cls(stored, limits=limits, engine=choose_engine(stored, engine))

    @property
    def network(self) -> "nn.Module":
        """Network of the model: (B, 3, H, W) RGB in [0, 1] -> unit scores (B,); differentiable in its input.

        It is torch's, whatever engine scores; a change of its weights reaches the scores of the engine `torch` alone.
        """
        return self._model.network

    @property
    def engine(self) -> Engine:
        """Engine that scores."""
        return self._engine

    @property
    def card(self) -> ModelCard:
        """Card of the model."""
        return self._model.card

    @property
    def preprocessing(self) -> Preprocessing:
        """Preprocessing that turns a photo into the network's input."""
        return self.card.preprocessing

    def assess(self, source: PhotoSource | Photo, *, at_full_size: bool = False) -> Assessment:
        """Assess one photo.

        Args:
            source: Path, bytes, file object, PIL image, uint8 array (H, W, 3), float tensor (3, H, W) in [0, 1], or a
                decoded `Photo`.
            at_full_size: Also score the native-resolution tiles; costs one forward pass a tile.

        Returns:
            The assessment; the same bits for the same photo, alone or among others.

        Raises:
            PhotoError: If the photo cannot be read.
        """
        ready = self._ready(source, in_full=at_full_size)
        detail = finish(self.map_quality(ready.photo)) if at_full_size else None
        return self._assessment(ready, detail, self._engine)

    def assess_many(
        self, sources: Iterable[PhotoSource], *, at_full_size: bool = False
    ) -> Iterator[Assessment | MetaIQAError]:
        """Assess photos in order, while the next ones are decoded or assessed as well; memory stays constant.

        Yields:
            The assessment of each source, or the error that says why there is none. An object of a type that no photo
            can be read from gives an error, too, where `assess` raises a `TypeError`.
        """

        def assessed(ready: Ready, engine: Engine) -> Assessment:
            return self._assessment(ready, finish(self.map_quality(ready.photo)) if at_full_size else None, engine)

        return self._answers(sources, assessed, in_full=at_full_size)

    def diagnose(self, source: PhotoSource | Photo) -> Diagnosis:
        """Say what is wrong with one photo, how strongly, and how sure that is.

        Args:
            source: A photo, as for `assess`.

        Returns:
            The diagnosis; the same bits for the same photo, alone or among others.

        Raises:
            PhotoError: If the photo cannot be read, or has a side of fewer than 128 pixels.
            CheckpointError: If the model is none that names defects.
        """
        self._require_graph()
        return self._diagnosis(self._ready(source, in_full=False), self._engine)

    def diagnose_many(self, sources: Iterable[PhotoSource]) -> Iterator[Diagnosis | MetaIQAError]:
        """Diagnose photos one after another, in order, while the next ones are being decoded; see `assess_many`.

        Raises:
            CheckpointError: If the model is none that names defects.
        """
        self._require_graph()
        return self._answers(sources, self._diagnosis, in_full=False)

    def _require_graph(self) -> None:
        if self.card.graph is None or self.card.diagnosis is None:
            raise CheckpointError(
                f"The model {self.card.name} names no defects: it has no graph. Use one that has, such as "
                f"{DEFAULT_GRAPH_MODEL}."
            )

    def _answers(
        self, sources: Iterable[PhotoSource], answer: Callable[[Ready, Engine], Answer], *, in_full: bool
    ) -> Iterator[Answer | MetaIQAError]:
        return answers(sources, partial(self._ready, in_full=in_full), answer, self._engine, large=in_full)

    def map_quality(self, source: PhotoSource | Photo) -> Work[QualityMap]:
        """Score the photo zoomed in, tile by tile, and yield a `Progress` after each tile.

        Raises:
            PhotoError: If the photo cannot be read.
        """
        photo = self._decoded(source, in_full=True)
        height, width = photo.pixels.shape[:2]
        boxes = tiles(width, height, TILE)
        scores = []
        for number, box in enumerate(boxes, start=1):
            # A tile goes through the same door as a photo, so that one of the model's own size gets the same score.
            tile = photo.pixels[box.top : box.top + box.height, box.left : box.left + box.width]
            scores.append(self._score(self.preprocessing.pixels(tile), self._engine))
            yield Progress("scoring tiles", number, len(boxes))
        return QualityMap(tuple(boxes), tuple(scores))

    def _decoded(self, source: PhotoSource | Photo, *, in_full: bool) -> Photo:
        if isinstance(source, Photo):
            return source
        minimum = None if in_full else self.preprocessing.short_side
        return decode(source, limits=self._limits, minimum_short_side=minimum)

    def _ready(self, source: PhotoSource | Photo, *, in_full: bool) -> Ready:
        photo = self._decoded(source, in_full=in_full)
        return Ready(photo, self.preprocessing.pixels(photo))

    def _score(self, pixels: NDArray[np.uint8], engine: Engine) -> float:
        unit_score = engine.unit_score(pixels)
        if math.isnan(unit_score):
            raise CheckpointError(
                f"The model {self.card.name} gives this photo no score that is a number: its weights are damaged or "
                "far too large; use another model, or train it anew with lower learning rates."
            )
        return min(max(unit_score, 0.0), 1.0) * 100

    def _diagnosis(self, ready: Ready, engine: Engine) -> Diagnosis:
        graph, calibration = self.card.graph, self.card.diagnosis
        if graph is None or calibration is None:
            raise ValueError("a diagnosis needs a graph model")
        width, height = ready.photo.full_size
        if min(width, height) < SMALLEST_SIDE:
            raise PhotoError(
                f"A defect can only be named in photos of {SMALLEST_SIDE} pixels a side or more, and this one has "
                f"{width:,} x {height:,}: choose a larger one."
            )
        try:
            output = engine.output(ready.pixels).ravel()
            return read_diagnosis(output, graph.defects, calibration)
        except ValueError as error:
            raise CheckpointError(
                f"The model {self.card.name} gives this photo no answer that is a number: its weights are damaged; use "
                "another model."
            ) from error

    def _assessment(self, ready: Ready, detail: QualityMap | None, engine: Engine) -> Assessment:
        score = self._score(ready.pixels, engine)
        photo, calibration, notes = ready.photo, self.card.calibration, ready.photo.notes
        width, height = photo.full_size
        promised = calibration
        if calibration and min(width, height) < calibration.smallest_side:
            promised = None
            notes = (
                *notes,
                f"the short side has {min(width, height):,} pixels, and how far a score can be trusted was only "
                f"measured from {calibration.smallest_side} pixels on",
            )
        return Assessment(
            score=score,
            interval_low=max(0.0, score - promised.half_width) if promised else None,
            interval_high=min(100.0, score + promised.half_width) if promised else None,
            interval_level=promised.level if promised else None,
            word=word_of(score),
            percentile=percentile_of(score, calibration.population_quantiles) if calibration else None,
            population=calibration.population if calibration else None,
            at_full_size=detail,
            model=self.card.name,
            width=width,
            height=height,
            format=photo.format,
            notes=notes,
        )
