"""Processes of Ray: those of this machine, or of a cluster; everything that knows Ray is here.

Plain tasks of Ray's core, whose rows come back to one process that writes the files: a part is then a file that exists
or does not, which is what makes a run resumable and its output free of doubles, whatever dies. Ray Data would add
nothing to that but its own imports.
"""

import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from metaiqa_core.bulk.part_scoring import PartScores, Scoring, score_part
from metaiqa_core.bulk.photo_lists import ListedPhoto
from metaiqa_core.bulk.scoring import LostProcessError
from metaiqa_core.errors import ClusterError

if TYPE_CHECKING:
    from types import ModuleType

LOCAL = "local"
_STORE_BYTES = 100 * 2**20
"""Room for rows on their way in a local Ray, which would otherwise take 30 % of the memory."""
_TRIES_AGAIN = 1
_QUEUED_A_PROCESS = 2
_PAUSE, _PATIENCE = 5.0, 20.0
"""Seconds between two looks at the cluster, and for how long it may be out of reach: Ray ends the process after 60."""


@contextmanager
def ray_processes(address: str, workers: int | None = None) -> Iterator["RayProcesses"]:
    """Start Ray on this machine, or join a cluster, for the block.

    Args:
        address: `local`, or the address of a cluster as Ray knows it: `auto`, HOST:PORT, ray://HOST:PORT.
        workers: Number of processes; None: one for each processor.

    Raises:
        ClusterError: If Ray is not installed, or cannot be started or reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    try:
        import ray
    except ImportError as error:
        raise ClusterError("Bulk scoring needs Ray, which is not installed: pip install 'metaiqa[ray]'.") from error
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address == LOCAL:
            # Only what is started here may join; Ray would keep such a token in the home folder.
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
            number = workers or _processors()
            ray.init(num_cpus=number, include_dashboard=False, object_store_memory=_STORE_BYTES, **quiet)
        else:
            ray.init(address=address, **quiet)
    except Exception as error:  # Ray has no class of its own for a start that fails
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
        place = "on this machine" if address == LOCAL else f"at {address}"
        raise ClusterError(f"There is no Ray {place} ({reason}): check the address and that it runs.") from error
    try:
        yield RayProcesses(ray, None if address == LOCAL else workers)
    finally:
        with contextlib.suppress(Exception):  # of a cluster that is gone
            ray.shutdown()


class RayProcesses:
    """Scores pieces by Ray's tasks, a processor each; see `Processes`.

    Args:
        ray: Ray itself, started.
        workers: Number of processes at most; None: as many as the cluster has processors.
    """

    def __init__(self, ray: "ModuleType", workers: int | None) -> None:
        self._ray, self._workers = ray, workers
        self._task = ray.remote(num_cpus=1, max_retries=_TRIES_AGAIN)(score_part)
        self._under_way: list[Any] = []
        context = ray.get_runtime_context()
        self._node, self._address = context.get_node_id(), context.gcs_address
        self._last_seen = time.monotonic()

    @property
    def most_at_once(self) -> int:
        """Number of pieces under way; a few wait at the processes, and a cluster that can grow sees what is asked."""
        return self._workers or _QUEUED_A_PROCESS * max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def start(self, photos: Sequence[ListedPhoto], scoring: Scoring) -> Hashable:
        """Start a task; see `Processes`."""
        self._under_way.append(self._task.remote(photos, scoring))
        return self._under_way[-1]

    def next_outcome(self) -> tuple[Hashable, Callable[[], PartScores]]:
        """Wait for a task; see `Processes`."""
        while True:
            ready, self._under_way = self._ray.wait(self._under_way, timeout=_PAUSE)
            if ready:
                return ready[0], partial(self._outcome, ready[0])
            self._look_at_cluster()

    def _outcome(self, reference: Any) -> PartScores:
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:
            if isinstance(error.cause, ImportError) or "failed to import" in str(error.cause):
                raise ClusterError(
                    f"A machine of the cluster lacks what scores ({error.cause}): install the same version of metaiqa "
                    "there."
                ) from error
            raise
        except errors.RaySystemError as error:
            raise _gone("it reports an error of its own") from error
        except errors.RayError as error:
            self._look_at_cluster()
            raise LostProcessError from error

    def _look_at_cluster(self) -> None:
        """Raise a `ClusterError` if the cluster has been out of reach for a while, or this machine has left it."""
        host, _, port = self._address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_PAUSE).close()
        except OSError as error:
            if time.monotonic() - self._last_seen > _PATIENCE:
                raise _gone(f"{self._address} does not answer") from error
            return
        self._last_seen = time.monotonic()
        if not any(node["NodeID"] == self._node and node["Alive"] for node in self._ray.nodes()):
            raise _gone("this machine is no part of it any more")


def _gone(reason: str) -> ClusterError:
    return ClusterError(
        f"The cluster went away ({reason}): finished parts are kept; start the same command again, when it is back, to "
        "go on from there."
    )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
