"""Joint training: one network learns from the opinion scores of several databases at once.

Each batch holds images of every database, in stated shares. The network predicts one latent quality; each database has
a scale of its own that turns it into that study's scores. Beside the squared error of the scores stands a fidelity loss
over the pairs within a database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.models.batch_norm import norms_within_convolutions
from metaiqa_core.models.finite_weights import require_finite
from metaiqa_core.models.regressor import Regressor, Standardise
from metaiqa_core.progress import Progress, Work
from metaiqa_core.training.fidelity import fidelity_loss
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.frozen_features import FrozenFeatures
from metaiqa_core.training.joint_configuration import JointConfig
from metaiqa_core.training.modes import freeze_stages, seeded_dropout, training_mode
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.state import load_state, save_state, state_is_due
from metaiqa_core.training.study_scales import StudyScale, answer_on

HEAD_BATCH = 64
"""Crops in a step of the head's own training."""


@dataclass(frozen=True, eq=False)
class Study:
    """One database that is learned from.

    Attributes:
        name: The database's name.
        photos: Its images, decoded as the model wants them.
        training: Positions in `photos` to learn from.
        share: Share of each batch that its images make up; shares are relative to each other.
    """

    name: str
    photos: TrainingPhotos
    training: Sequence[int]
    share: float


@dataclass(frozen=True, eq=False)
class JointlyTrained:
    """The outcome of joint training.

    Attributes:
        network: The network, in evaluation mode, which answers on the mean of the shown studies' scales.
        to_shown: By study, offset and gain that bring its unit scores to the scale that the network answers on; what a
            study's own correction or bends add to that is left out.
    """

    network: Regressor
    to_shown: dict[str, tuple[float, float]]


def refuse_shared_photos(training: Sequence[Database], held_out: Sequence[Database]) -> None:
    """Raise a `TrainingError` if a photo to learn from is also one, in whatever database, to be judged by."""
    for learned in training:
        for judged in held_out:
            if copied := judged.find_copy(learned):
                raise TrainingError(
                    f"{copied} of {learned.name} is to be learned from and is also a held-out photo of {judged.name}: "
                    "leave it out of one of the two databases."
                )


