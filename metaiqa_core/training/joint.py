"""Joint training: one network learns from the opinion scores of several databases at once.

Each batch holds images of every database, in stated shares. The network predicts one latent quality; each database has
a scale of its own that turns it into that study's scores. Beside the squared error of the scores stands a fidelity loss
over the pairs within a database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim.lr_scheduler import OneCycleLR

from metaiqa_core.errors import TrainingError
from metaiqa_core.models.finite_weights import require_finite
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Progress, Work
from metaiqa_core.training.descent import Descent
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.joint_configuration import JointConfig
from metaiqa_core.training.joint_head import train_head
from metaiqa_core.training.joint_network import JointNetwork
from metaiqa_core.training.modes import freeze_stages, seeded_dropout, training_mode
from metaiqa_core.training.state import RunState, photos_signature, run_signature
from metaiqa_core.training.studies import Study, StudyBatches


@dataclass(frozen=True, eq=False)
class JointlyTrained:
    """Result of joint training.

    Attributes:
        network: The network, in evaluation mode, which answers on the mean of the shown studies' scales.
        to_shown: By study, offset and gain that bring its unit scores to the scale that the network answers on; what a
            study's own correction or bends add to that is left out.
    """

    network: Regressor
    to_shown: dict[str, tuple[float, float]]


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
        network: The start; changed in place. Its device is where the work is done.
        studies: Databases to learn from, each with its share of a batch.
        shown: Names of the studies on the mean of whose scales the finished network answers.
        config: Steps, rates and losses.
        state_file: File of the run's state; one that is already there is continued from, with the same bits.

    Yields:
        One `Progress` a step, with `loss` and each study's squared error; before them those of the head's own training.

    Returns:
        The network, and how the studies' scores compare with its answers.

    Raises:
        TrainingError: If `shown` names no study, a study has fewer than two photos or no place in a batch, the loss is
            not finite, or the state cannot be kept or belongs to another run.
    """
    start = hash_of_weights(network)
    freeze_stages(network, config.frozen_stages)
    batches = StudyBatches(studies, network, config)
    _require_known(shown, studies)
    joint = JointNetwork(network, [study.name for study in studies], shown, config)
    optimiser, schedule = _optimiser(joint, config)
    state = RunState(state_file, _signature(network, studies, shown, config, start))
    saved = state.load("descent", "steps")
    if saved is None and config.head_crops:
        yield from train_head(joint, batches, config)
    descent = Descent(joint, optimiser, schedule, gradient_norm=config.gradient_norm, averaging=config.averaging)
    if saved:
        descent.load_state_dict(saved["descent"])

    training_mode(network, config.frozen_stages, fixed_statistics=True)
    for step in range(saved["steps"] if saved else 0, config.steps):
        generator = np.random.default_rng((config.seed, 1, step))  # per step, so that resuming needs no generator state
        maps, opinions = batches.draw(step, generator)
        with seeded_dropout(generator, network.mean.device):
            loss, errors = joint.losses(joint.pool(maps), opinions)
        value = descent.step(loss)
        if state.is_due:
            require_finite(joint)
            state.save(descent=descent.state_dict(), steps=step + 1)
        yield Progress("joint training", step + 1, config.steps, {"loss": value, **errors})

    joint.load_state_dict(descent.outcome.state_dict())
    require_finite(network)
    joint.answer_on_shown()
    return JointlyTrained(network.eval().requires_grad_(False), joint.to_shown())


def _require_known(shown: Sequence[str], studies: Sequence[Study]) -> None:
    known = [study.name for study in studies]
    unknown = [name for name in shown if name not in known] if shown else ["nothing"]
    if unknown:
        raise TrainingError(
            f"The network is to answer on the scale of {min(unknown)}: expected one of {', '.join(known)}."
        )


def _optimiser(joint: JointNetwork, config: JointConfig) -> tuple[torch.optim.Optimizer, OneCycleLR]:
    backbone = [parameter for parameter in joint.network.backbone.parameters() if parameter.requires_grad]
    head = list(joint.network.head.parameters())
    scales = [*joint.scales.parameters(), *joint.spread.parameters()]
    rates = [config.learning_rate, config.head_learning_rate, config.scale_learning_rate]
    groups = [{"params": weights, "lr": rate} for weights, rate in zip((backbone, head, scales), rates, strict=True)]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.99), weight_decay=config.weight_decay)
    return optimiser, OneCycleLR(optimiser, rates, total_steps=config.steps, pct_start=0.1)


def _signature(
    network: Regressor, studies: Sequence[Study], shown: Sequence[str], config: JointConfig, start: str
) -> dict[str, Any]:
    return run_signature(network, config.to_dict(), start) | {
        "shown": list(shown),
        "studies": [
            {"name": study.name, "share": study.share, **photos_signature(study.photos, study.training)}
            for study in studies
        ],
    }
