"""Processes that share an experiment's folds: each runs the same command, with a shard of its own."""

import logging
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metaiqa_core.errors import TrainingError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workers:
    """Processes that compute all folds before the experiment itself reads them from the store.

    Attributes:
        count: Number of processes, 2 or more.
        command: Words of a command line that runs the same experiment in the same folder; each process also gets
            `--shard I/N`, which it passes on as `RunFolder.shard`.
    """

    count: int
    command: Sequence[str]

    def __post_init__(self) -> None:
        if self.count < 2:
            raise ValueError(f"workers share folds, so there must be 2 or more, got {self.count}")

    def finish(self, folder: Path) -> None:
        """Start the processes, each with a log in the run's folder, and wait for all.

        Raises:
            TrainingError: If one of them fails; what is finished stays.
        """
        threads = str(max(1, (os.cpu_count() or 1) // self.count))
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        folder = folder / "workers"
        folder.mkdir(parents=True, exist_ok=True)
        logs = [folder / f"{number}.log" for number in range(1, self.count + 1)]
        processes = []
        try:
            for number, log in enumerate(logs, start=1):
                words = [*self.command, "--shard", f"{number}/{self.count}"]
                with log.open("ab") as output:
                    processes.append(subprocess.Popen(words, stdout=output, stderr=output, env=environment))  # noqa: S603
            logger.info("%d processes share the folds; their progress is in %s", self.count, folder)
            for process, log in zip(processes, logs, strict=True):
                if process.wait():
                    last = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
                    raise TrainingError(f"One of the processes that share the folds failed: {last} (see {log})")
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()