def train_jointly(
    network: Regressor,
    studies: Sequence[Study],
    shown: Sequence[str],
    config: JointConfig,
    *,
    state_file: Path | None = None,
) -> Work[JointlyTrained]:
    """Let a network learn from several databases at once.

    Args:
        network: The start; changed in place.
        studies: The databases, each with its share of a batch.
        shown: Names of the studies on the mean of whose scales the finished network answers.
        config: Steps, rates, losses.
        state_file: Where to keep the state; one that is already there is continued from, with the same bits.

    Yields:
        One `Progress` a step, with `loss` and each study's squared error.

    Returns:
        The network, and how the studies' scores compare with its answers.

    Raises:
        TrainingError: If `shown` names no study, a study has fewer than two photos or no place in a batch, or the loss
            is not finite.
    """
    counts = _counts(studies, config.batch_size)
    if unknown := sorted(set(shown) - {study.name for study in studies}) or (["nothing"] if not shown else []):
        names = ", ".join(study.name for study in studies)
        raise TrainingError(f"The network is to answer on the scale of {unknown[0]}: expected one of {names}.")
    start = hash_of_weights(network)
    freeze_stages(network, config.frozen_stages)
    features = [study.photos.frozen_features(network, config.frozen_stages, of_crops=True) for study in studies]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        # A bent scale cannot become the network's own, so the shown ones are straight.
        straight = shown if config.scale == "monotone" else ()
        scales = [
            StudyScale(network.config.hidden, "affine" if study.name in straight else config.scale) for study in studies
        ]
        spread = nn.Linear(network.config.hidden, 1)
        nn.init.zeros_(spread.weight)
        nn.init.constant_(spread.bias, float(np.log(config.pair_noise)))
    learning = nn.ModuleDict({"network": network, "scales": nn.ModuleList(scales), "spread": spread})
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in network.backbone.parameters() if p.requires_grad], "lr": config.learning_rate},
            {"params": list(network.head.parameters()), "lr": config.head_learning_rate},
            {"params": [*learning["scales"].parameters(), *spread.parameters()], "lr": config.scale_learning_rate},
        ],
        betas=(0.9, 0.99),
        weight_decay=config.weight_decay,
    )
    rates = [config.learning_rate, config.head_learning_rate, config.scale_learning_rate]
    schedule = OneCycleLR(optimiser, rates, total_steps=config.steps, pct_start=0.1)
    averaged = AveragedModel(learning, multi_avg_fn=_moving_average(config.averaging)) if config.averaging else None
    signature = _signature(network, studies, shown, config, start)
    done = 0
    if state_file and (state := load_state(state_file, signature)):
        learning.load_state_dict(state["learning"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        if averaged:
            averaged.load_state_dict(state["averaged"])
        done = state["done"]
    elif config.head_crops:
        yield from _ready_head(network, scales, spread, studies, features, config)
        if averaged:
            averaged.module.load_state_dict(learning.state_dict())

    training_mode(network, config.frozen_stages, fixed_statistics=True)
    kept = monotonic()
    for step in range(done, config.steps):
        generator = np.random.default_rng((config.seed, 1, step))  # per step, so that resuming needs no generator state
        drawn = [
            _drawn(study, count, step, config.seed, place)
            for place, (study, count) in enumerate(zip(studies, counts, strict=True))
        ]
        maps = [
            one.batch(positions, config.crop, config.flip, generator)
            for one, positions in zip(features, drawn, strict=True)
        ]
        opinions = [study.photos.unit_scores[positions] for study, positions in zip(studies, drawn, strict=True)]
        with seeded_dropout(generator, network.mean.device):
            pooled = _pooled(network, maps, config.frozen_stages)
            losses, squared = _losses(network, scales, spread, pooled, opinions, config)
        loss = torch.stack(losses).sum()
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss became {float(loss.detach())}: lower the learning rates, or check the scores."
            )
        optimiser.zero_grad()
        loss.backward()
        if config.gradient_norm:
            nn.utils.clip_grad_norm_(learning.parameters(), config.gradient_norm)
        optimiser.step()
        schedule.step()
        if averaged:
            averaged.update_parameters(learning)
        if state_file and state_is_due(kept):
            require_finite(learning)
            save_state(
                state_file,
                signature,
                learning=learning.state_dict(),
                optimiser=optimiser.state_dict(),
                schedule=schedule.state_dict(),
                averaged=averaged.state_dict() if averaged else None,
                done=step + 1,
            )
            kept = monotonic()
        errors = {f"squared error, {study.name}": error for study, error in zip(studies, squared, strict=True)}
        yield Progress("joint training", step + 1, config.steps, {"loss": float(loss.detach()), **errors})

    if averaged:
        learning.load_state_dict(averaged.module.state_dict())
    named = {study.name: scale for study, scale in zip(studies, scales, strict=True)}
    require_finite(network)
    answer_on(network, [named[name] for name in dict.fromkeys(shown)])
    return JointlyTrained(network.eval().requires_grad_(False), _conversions(named, shown))


@torch.no_grad()
def _conversions(scales: Mapping[str, StudyScale], shown: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return offset and gain by which each study's scores become those of the shown studies' mean."""
    gain = float(np.mean([float(scales[name].log_gain.exp()) for name in shown]))
    offset = float(np.mean([float(scales[name].offset) for name in shown]))
    found = {}
    for name, scale in scales.items():
        ratio = gain / float(scale.log_gain.exp())
        found[name] = offset - ratio * float(scale.offset), ratio
    return found


def _pooled(network: Regressor, maps: list[Tensor], frozen_stages: int) -> Tensor:
    """Return what the head sees of all studies' crops, (B, P); they shrink to one side, the smallest."""
    side = min(min(one.shape[2:]) for one in maps)
    together = torch.cat([one[:, :, :side, :side] for one in maps]).contiguous(memory_format=torch.channels_last)
    with norms_within_convolutions(network.backbone[frozen_stages:]):
        return network.pool(network.pooled_maps(together, frozen_stages))


def _losses(
    network: Regressor,
    scales: Sequence[StudyScale],
    spread: nn.Linear,
    pooled: Tensor,
    opinions: list[Tensor],
    config: JointConfig,
) -> tuple[list[Tensor], list[float]]:
    """Return each study's loss, and its mean squared error for the curve."""
    hidden = network.head[:-1](pooled)
    quality = network.head[-1](hidden).squeeze(1)
    log_spread = spread(hidden).squeeze(1)
    losses, errors = [], []
    first = 0
    for scale, opinion in zip(scales, opinions, strict=True):
        rows = slice(first, first + len(opinion))
        first += len(opinion)
        share = len(opinion) / len(quality)
        predicted = scale(quality[rows], hidden[rows])
        opinion = opinion.to(quality.device)
        error = F.mse_loss(predicted, opinion)
        loss = config.score_weight * share * error
        if config.pair_weight:
            pairs = fidelity_loss(predicted, log_spread[rows], opinion, config.pair_noise)
            loss = loss + config.pair_weight * share * pairs
        if scale.residual is not None:
            loss = loss + config.residual_decay * scale.residual.square().sum()
        losses.append(loss)
        errors.append(float(error.detach()))
    return losses, errors


def _ready_head(
    network: Regressor,
    scales: Sequence[StudyScale],
    spread: nn.Linear,
    studies: Sequence[Study],
    features: Sequence[FrozenFeatures],
    config: JointConfig,
) -> Work[None]:
    """Let the new head learn alone first, on the unchanged backbone's features of some crops.

    A head of random weights would send random gradients into the backbone and undo some of what it knows.

    Source:
        Kumar et al., Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution, ICLR 2022.
    """
    generator = np.random.default_rng((config.seed, 2))
    counts = _counts(studies, config.batch_size)
    batches = -(-config.head_crops // config.batch_size)
    network.eval()
    kept: list[list[Tensor]] = [[] for _ in studies]
    opinions: list[list[Tensor]] = [[] for _ in studies]
    for batch in range(batches):
        for place, (study, count) in enumerate(zip(studies, counts, strict=True)):
            positions = _drawn(study, count, batch, config.seed, place)
            with torch.no_grad():
                maps = features[place].batch(positions, config.crop, config.flip, generator)
                kept[place].append(_pooled(network, [maps], config.frozen_stages))
            opinions[place].append(study.photos.unit_scores[positions])
        yield Progress("looking at crops", batch + 1, batches)
    pooled = [torch.cat(one) for one in kept]
    scores = [torch.cat(one) for one in opinions]
    standard = network.head[0]
    if isinstance(standard, Standardise) and not standard.fitted:
        standard.fit(torch.cat(pooled))
    parameters = [
        *network.head.parameters(),
        *(parameter for scale in scales for parameter in scale.parameters()),
        *spread.parameters(),
    ]
    optimiser = torch.optim.AdamW(parameters, lr=3e-4, weight_decay=config.weight_decay)
    steps = config.head_epochs * max(1, sum(map(len, pooled)) // HEAD_BATCH)
    schedule = OneCycleLR(optimiser, 3e-4, total_steps=steps, pct_start=0.1)
    network.head.train()
    for step in range(steps):
        drawn = [
            generator.integers(len(one), size=max(2, round(HEAD_BATCH * count / sum(counts))))
            for one, count in zip(pooled, counts, strict=True)
        ]
        some = torch.cat([one[rows] for one, rows in zip(pooled, drawn, strict=True)])
        with seeded_dropout(generator, network.mean.device):
            losses, errors = _losses(
                network, scales, spread, some, [one[rows] for one, rows in zip(scores, drawn, strict=True)], config
            )
        optimiser.zero_grad()
        torch.stack(losses).sum().backward()
        optimiser.step()
        schedule.step()
        named = {f"squared error, {study.name}": error for study, error in zip(studies, errors, strict=True)}
        yield Progress("training the head", step + 1, steps, named)


def _counts(studies: Sequence[Study], batch_size: int) -> list[int]:
    """Divide a batch among the studies by their shares, at least two images each."""
    if any(study.share <= 0 for study in studies):
        raise TrainingError("Each database needs a share above 0 of the batches.")
    for study in studies:
        if len(study.training) < 2:
            raise TrainingError(f"{study.name} has {len(study.training)} photos to learn from: expected two or more.")
    whole = sum(study.share for study in studies)
    counts = [max(2, round(batch_size * study.share / whole)) for study in studies]
    if sum(counts) > batch_size + len(studies):
        raise TrainingError(f"A batch of {batch_size} is too small for {len(studies)} databases: two images of each.")
    return counts


def _drawn(study: Study, count: int, step: int, seed: int, place: int) -> list[int]:
    """Return the step's positions: a study's photos pass in random order, each once before any comes again."""
    positions = []
    for number in range(step * count, (step + 1) * count):
        turn, index = divmod(number, len(study.training))
        positions.append(int(study.training[_order(seed, place, turn, len(study.training))[index]]))
    return positions


def _order(seed: int, place: int, turn: int, length: int) -> Any:
    key = seed, place, turn, length
    if key not in _ORDERS:
        if len(_ORDERS) > 64:
            _ORDERS.clear()
        _ORDERS[key] = np.random.default_rng((seed, 0, place, turn)).permutation(length)
    return _ORDERS[key]


_ORDERS: dict[tuple[int, int, int, int], Any] = {}


def _moving_average(decay: float) -> Any:
    """Return an averaging rule that forgets the first steps faster than the later ones."""

    def average(averaged: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
        rate = 1 - min(decay, (1 + int(count)) / (10 + int(count)))
        for one, other in zip(averaged, current, strict=True):
            if one.is_floating_point():
                one.add_((other - one) * rate)

    return average


def _signature(
    network: Regressor, studies: Sequence[Study], shown: Sequence[str], config: JointConfig, start: str
) -> dict[str, Any]:
    return {
        "config": config.to_dict(),
        "network": network.config.to_dict(),
        "device": network.mean.device.type,
        "start": start,
        "shown": list(shown),
        "studies": [
            {
                "name": study.name,
                "share": study.share,
                "preprocessing": study.photos.preprocessing.to_dict(),
                "training": [study.photos.images[position].path.name for position in study.training],
                "unit_scores": study.photos.unit_scores[list(study.training)].tolist(),
            }
            for study in studies
        ],
    }
