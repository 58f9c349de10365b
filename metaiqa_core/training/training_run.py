"""Steps around the loops of meta-training and of the Baseline: prepare a network, resume a run, save its state."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from metaiqa_core.models.finite_weights import require_finite
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.tasks import DistortionTask
from metaiqa_core.training.adam import Adam
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.flat_weights import FlatWeights
from metaiqa_core.training.meta_configuration import PriorConfig
from metaiqa_core.training.modes import freeze_stages, get_ready, training_mode
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.state import RunState, run_signature, task_signature
from metaiqa_core.training.step import Learner


class TrainingRun:
    """A network that learns from distortion tasks, from its start or from where an earlier process stopped.

    Args:
        network: The start; changed in place. Its device is where the work is done.
        photos: Rated photos; the tasks' positions count them.
        tasks: The tasks to learn from.
        config: Settings of the algorithm.
        algorithm: Name of the algorithm; another one does not continue this run's state.
        learning_rate: Adam's rate for the backbone.
        bias_correction: Whether Adam corrects its moments for their start at zero.
        with_statistics: Whether the running statistics of batch normalisation are moved like weights.
        state_file: File of the run's state; one that is already there is continued from, with the same bits.

    Attributes:
        weights: The network's weights as one vector, theta.
        adam: The optimiser of these weights.
        learner: The network with its photos.
        history: One record for each finished step.

    Raises:
        TrainingError: If the state belongs to another run or is damaged.
        DatabaseError: If an image cannot be read.
    """

    def __init__(
        self,
        network: Regressor,
        photos: TrainingPhotos,
        tasks: Sequence[DistortionTask],
        config: PriorConfig,
        *,
        algorithm: str,
        learning_rate: float,
        bias_correction: bool,
        with_statistics: bool = False,
        state_file: Path | None = None,
    ) -> None:
        start = hash_of_weights(network)
        freeze_stages(network, config.frozen_stages, head_alone=True)
        self._network, self._config = network, config
        self.weights = FlatWeights(network, with_statistics=with_statistics)
        self.adam = Adam(
            self.weights,
            learning_rate=learning_rate,
            head_learning_rate=config.head_learning_rate,
            second_moment_decay=config.second_moment_decay,
            weight_decay=config.weight_decay,
            bias_correction=bias_correction,
        )
        features = photos.frozen_features(network, config.frozen_stages, of_crops=config.frozen_input == "crop")
        self.learner = Learner(network, photos, features, config.crop, config.flip, config.precision)
        self.history: list[dict[str, float]] = []
        signature = {"algorithm": algorithm} | run_signature(network, config.to_dict(), start)
        self._state = RunState(state_file, signature | task_signature(photos, tasks))
        if state := self._state.load("network", "adam", "history"):
            network.load_state_dict(state["network"])
            self.adam.load_state_dict(state["adam"])
            self.history = state["history"]
        else:
            positions = [position for task in tasks for position in task.positions]
            get_ready(network, features, positions, config)

    def steps(self, total: int) -> Iterator[int]:
        """Yield the numbers of the steps that are left of `total`, counted from 0, with the network ready to learn."""
        for step in range(len(self.history), total):
            training_mode(self._network, self._config.frozen_stages, fixed_statistics=self._config.fixed_statistics)
            yield step

    def record(self, measured: dict[str, float], *, is_last: bool, may_save: bool = True) -> None:
        """End a step: keep what it measured, and save the state if it is due.

        Args:
            measured: The step's numbers by name.
            is_last: Whether the run ends with this step; its state is saved in any case.
            may_save: Whether this process writes the state; only one of several that share a run does.

        Raises:
            TrainingError: If the weights are not finite, or the state cannot be written.
        """
        self.history.append(measured)
        if may_save and (is_last or self._state.is_due):
            require_finite(self._network)
            self._state.save(network=self._network.state_dict(), adam=self.adam.state_dict(), history=self.history)

    def finish(self) -> Regressor:
        """Return the network, in evaluation mode, with tensors of its own.

        Raises:
            TrainingError: If its weights are not finite.
        """
        require_finite(self._network)
        self.weights.release()
        return self._network.eval().requires_grad_(False)
