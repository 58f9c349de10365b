"""Many small jobs in several processes, each of one thread; with one worker, in this process."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from metaiqa_core.errors import DatabaseError

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_jobs(function: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Generator[Result, None, None]:
    """Apply a function to every job; results come in the order of the jobs.

    Closing the generator cancels the jobs that have not begun and waits for those under way.

    Args:
        function: Function of a module, so that other processes find it.
        jobs: Arguments of the function, each of which pickle can send to another process.
        workers: Number of processes, 1 or more; with 1 the jobs run in this process.

    Yields:
        One result a job.

    Raises:
        DatabaseError: If a worker process was ended from outside.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    workers = min(workers, len(jobs))
    return _here(function, jobs) if workers <= 1 else _in_processes(function, jobs, workers)


def _here(function: Callable[[Job], Result], jobs: Sequence[Job]) -> Generator[Result, None, None]:
    for job in jobs:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # sums depend on how many threads share them, and bytes on sums
        try:
            result = function(job)
        finally:
            torch.set_num_threads(threads)
        yield result


def _in_processes(
    function: Callable[[Job], Result], jobs: Sequence[Job], workers: int
) -> Generator[Result, None, None]:
    # Spawned, not forked: a forked copy of a process with threads, such as PyTorch's, may wait for ever.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    try:
        with _interrupts_ignored():  # inherited by the workers, which are still importing when Ctrl-C first comes
            futures = [pool.submit(function, job) for job in jobs]
        for future in futures:
            yield future.result()
    except BrokenProcessPool as error:
        raise DatabaseError(
            "A worker process was ended, perhaps for want of memory: run the same command again, with fewer --workers; "
            "finished images are kept."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _begin_worker() -> None:
    """Take one thread, leave Ctrl-C to the parent, and end when the parent does, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    parent: Any = multiprocessing.parent_process()

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
