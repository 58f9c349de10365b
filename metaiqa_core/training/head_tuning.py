"""Fine-tuning of a head alone: it learns opinion scores from features that were computed once."""

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

from metaiqa_core.errors import TrainingError
from metaiqa_core.models.finite_weights import require_finite
from metaiqa_core.progress import Progress, Work
from metaiqa_core.training.descent import Descent
from metaiqa_core.training.graph_configuration import QualityTuningConfig
from metaiqa_core.training.kept_features import Features
from metaiqa_core.training.modes import seeded_dropout
from metaiqa_core.training.random_order import in_random_order


def tune_head(
    head: nn.Sequential, features: Features, unit_scores: Features, config: QualityTuningConfig
) -> Work[nn.Sequential]:
    """Let a head learn opinion scores while the backbone before it rests.

    Args:
        head: Layers from features (B, P) to unit scores (B, 1); changed in place.
        features: (N, P): features of the photos to learn from.
        unit_scores: (N,): their opinion scores.
        config: Steps, photos in a step, largest rate and seed; what is said of the graph does not count.

    Yields:
        One `Progress` a step, with `loss`, the squared error of the unit scores.

    Returns:
        The head, in evaluation mode.

    Raises:
        TrainingError: If there are fewer than two photos with different scores, or the loss is not finite.
    """
    if len(set(unit_scores.tolist())) < 2:
        raise TrainingError("The quality cannot be learned: expected two photos or more with different scores.")
    optimiser = torch.optim.AdamW(head.parameters(), config.quality_rate, weight_decay=config.quality_weight_decay)
    schedule = OneCycleLR(optimiser, config.quality_rate, total_steps=config.quality_steps, pct_start=0.1)
    descent = Descent(head.train().requires_grad_(True), optimiser, schedule, gradient_norm=1.0)
    inputs, scores = torch.from_numpy(features), torch.from_numpy(unit_scores.astype(np.float32))
    size = min(config.quality_batch, len(scores))
    for step in range(config.quality_steps):
        places = range(step * size, (step + 1) * size)
        batch = in_random_order(places, len(scores), lambda turn: (config.quality_seed, 2, turn))
        with seeded_dropout(np.random.default_rng((config.quality_seed, 3, step)), torch.device("cpu")):
            predicted = head(inputs[batch]).squeeze(1)
        loss = descent.step((predicted - scores[batch]).square().mean())
        yield Progress("quality fine-tuning", step + 1, config.quality_steps, {"loss": loss})
    require_finite(head)
    return head.eval().requires_grad_(False)
