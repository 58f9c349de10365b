"""Graph training: the graph module learns from kept features, under two supervisions [A].

L = L_type + 0.25 L_level, published with GraphIQA: L_type tells the types' codes apart by triplets, L_level is the
level's. *Inferred*: beside the triplets, the cross-entropy of the defects, from which probabilities come.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from metaiqa_core.models.distortion_graph.graph_module import DistortionGraph, GraphReadings
from metaiqa_core.models.finite_weights import require_finite
from metaiqa_core.progress import Progress, Work
from metaiqa_core.training.descent import Descent
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.graph_configuration import GraphTrainingConfig
from metaiqa_core.training.graph_data import DefectImages, GraphBatches, Graphs
from metaiqa_core.training.graph_losses import level_likelihood, sampled_level_error, triplet_loss
from metaiqa_core.training.hidden_features import some_hidden
from metaiqa_core.training.state import RunState


def train_graph(
    graph: DistortionGraph, images: DefectImages, config: GraphTrainingConfig, *, state_file: Path | None = None
) -> Work[DistortionGraph]:
    """Let a graph module learn what types and levels look like.

    Args:
        graph: The start; its features are standardised by these images, if they are not yet.
        images: Images to learn from.
        config: Steps, rates and losses.
        state_file: File of the run's state; one that is already there is continued from, with the same bits.

    Yields:
        One `Progress` a step, with `loss`, `triplet`, `level`, and `defect`, the cross-entropy.

    Returns:
        The module with the averaged weights, in evaluation mode.

    Raises:
        TrainingError: If a defect has fewer than two images, the loss is not finite, or the state cannot be kept or
            belongs to another run.
    """
    batches = GraphBatches(images, graph.config.defects, config)
    state = RunState(state_file, _signature(graph, images, config))
    if not graph.standard.fitted:
        graph.standard.fit(torch.from_numpy(images.features).flatten(0, 1))
    optimiser = torch.optim.AdamW(
        graph.parameters(), config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
    )
    schedule = OneCycleLR(optimiser, config.learning_rate, total_steps=config.steps, pct_start=0.1)
    descent = Descent(graph.train(), optimiser, schedule, gradient_norm=1.0, averaging=config.averaging)
    saved = state.load("descent", "steps")
    if saved:
        descent.load_state_dict(saved["descent"])
    for step in range(saved["steps"] if saved else 0, config.steps):
        generator = np.random.default_rng((config.seed, 1, step))  # per step, so that resuming needs no generator state
        losses = _losses(graph, batches.draw(generator), config, generator)
        descent.step(losses["loss"])
        if state.is_due or step + 1 == config.steps:
            require_finite(graph)
            state.save(descent=descent.state_dict(), steps=step + 1)
        measured = {name: float(value.detach()) for name, value in losses.items()}
        yield Progress("graph training", step + 1, config.steps, measured)
    graph.load_state_dict(descent.outcome.state_dict())
    require_finite(graph)
    return graph.eval()


def _losses(
    graph: DistortionGraph, batches: list[Graphs], config: GraphTrainingConfig, generator: np.random.Generator
) -> dict[str, Tensor]:
    noise = torch.Generator().manual_seed(int(generator.integers(2**31)))
    readings = [graph(some_hidden(one.features, config.dropout, noise), one.features.shape[1]) for one in batches]
    defects = torch.cat([one.defects for one in batches])
    codes = torch.cat([one.type_code for one in readings])
    logits = torch.cat([one.logits for one in readings])
    triplet = triplet_loss(codes, defects, config.margin)
    weights = torch.cat([_weights(one, config.faint_weight) for one in batches])
    errors = F.cross_entropy(logits, defects, label_smoothing=config.label_smoothing, reduction="none")
    defect = (errors * weights).sum() / weights.sum().clamp(min=1e-6)
    parts = [_level_loss(one, batch, config, noise) for one, batch in zip(readings, batches, strict=True)]
    level = torch.stack(parts).mean()
    loss = config.triplet_weight * triplet + config.defect_weight * defect + config.level_weight * level
    return {"loss": loss, "triplet": triplet, "level": level, "defect": defect}


def _weights(batch: Graphs, faint_weight: float) -> Tensor:
    """Return the weight of each graph (G,): less for one whose nodes are all at level 1."""
    is_faint = (batch.levels == 1).all(1)
    return torch.where(is_faint, faint_weight, 1.0)


def _level_loss(readings: GraphReadings, batch: Graphs, config: GraphTrainingConfig, noise: torch.Generator) -> Tensor:
    if config.level_loss == "likelihood":
        return level_likelihood(readings.level, readings.deviation, batch.levels)
    drawn = torch.randn(readings.level.shape, generator=noise)
    return sampled_level_error(readings.level, readings.deviation, batch.levels, drawn)


def _signature(graph: DistortionGraph, images: DefectImages, config: GraphTrainingConfig) -> dict[str, Any]:
    return {
        "algorithm": "graph training",
        "config": config.to_dict(),
        "network": graph.config.to_dict(),
        "start": hash_of_weights(graph),
        "defects": [defect.name for defect in images.defects],
        "contents": list(images.contents),
    }
