"""Make the map of distortions that a graph model's pages show: `python make_map.py MODEL FULL DATABASE FEATURES`.

FULL is the model before its weights were halved, by whose hash features are kept; DATABASE holds distorted photos of
contents that the model has not learned from, FEATURES is the folder of kept features.
"""

import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from metaiqa_core.databases.reading import read_database  # noqa: E402
from metaiqa_core.evaluation.defects import DefectReadings  # noqa: E402
from metaiqa_core.evaluation.distortion_map import TypeGraph, map_of  # noqa: E402
from metaiqa_core.experiments.graph_sources import GraphSources  # noqa: E402
from metaiqa_core.models.checkpoints import load_checkpoint  # noqa: E402
from metaiqa_core.progress import finish  # noqa: E402
from metaiqa_core.training.graph_reading import read_graphs  # noqa: E402

NODES = 8
MOST = 1250


def main(model: str, full: str, database: str, features: str) -> None:
    """Write MODEL.map.npz beside this script."""
    loaded, kept = load_checkpoint(model), load_checkpoint(full)
    graph = loaded.network.graph
    sources = GraphSources(kept.network.features, loaded.preprocessing, Path(features))
    images = finish(sources.typed(read_database(Path(database)), MOST))
    said = read_graphs(graph, images.features)
    parts = {name: said[name] for name in ("logits", "level", "deviation", "type_code")}
    readings = DefectReadings(
        **parts,
        known=loaded.card.graph.defects,
        defects=images.defects,
        levels=images.levels,
        contents=tuple(content.partition(" ")[2] for content in images.contents),
    )
    types = readings.true_types
    graphs = {}
    for kind in sorted(set(types) - {""}):
        chosen = _chosen(np.nonzero((types == kind) & (images.levels >= 2))[0], readings.contents)
        with torch.inference_mode():
            z = graph.fuse(graph.standard(torch.from_numpy(images.features[chosen, 0])[None]))
            edges = graph.edge_features(z, len(chosen))
            edges = graph.edge_graph(edges, graph.edge_operator(edges, len(chosen)))
            graphs[kind] = TypeGraph(chosen, graph.node_operator(edges, len(chosen))[0].numpy())
    contents = len(set(readings.contents))
    measured_on = f"{len(types):,} distorted photos of {contents} contents of CID22 that nothing was learned from"
    file = HERE / f"{Path(model).stem}.map.npz"
    map_of(readings, graphs, model=loaded.card.sha256, measured_on=measured_on, types=types).write(file)


def _chosen(places: np.ndarray, contents: tuple[str, ...]) -> np.ndarray:
    """Return at most NODES places, each of another content where there are enough."""
    first = {contents[place]: place for place in places[::-1].tolist()}
    return np.array(sorted(first.values())[:NODES])


if __name__ == "__main__":
    main(*sys.argv[1:])
