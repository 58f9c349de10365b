"""Two threads of a session at the same work: a click starts the second while the first is still in a step."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from metaiqa_core.assess import Assessor
from metaiqa_core.distortions import LEVELS, find_distortion
from metaiqa_core.progress import Progress
from pages.lab.bench import Bench
from pages.shared.long_work import SharedWork

STEPS = 20


def work(error=None):
    for step in range(STEPS):
        time.sleep(0.002)  # long enough for the other thread to come
        yield Progress("counting", step + 1, STEPS)
    if error:
        raise error
    return "done"


def exhausted(shared):
    """Step to the end and return the steps taken with the end."""
    taken = []
    while True:
        try:
            taken.append(next(shared).step)
        except StopIteration as stop:
            return taken, stop.value
        except OSError as error:
            return taken, str(error)


@pytest.mark.parametrize(("error", "end"), [(None, "done"), (OSError("disk"), "disk")])
def test_each_step_is_taken_once_and_both_threads_see_the_end(error, end):
    shared = SharedWork(work(error))
    with ThreadPoolExecutor(2) as pool:
        (first, its_end), (second, other_end) = pool.map(exhausted, [shared, shared])
    assert sorted(first + second) == list(range(1, STEPS + 1))
    assert its_end == other_end == end


def test_closing_waits_for_the_step_under_way_and_ends_the_work():
    entered, ended = threading.Event(), []

    def slow():
        try:
            while True:
                entered.set()
                time.sleep(0.05)
                yield Progress("waiting", 0, 1)
        finally:
            ended.append(True)

    shared = SharedWork(slow())
    with ThreadPoolExecutor(1) as pool:
        step = pool.submit(next, shared)
        entered.wait()
        shared.close()
        assert step.result() == Progress("waiting", 0, 1)
    assert ended == [True]
    assert exhausted(shared) == ([], None)


def test_two_threads_measure_each_level_of_a_distortion_once(tiny_checkpoint):
    pixels = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    bench, entry = Bench(Assessor.load(tiny_checkpoint), pixels, 0, 50.0), find_distortion("kadid10k:WN")

    def measure(_):
        while not bench.is_done(entry):
            bench.step(entry)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(measure, range(2)))
    assert not bench.failures
    assert len(bench.scores[entry.key]) == len(bench.thumbnails[entry.key]) == len(LEVELS)
