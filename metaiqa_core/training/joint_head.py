"""The head's own training, before the backbone learns with it."""

import numpy as np
import torch
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR

from metaiqa_core.models.regressor import Standardise
from metaiqa_core.progress import Progress, Work
from metaiqa_core.training.descent import Descent
from metaiqa_core.training.joint_configuration import JointConfig
from metaiqa_core.training.joint_network import JointNetwork
from metaiqa_core.training.modes import seeded_dropout
from metaiqa_core.training.studies import StudyBatches

HEAD_BATCH = 64
"""Crops in a step of the head's own training."""
RATE = 3e-4


def train_head(joint: JointNetwork, batches: StudyBatches, config: JointConfig) -> Work[None]:
    """Let a new head learn alone, on the unchanged backbone's features of some crops.

    A head of random weights would send random gradients into the backbone and undo some of what it knows.

    Args:
        joint: Network with the scales of the studies; its head, scales and spread change in place.
        batches: Batches of the studies.
        config: Number of crops and of passes over them, and the seed.

    Yields:
        One `Progress` for each batch of crops that the backbone looks at, then one a step with each study's squared
        error.

    Raises:
        TrainingError: If the loss is not finite.

    Source:
        Kumar et al., Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution, ICLR 2022.
    """
    generator = np.random.default_rng((config.seed, 2))
    network = joint.network.eval()
    drawn: list[tuple[list[Tensor], list[Tensor]]] = []
    wanted = -(-config.head_crops // config.batch_size)
    for batch in range(wanted):
        maps, opinions = batches.draw(batch, generator)
        with torch.no_grad():
            drawn.append(([joint.pool([one]) for one in maps], opinions))
        yield Progress("looking at crops", batch + 1, wanted)
    pooled = [torch.cat(of_study) for of_study in zip(*(features for features, _ in drawn), strict=True)]
    scores = [torch.cat(of_study) for of_study in zip(*(opinions for _, opinions in drawn), strict=True)]
    standard = network.head[0]
    if isinstance(standard, Standardise) and not standard.fitted:
        standard.fit(torch.cat(pooled))

    learning = [*network.head.parameters(), *joint.scales.parameters(), *joint.spread.parameters()]
    optimiser = torch.optim.AdamW(learning, lr=RATE, weight_decay=config.weight_decay)
    steps = config.head_epochs * max(1, sum(map(len, pooled)) // HEAD_BATCH)
    descent = Descent(joint, optimiser, OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.1))
    network.head.train()
    for step in range(steps):
        rows = [
            generator.integers(len(one), size=max(2, round(HEAD_BATCH * count / sum(batches.counts))))
            for one, count in zip(pooled, batches.counts, strict=True)
        ]
        some = torch.cat([one[chosen] for one, chosen in zip(pooled, rows, strict=True)])
        with seeded_dropout(generator, network.mean.device):
            loss, errors = joint.losses(some, [one[chosen] for one, chosen in zip(scores, rows, strict=True)])
        descent.step(loss)
        yield Progress("training the head", step + 1, steps, errors)
