"""Where graphs are kept: those of shipped models come with the program, others are made once and kept in a cache.

A graph's file bears a hash of the architecture in its name, so that one of another architecture, or of another version
of the export, is never taken. It holds no weights; those come from the model's own file every time.
"""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from metaiqa_core.assets import ASSETS
from metaiqa_core.engine.stored_graph import Graph
from metaiqa_core.errors import CheckpointError, EngineError
from metaiqa_core.files import cache_folder, write_whole
from metaiqa_core.models.card import ModelCard
from metaiqa_core.models.regressor_config import RegressorConfig

SHIPPED_GRAPHS = ASSETS / "graphs"
_LATER = ("centres", "adapters", "fused", "studies", "tones", "tone_centres")
EXPORT_VERSION = 1
"""Counts changes of `graph.export_graph` that change a graph."""


def graph_of(card: ModelCard) -> Graph:
    """Return the graph of a model's architecture; one that is not kept yet is made, tried and kept.

    Raises:
        EngineError: If the network has no graph, the graph does not give the network's scores, or a kept one is
            damaged.
        CheckpointError: If the card describes a network that cannot be built.
    """
    name = graph_name(card)
    for folder in (SHIPPED_GRAPHS, own_graphs()):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return Graph.from_bytes((folder / name).read_bytes())
    graph = make_graph(card)
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, no scores
        write_whole(own_graphs() / name, lambda temporary: temporary.write_bytes(graph.to_bytes()))
    return graph


def graph_name(card: ModelCard) -> str:
    """Return the file name of an architecture's graph, such as `mobilenet_v2-3f2a9c01b7de.graph`."""
    architecture: dict[str, object] = {"architecture": card.architecture, "export": EXPORT_VERSION}
    label: str = card.architecture
    if card.regressor:
        architecture |= _named_fields(card.regressor)
        label = card.regressor.backbone
    if card.graph:
        backbone = _named_fields(card.graph.backbone)
        architecture |= card.graph.to_dict() | {"backbone": backbone, "defects": len(card.graph.defects)}
        label = f"{card.graph.backbone.backbone}-{card.architecture}"
    digest = hashlib.sha256(json.dumps(architecture, sort_keys=True).encode()).hexdigest()
    return f"{label}-{digest[:12]}.graph"


def _named_fields(config: RegressorConfig) -> dict[str, Any]:
    """Return the fields that tell networks apart; those that came later count only where they do something.

    So the names of graphs stay what they were when a field is added.
    """
    return {
        name: value for name, value in config.to_dict().items() if name != "dropout" and (name not in _LATER or value)
    }


def own_graphs() -> Path:
    """Return the folder of graphs that were made here."""
    return cache_folder() / "graphs"


def make_graph(card: ModelCard) -> Graph:
    """Make the graph of a model's architecture and compare it with the network, both with the same random weights.

    Raises:
        EngineError: If the network has no graph, or the graph does not give the network's scores.
        CheckpointError: If the card describes a network that cannot be built.
    """
    # Only whoever makes a graph needs torch.
    from metaiqa_core.engine.graph import export_graph
    from metaiqa_core.engine.graph_check import largest_difference
    from metaiqa_core.models.checkpoints import build_network

    try:
        network = build_network(card)
    except ValueError as error:
        raise CheckpointError(f"The card of {card.name} is not valid: {error}. Restore the file.") from error
    graph = export_graph(network)
    if (difference := largest_difference(network, graph)) > MOST_DIFFERENCE:
        raise EngineError(f"The graph of this network gives other scores, by {difference:.2g} of 1.")
    return graph


MOST_DIFFERENCE = 1e-4
"""Largest difference of unit scores between a graph and its network: a hundredth of a point."""
