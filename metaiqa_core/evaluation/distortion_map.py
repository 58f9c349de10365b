"""How a graph model sees distortions: the type codes of photos that it has not learned from, on few axes, in one file.

The axes are the directions in which the codes differ most (principal components). They are computed once, for the
photos of the map; a new photo's code is brought onto the same axes, so that it can be shown among them.
"""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.defects import CLEAR_LEVELS, DefectReadings
from metaiqa_core.files import write_whole

Array = NDArray[np.floating[Any]]
Texts = NDArray[np.str_]
AXES = 16
"""Number of axes that are kept; the first two are drawn."""
_MAXIMUM_BYTES = 5 * 2**20


@dataclass(frozen=True, eq=False)
class TypeGraph:
    """The graph of one type: photos of it as nodes, and how much each takes from each.

    Attributes:
        photos: (N,): positions of the photos in the map.
        edges: (N, N): entries of the node graph's operator, in [0, 1], symmetric.
    """

    photos: NDArray[np.int64]
    edges: Array

    def strongest(self) -> tuple[int, int, float]:
        """Return the two nodes that take most from each other, as places in the graph, and how much."""
        return self._pair(largest=True)

    def weakest(self) -> tuple[int, int, float]:
        """Return the two nodes that take least from each other, as places in the graph, and how much."""
        return self._pair(largest=False)

    def _pair(self, *, largest: bool) -> tuple[int, int, float]:
        rows, columns = np.triu_indices(len(self.photos), 1)
        values = self.edges[rows, columns]
        place = int(values.argmax() if largest else values.argmin())
        return int(rows[place]), int(columns[place]), float(values[place])


@dataclass(frozen=True, eq=False)
class DistortionMap:
    """The photos of a map, N of them, and the axes.

    Attributes:
        model: SHA-256 of the weights whose codes these are.
        measured_on: The photos, in words.
        mean: (C,): mean of the codes.
        axes: (A, C): directions of unit length, by falling variance.
        shares: (A,): share of the variance that each shows.
        places: (N, A): the codes on the axes.
        types: (N,): key of each photo's type; "" where nothing was done to it.
        called: (N,): key of the most probable type.
        words: (N,): word of each photo's defect.
        levels: (N,): its level, 0 to 5.
        contents: (N,): name of what it shows.
        graphs: Graph of each type, by its key.
    """

    model: str
    measured_on: str
    mean: Array
    axes: Array
    shares: Array
    places: Array
    types: Texts
    called: Texts
    words: Texts
    levels: Array
    contents: Texts
    graphs: dict[str, TypeGraph]

    def place(self, type_code: Array) -> Array:
        """Return a code (C,) on the axes (A,).

        Raises:
            ValueError: If the code is of another length: it is that of another model.
        """
        if len(type_code) != len(self.mean):
            raise ValueError(f"expected a type code of {len(self.mean)} values, got {len(type_code)}")
        return np.asarray(self.axes @ (np.asarray(type_code) - self.mean))

    def most_alike(self, place: Array, count: int) -> NDArray[np.int64]:
        """Return the positions of the photos that are nearest to a place (A,), nearest first."""
        return np.square(self.places - place).sum(1).argsort(kind="stable")[:count]

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Whether something was done to each photo that most people see."""
        return np.isin(self.levels, CLEAR_LEVELS) & (self.types != "")

    def retrieval(self) -> float:
        """Return the share of clear photos whose nearest one, of another content, is of their type."""
        clear = self.clear
        places, kinds, contents = self.places[clear], self.types[clear], self.contents[clear]
        distances = np.square(places[:, None] - places).sum(2)
        distances[contents[:, None] == contents] = np.inf
        return float((kinds[distances.argmin(1)] == kinds).mean())

    def confusion(self) -> tuple[list[str], NDArray[np.int64]]:
        """Return the types, and how many clear photos of each (row) are called each (column)."""
        names = sorted({*self.types[self.clear].tolist(), *self.called[self.clear].tolist()})
        places = {name: place for place, name in enumerate(names)}
        table = np.zeros((len(names), len(names)), np.int64)
        for true, called in zip(self.types[self.clear].tolist(), self.called[self.clear].tolist(), strict=True):
            table[places[true], places[called]] += 1
        return names, table

    def write(self, file: Path) -> None:
        """Write the map, whole or not at all; numbers in half precision.

        Raises:
            OSError: If the disk refuses.
        """
        arrays: dict[str, NDArray[Any]] = {
            name: getattr(self, name) for name in ("types", "called", "words", "levels", "contents")
        }
        arrays |= {name: getattr(self, name).astype(np.float16) for name in ("mean", "axes", "shares", "places")}
        arrays["levels"] = self.levels.astype(np.int8)
        for kind, graph in self.graphs.items():
            arrays[f"photos {kind}"] = graph.photos.astype(np.int32)
            arrays[f"edges {kind}"] = graph.edges.astype(np.float16)
        arrays["about"] = np.array(json.dumps({"model": self.model, "measured_on": self.measured_on}))
        stream = io.BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **arrays)
        write_whole(file, lambda temporary: temporary.write_bytes(stream.getvalue()))


def read_map(file: Path) -> DistortionMap:
    """Read a map.

    Raises:
        EvaluationError: If the file is missing or damaged.
    """
    try:
        if file.stat().st_size > _MAXIMUM_BYTES:
            raise ValueError("it is too large")
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = json.loads(str(arrays["about"]))
        graphs = {
            name.removeprefix("photos "): TypeGraph(
                arrays[name].astype(np.int64), arrays[name.replace("photos ", "edges ", 1)].astype(np.float32)
            )
            for name in arrays
            if name.startswith("photos ")
        }
        numbers = {name: arrays[name].astype(np.float32) for name in ("mean", "axes", "shares", "places", "levels")}
        texts = {name: arrays[name] for name in ("types", "called", "words", "contents")}
        return DistortionMap(about["model"], about["measured_on"], **numbers, **texts, graphs=graphs)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise EvaluationError(f"The map of distortions in {file.name} cannot be read: make it again.") from error


def map_of(
    readings: DefectReadings, graphs: dict[str, TypeGraph], *, model: str, measured_on: str, types: Texts
) -> DistortionMap:
    """Return the map of photos.

    Args:
        readings: Readings of these images by the model, with the truth beside each.
        graphs: Graphs of types.
        model: SHA-256 of the model's weights.
        measured_on: The photos, in words.
        types: (N,): what was done to each photo, even where it changes nothing.

    Raises:
        EvaluationError: If there are fewer photos than axes.
    """
    codes = readings.type_code.astype(np.float64)
    if len(codes) <= AXES:
        raise EvaluationError(f"A map of distortions needs more than {AXES} photos, got {len(codes)}.")
    mean = codes.mean(0)
    _, lengths, directions = np.linalg.svd(codes - mean, full_matrices=False)
    axes = directions[:AXES]
    return DistortionMap(
        model=model,
        measured_on=measured_on,
        mean=mean,
        axes=axes,
        shares=lengths[:AXES] ** 2 / (lengths**2).sum(),
        places=(codes - mean) @ axes.T,
        types=np.where(readings.true_types == "", "", types),
        called=readings.types(),
        words=readings.true_words,
        levels=readings.levels,
        contents=np.array(readings.contents),
        graphs=graphs,
    )
