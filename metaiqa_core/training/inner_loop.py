"""The inner loop of Algorithm 1: a task's Adam steps on its support and on its query set (Eqs. 4-7)."""

from typing import Literal

import numpy as np
import torch
from scipy import stats

from metaiqa_core.tasks import SupportQuery
from metaiqa_core.training.meta_configuration import MetaConfig
from metaiqa_core.training.step import Pass
from metaiqa_core.training.task_sampling import batches
from metaiqa_core.training.training_run import TrainingRun

Level = Literal["support", "query"]


class Measures:
    """Sums over the passes of one mini-batch, each measured before its step.

    Attributes:
        sums: (3,) float32, in the order of `NAMES`: each task adds the means over its steps of the loss on the support
            set, of the loss on the query set, and of SROCC within the query batch.
    """

    NAMES = ("support_loss", "query_loss", "query_srocc")

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self.sums = torch.zeros(len(self.NAMES))

    def add(self, level: Level, result: Pass) -> None:
        """Add what one pass of a level showed."""
        if level == "support":
            self.sums += torch.tensor([result.loss, 0.0, 0.0]) / self._steps
            return
        predicted, opinion = result.predicted.cpu().numpy(), result.opinion.cpu().numpy()
        is_ranked = len(opinion) > 2 and np.ptp(predicted) > 0 and np.ptp(opinion) > 0
        srocc = float(stats.spearmanr(predicted, opinion).statistic) if is_ranked else 0.0
        self.sums += torch.tensor([0.0, result.loss, srocc]) / self._steps


class InnerLoop:
    """The learning of one task, which moves the network from the prior theta to the task's own weights.

    Args:
        run: The network with its optimiser, at theta.
        sets: The task's support and query set.
        config: Sizes of batches, and when Adam's moments start afresh.
        rate_factor: Factor of the learning rates.
        generator: Source of batches, crops, mirrors and dropout.
        measures: Sums that every pass is added to.
    """

    def __init__(
        self,
        run: TrainingRun,
        sets: SupportQuery,
        config: MetaConfig,
        rate_factor: float,
        generator: np.random.Generator,
        measures: Measures,
    ) -> None:
        self._run, self._moments, self._rate_factor = run, config.moments, rate_factor
        self._generator, self._measures = generator, measures
        self._batches = {
            "support": batches(sets.support, config.support_batch, generator),
            "query": batches(sets.query, config.query_batch, generator),
        }
        if config.moments == "task":
            run.adam.reset()

    def descend(self, level: Level, steps: int) -> None:
        """Take Adam steps along the gradient of the loss on the support or on the query set (Eqs. 4-7)."""
        if self._moments == "level":
            self._run.adam.reset()
        for _ in range(steps):
            self._run.weights.gradient.zero_()
            result = self._run.learner.backward(next(self._batches[level]), self._generator)  # Eqs. 2 and 3
            self._run.adam.step(self._rate_factor)
            self._measures.add(level, result)
