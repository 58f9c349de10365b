"""Quality fine-tuning: a graph module that knows types and levels learns people's scores, from kept features.

The score of a node follows from its features and the code of its edge with itself (published with GraphIQA), that of a
photo is the mean over its nodes [I].
"""

from pathlib import Path

import numpy as np
import torch
from torch.optim.lr_scheduler import OneCycleLR

from metaiqa_core.errors import TrainingError
from metaiqa_core.models.distortion_graph.graph_module import DistortionGraph
from metaiqa_core.models.finite_weights import require_finite
from metaiqa_core.progress import Progress, Work
from metaiqa_core.training.descent import Descent
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.graph_configuration import QualityTuningConfig
from metaiqa_core.training.graph_data import DefectImages
from metaiqa_core.training.hidden_features import some_hidden
from metaiqa_core.training.random_order import in_random_order
from metaiqa_core.training.state import RunState


def tune_quality(
    graph: DistortionGraph, images: DefectImages, config: QualityTuningConfig, *, state_file: Path | None = None
) -> Work[DistortionGraph]:
    """Let a graph module learn opinion scores.

    Args:
        graph: A module that has learned types and levels; changed in place.
        images: Rated images to learn from.
        config: Steps and rates.
        state_file: File of the run's state; one that is already there is continued from, with the same bits.

    Yields:
        One `Progress` a step, with `loss`, the squared error of the unit scores.

    Returns:
        The module, in evaluation mode.

    Raises:
        TrainingError: If there are fewer than two photos with different scores, the loss is not finite, or the state
            cannot be kept or belongs to another run.
    """
    if len(set(images.unit_scores.tolist())) < 2:
        raise TrainingError("The quality cannot be learned: expected two photos or more with different scores.")
    learning = graph.quality if config.learns == "head" else graph
    graph.eval().requires_grad_(False)
    graph.zero_grad()  # what an earlier training left would count for the length of the gradient
    learning.requires_grad_(True)
    signature = {
        "algorithm": "quality fine-tuning",
        "config": config.to_dict(),
        "network": graph.config.to_dict(),
        "start": hash_of_weights(graph),
        "unit_scores": images.unit_scores.tolist(),
        "contents": list(images.contents),
    }
    state = RunState(state_file, signature)
    optimiser = torch.optim.AdamW(learning.parameters(), config.quality_rate, weight_decay=config.quality_weight_decay)
    schedule = OneCycleLR(optimiser, config.quality_rate, total_steps=config.quality_steps, pct_start=0.1)
    descent = Descent(graph, optimiser, schedule, gradient_norm=1.0)
    saved = state.load("descent", "steps")
    if saved:
        descent.load_state_dict(saved["descent"])
    features, scores = torch.from_numpy(images.features), torch.from_numpy(images.unit_scores)
    size = min(config.quality_batch, len(images))
    for step in range(saved["steps"] if saved else 0, config.quality_steps):
        batch = in_random_order(
            range(step * size, (step + 1) * size), len(images), lambda turn: (config.quality_seed, 2, turn)
        )
        noise = torch.Generator().manual_seed(
            int(np.random.default_rng((config.quality_seed, 3, step)).integers(2**31))
        )
        seen = some_hidden(features[batch], config.quality_dropout, noise)
        predicted = graph(seen, features.shape[1]).quality.mean(1)
        loss = descent.step((predicted - scores[batch]).square().mean())
        if state.is_due or step + 1 == config.quality_steps:
            require_finite(graph)
            state.save(descent=descent.state_dict(), steps=step + 1)
        yield Progress("quality fine-tuning", step + 1, config.quality_steps, {"loss": loss})
    require_finite(graph)
    return graph.eval().requires_grad_(False)
