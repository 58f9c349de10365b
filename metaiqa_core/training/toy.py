"""Algorithm 1 on a toy: two weights instead of millions, and every step kept, so that it can be drawn.

The toy's images have two features each, its network scores them by theta . features, and a task's people score them by
weights of their own, drawn around the ones that all tasks have in common. What learns is the inner loop and the Adam of
`meta_train` themselves; only the network is another.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metaiqa_core.tasks import SupportQuery
from metaiqa_core.training.adam import Adam
from metaiqa_core.training.inner_loop import InnerLoop, Level, Measures
from metaiqa_core.training.meta_configuration import MetaConfig
from metaiqa_core.training.step import Pass

COMMON = (0.6, 0.4)
"""Weights that the people of all tasks have in common: what a quality prior is to find."""
_START = (-0.7, -0.6)
_SPREAD, _IMAGES, _NEW_IMAGES = 0.18, 24, 8


@dataclass(frozen=True)
class ToySettings:
    """Settings of the toy.

    Attributes:
        tasks: Number k of tasks in a mini-batch.
        inner_steps: Number S of Adam steps on the support and on the query set.
        inner_rate: Learning rate alpha of the inner steps.
        outer_rate: Learning rate beta of the outer step.
        iterations: Number of mini-batches.
        seed: Seed of tasks and images.
    """

    tasks: int = 3
    inner_steps: int = 4
    inner_rate: float = 0.05
    outer_rate: float = 0.7
    iterations: int = 8
    seed: int = 0


@dataclass(frozen=True, eq=False)
class ToyIteration:
    """One mini-batch of Algorithm 1.

    Attributes:
        prior: (2,) weights theta before it.
        wanted: (k, 2) weights by which the people of each task score.
        paths: (k, 2 S + 1, 2) weights of each task: theta, S steps on the support set, S steps on the query set.
        after: (2,) weights theta after the outer step (Eq. 8).
        new_task_loss: Squared error on a task that was never learned from, after S steps on eight of its images, from
            this mini-batch's theta.
    """

    prior: np.ndarray
    wanted: np.ndarray
    paths: np.ndarray
    after: np.ndarray
    new_task_loss: float


@dataclass(eq=False)
class _ToyWeights:
    """Two weights as `FlatWeights` holds millions."""

    values: Tensor
    gradient: Tensor = field(default_factory=lambda: torch.zeros(2))
    head_from: int = 2


class _ToyTask:
    """Images with two features, and people who score them by weights of their own."""

    def __init__(self, weights: _ToyWeights, images: int, generator: np.random.Generator) -> None:
        self.wanted = np.asarray(COMMON) + generator.normal(0, _SPREAD, 2)
        self._weights = weights
        self._features = torch.from_numpy(generator.normal(0, 1, (images, 2))).float()
        noise = generator.normal(0, 0.05, images)
        self._opinion = self._features @ torch.from_numpy(self.wanted).float() + torch.from_numpy(noise).float()

    def backward(self, positions: list[int], generator: np.random.Generator) -> Pass:
        """Add the gradient of the squared error (Eq. 2) on a batch, as `Learner.backward` does."""
        features, opinion = self._features[positions], self._opinion[positions]
        predicted = features @ self._weights.values
        error = predicted - opinion
        self._weights.gradient += 2 * features.T @ error / len(positions)
        return Pass(float((error**2).mean()), predicted, opinion)

    def loss(self, positions: tuple[int, ...]) -> float:
        """Return the squared error on some of the images."""
        error = self._features[list(positions)] @ self._weights.values - self._opinion[list(positions)]
        return float((error**2).mean())


def meta_train_toy(settings: ToySettings) -> list[ToyIteration]:
    """Run Algorithm 1 on the toy, and return each of its mini-batches.

    Raises:
        ValueError: If a setting makes no sense, such as a rate of 0.
    """
    config = MetaConfig(
        inner_steps=settings.inner_steps,
        tasks_per_batch=settings.tasks,
        inner_learning_rate=settings.inner_rate,
        outer_learning_rate=settings.outer_rate,
        moments="task",
        weight_decay=0.0,
    )
    weights = _ToyWeights(torch.tensor(_START))
    adam = Adam(
        weights,  # type: ignore[arg-type]  # has the three attributes that Adam reads
        learning_rate=config.inner_learning_rate,
        second_moment_decay=config.second_moment_decay,
        bias_correction=config.bias_correction,
    )
    generator = np.random.default_rng((settings.seed, 7))
    new_task = _ToyTask(weights, _NEW_IMAGES + _IMAGES, np.random.default_rng((settings.seed, 8)))
    iterations = []
    for _ in range(settings.iterations):
        prior = weights.values.clone()
        tasks = [_ToyTask(weights, _IMAGES, generator) for _ in range(settings.tasks)]
        paths = []
        for task in tasks:
            weights.values.copy_(prior)
            paths.append(_learn(weights, adam, task, config, generator))
        weights.values.copy_(prior)
        after_few = _loss_after_few(weights, adam, new_task, config, generator)
        displacement = (prior.numpy() - np.array([path[-1] for path in paths])).sum(axis=0)
        after = prior.numpy() - settings.outer_rate / settings.tasks * displacement  # Eq. 8
        wanted = np.array([task.wanted for task in tasks])
        iterations.append(ToyIteration(prior.numpy(), wanted, np.array(paths), after, after_few))
        weights.values.copy_(torch.from_numpy(after))
    return iterations


def _learn(
    weights: _ToyWeights, adam: Adam, task: _ToyTask, config: MetaConfig, generator: np.random.Generator
) -> list[np.ndarray]:
    """Learn one task by the inner loop, and return the weights before and after every step."""
    half = _IMAGES // 2
    sets = SupportQuery(tuple(range(half)), tuple(range(half, _IMAGES)))
    inner = _inner_loop(weights, adam, task, sets, config, generator)
    path = [weights.values.numpy().copy()]
    levels: tuple[Level, Level] = "support", "query"  # theta_i' (Eq. 4), then theta_i (Eq. 7)
    for level in levels:
        adam.reset()  # as `moments` says: each level starts afresh
        for _ in range(config.inner_steps):
            inner.descend(level, 1)
            path.append(weights.values.numpy().copy())
    return path


def _loss_after_few(
    weights: _ToyWeights, adam: Adam, task: _ToyTask, config: MetaConfig, generator: np.random.Generator
) -> float:
    """Return the loss on a task after S steps on a few of its images; the weights are as before afterwards."""
    before = weights.values.clone()
    few, others = tuple(range(_NEW_IMAGES)), tuple(range(_NEW_IMAGES, _NEW_IMAGES + _IMAGES))
    inner = _inner_loop(weights, adam, task, SupportQuery(few, others), config, generator)
    for _ in range(config.inner_steps):
        inner.descend("support", 1)
    loss = task.loss(others)
    weights.values.copy_(before)
    return loss


def _inner_loop(
    weights: _ToyWeights,
    adam: Adam,
    task: _ToyTask,
    sets: SupportQuery,
    config: MetaConfig,
    generator: np.random.Generator,
) -> InnerLoop:
    run: Any = SimpleNamespace(weights=weights, adam=adam, learner=task)  # what the inner loop needs of a `TrainingRun`
    return InnerLoop(run, sets, config, 1.0, generator, Measures(config.inner_steps))
