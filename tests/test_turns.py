"""Turns at the heavy work: no more sessions compute at once than the settings say, and none waits for ever."""

import threading

import pytest

from pages.shared import turns


@pytest.fixture(autouse=True)
def fresh_turns(monkeypatch):
    monkeypatch.setenv("METAIQA_WORK_AT_ONCE", "2")
    turns._turns.cache_clear()
    yield
    turns._turns.cache_clear()


def at_work(block, threads):
    workers = [threading.Thread(target=block, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    assert not any(worker.is_alive() for worker in workers)


def test_as_many_work_at_once_as_the_settings_say_and_all_get_their_turn():
    lock, two_inside = threading.Lock(), threading.Barrier(2)
    inside, most, finished = 0, 0, 0

    def work():
        nonlocal inside, most, finished
        with turns.turn():
            with lock:
                inside += 1
                most = max(most, inside)
            two_inside.wait(timeout=20)  # breaks unless two are inside at the same time
            with lock:
                inside -= 1
                finished += 1

    at_work(work, 6)
    assert (most, finished) == (2, 6)


def test_a_turn_within_a_turn_does_not_wait_for_itself():
    done = []

    def work():
        with turns.turn(), turns.turn(), turns.turn():
            done.append(True)

    at_work(work, 4)
    assert len(done) == 4


def test_a_failure_gives_the_turn_back():
    def work():
        with pytest.raises(ValueError, match="broken"), turns.turn():
            raise ValueError("broken")

    at_work(work, 6)
