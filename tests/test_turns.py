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


def test_gradients_are_computed_by_one_session_at_a_time_and_hold_up_no_other_work():
    begun, scored, lock, inside, most = threading.Event(), threading.Event(), threading.Lock(), 0, 0

    def gradients():
        nonlocal inside, most
        with turns.gradient_turn():
            with lock:
                inside += 1
                most = max(most, inside)
            begun.set()
            assert scored.wait(20), "whoever waits for gradients holds a turn that others need"
            with turns.gradient_turn(), lock:  # a turn within a turn is the same one
                inside -= 1

    def scoring():
        assert begun.wait(20)
        with turns.turn():
            scored.set()

    workers = [threading.Thread(target=gradients, daemon=True) for _ in range(3)]
    workers.append(threading.Thread(target=scoring, daemon=True))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    assert not any(worker.is_alive() for worker in workers)
    assert (most, inside) == (1, 0)
