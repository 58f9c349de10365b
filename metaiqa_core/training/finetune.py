"""Fine-tuning a prior on rated photos: Adam on the squared error of the target's scores (Eqs. 9 and 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor
from torch.nn import functional as F
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, StepLR

from metaiqa_core.models.finite_weights import require_finite
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Kind, Progress, Work
from metaiqa_core.training.configuration import FineTuneConfig
from metaiqa_core.training.descent import Descent
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.modes import (
    freeze_stages,
    get_ready,
    seeded_dropout,
    training_mode,
    training_scores,
)
from metaiqa_core.training.photos import TrainingPhotos, predict
from metaiqa_core.training.state import RunState, file_names, photos_signature, run_signature


@dataclass(frozen=True, eq=False)
class FineTuned:
    """Result of fine-tuning.

    Attributes:
        network: The tuned network, in evaluation mode.
        history: Number and mean loss of each epoch and, where there is a validation part, SROCC and RMSE on it.
        chosen_epoch: The epoch whose weights the network has.
    """

    network: Regressor
    history: list[dict[str, float]]
    chosen_epoch: int


def fine_tune(
    network: Regressor,
    photos: TrainingPhotos,
    training: Sequence[int],
    config: FineTuneConfig,
    *,
    validation: Sequence[int] = (),
    state_file: Path | None = None,
) -> Work[FineTuned]:
    """Adapt a network to rated photos.

    Args:
        network: The prior; changed in place. Its device is where the work is done.
        photos: Rated photos.
        training: Positions in `photos` to learn from.
        config: Rates, epochs, crops and losses.
        validation: Positions to choose the epoch by (lowest RMSE); without any, the last epoch is kept.
        state_file: File of the run's state, written after each epoch; one that is already there is continued from, and
            the result has the same bits as an uninterrupted run.

    Yields:
        One `Progress` a step, with `loss`, and after each epoch with `validation_srocc` and `validation_rmse`.

    Returns:
        The tuned network with the history.

    Raises:
        TrainingError: If the loss or a weight is not finite, or the state file belongs to another configuration.
    """
    start = hash_of_weights(network)
    freeze_stages(network, config.frozen_stages, head_alone=True)
    features = photos.frozen_features(network, config.frozen_stages)
    get_ready(network, features, training, config)
    optimiser = _optimiser(network, config)
    batches = max(1, len(training) // config.batch_size)
    schedule = _schedule(optimiser, config, batches)
    descent = Descent(network, optimiser, schedule, gradient_norm=config.gradient_norm, averaging=config.averaging)
    model = descent.outcome
    history: list[dict[str, float]] = []
    best: dict[str, Tensor] | None = None

    signature = run_signature(network, config.to_dict(), start) | photos_signature(photos, training)
    state = RunState(state_file, signature | {"validation": file_names(photos, validation)})
    if saved := state.load("descent", "history", "best"):
        descent.load_state_dict(saved["descent"])
        history, best = saved["history"], saved["best"]

    for epoch in range(len(history), config.epochs):
        generator = np.random.default_rng((config.seed, epoch))  # per epoch, so that resuming needs no generator state
        order = generator.permutation(np.asarray(training))
        losses = []
        training_mode(network, config.frozen_stages, fixed_statistics=config.fixed_statistics)
        for batch in range(batches):
            indices = order[batch * config.batch_size : (batch + 1) * config.batch_size].tolist()
            maps = features.batch(indices, config.crop, config.flip, generator)
            opinion = photos.unit_scores[indices].to(maps.device)
            with seeded_dropout(generator, maps.device):
                loss = _loss(network, maps, opinion, config)
            losses.append(descent.step(loss))
            done = epoch * batches + batch + 1
            yield Progress("fine-tuning", done, config.epochs * batches, {"loss": losses[-1]})
        require_finite(network)
        require_finite(model)
        record = {"epoch": epoch + 1, "loss": float(np.mean(losses))}
        if len(validation):
            record |= _validate(model, photos, validation, config.frozen_stages)
            if record["validation_rmse"] < min((item["validation_rmse"] for item in history), default=np.inf):
                best = {key: value.clone() for key, value in model.state_dict().items()}
        history.append(record)
        state.save(descent=descent.state_dict(), history=history, best=best)
        yield Progress("fine-tuning", (epoch + 1) * batches, config.epochs * batches, record, kind=Kind.EPOCH)

    network.load_state_dict(best or model.state_dict())
    network.eval().requires_grad_(False)
    return FineTuned(network, history, _chosen_epoch(history))


def _loss(network: Regressor, maps: Tensor, unit_scores: Tensor, config: FineTuneConfig) -> Tensor:
    predicted = training_scores(network, maps, config.frozen_stages)
    loss = F.mse_loss(predicted, unit_scores)  # Eq. 9
    if config.correlation_weight:
        loss = loss + config.correlation_weight * (1 - _correlation(predicted, unit_scores)) / 2
    return loss


def _correlation(predicted: Tensor, unit_scores: Tensor) -> Tensor:
    predicted, unit_scores = predicted - predicted.mean(), unit_scores - unit_scores.mean()
    return (predicted * unit_scores).sum() / (predicted.norm() * unit_scores.norm() + 1e-6)


def _optimiser(network: Regressor, config: FineTuneConfig) -> torch.optim.Optimizer:
    groups: list[dict[str, Any]] = [
        {"params": [p for p in network.backbone.parameters() if p.requires_grad], "lr": config.learning_rate},
        {"params": list(network.head.parameters()), "lr": config.head_learning_rate or config.learning_rate},
    ]
    adam = torch.optim.AdamW if config.decoupled_decay else torch.optim.Adam
    return adam([group for group in groups if group["params"]], betas=(0.9, 0.99), weight_decay=config.weight_decay)


def _schedule(optimiser: torch.optim.Optimizer, config: FineTuneConfig, batches: int) -> LRScheduler:
    if config.schedule == "step":
        return StepLR(optimiser, step_size=5 * batches, gamma=0.8)
    peaks = [group["lr"] for group in optimiser.param_groups]
    return OneCycleLR(optimiser, peaks, total_steps=config.epochs * batches, pct_start=0.15)


def _validate(
    network: Regressor, photos: TrainingPhotos, validation: Sequence[int], frozen_stages: int
) -> dict[str, float]:
    predicted = predict(network, photos, validation, frozen_stages)
    opinion = photos.unit_scores[list(validation)].double().numpy()
    measured = {"validation_rmse": float(np.sqrt(np.mean((predicted - opinion) ** 2)))}
    if len(opinion) > 2 and np.ptp(predicted) > 0 and np.ptp(opinion) > 0:
        measured["validation_srocc"] = float(stats.spearmanr(predicted, opinion).statistic)
    return measured


def _chosen_epoch(history: list[dict[str, float]]) -> int:
    if "validation_rmse" in history[-1]:
        return int(min(history, key=lambda record: record["validation_rmse"])["epoch"])
    return int(history[-1]["epoch"])
