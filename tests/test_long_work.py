"""Two threads of a session at the same work: a click starts the second while the first is still in a step."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from metaiqa_core.assess import Assessor
from metaiqa_core.distortions import LEVELS, find_distortion
from metaiqa_core.progress import Progress
from pages.lab.bench import Bench
from pages.shared import long_work
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


def page_of_counting():
    import streamlit as st

    from metaiqa_core.progress import Progress
    from pages.shared import long_work

    state = st.session_state
    state.setdefault("steps", [])

    def count():
        for step in range(1, 4):
            state["steps"].append(step)
            if step == state.get("breaks_at"):
                raise ZeroDivisionError("secret detail")
            yield Progress("counting", step, 3)

    if long_work.is_cancelled("count", "numbers"):
        long_work.offer_the_rest("count", "the numbers are not counted.", "Count the rest")
    elif len(state["steps"]) < 3:
        long_work.carry_on("count", "numbers", count, cancels="numbers", describe=long_work.progress_in_words, gap=60.0)


def page_with_a_button():
    import streamlit as st

    from metaiqa_core.progress import Progress
    from pages.shared import long_work

    def double(value):
        yield Progress("doubling", 1, 2)
        return 2 * value

    value = st.session_state.get("value", 3)
    long_work.offer("double", value, "Double it", lambda: double(value), lambda result: st.text(f"result {result}"))


def opened(page, **state):
    test = AppTest.from_function(page, default_timeout=60)
    for name, value in state.items():
        test.session_state[name] = value
    return test.run()


def test_work_that_starts_by_itself_goes_on_and_once_cancelled_waits_to_be_asked_for(monkeypatch):
    monkeypatch.setattr(long_work, "SLICE", 0.0)  # one step a slice
    page = opened(page_of_counting)
    assert page.session_state["steps"] == [1]
    page.button(key="cancel_count").click().run()
    assert page.warning[0].value == "Cancelled: the numbers are not counted."
    page.run()
    assert page.session_state["steps"] == [1], "nothing goes on unasked"
    page.button(key="go_on_count").click().run()
    assert page.session_state["steps"] == [1, 1]


def test_work_that_fails_says_so_once_and_is_not_started_again_unasked(caplog):
    page = opened(page_of_counting, breaks_at=2)
    assert page.error[0].value.startswith("Something unexpected went wrong")
    assert "secret detail" in caplog.text
    page.run()
    assert page.session_state["steps"] == [1, 2]
    assert page.button(key="go_on_count").label == "Count the rest"


def page_that_is_told_to_stop():
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from metaiqa_core.progress import Progress
    from pages.shared import long_work

    state = st.session_state
    state.setdefault("steps", [])

    def count():
        for step in range(1, 4):
            if step == state.get("told_in"):
                # Streamlit does so when the reader clicks, before it starts another run beside this one.
                get_script_run_ctx().script_requests.request_stop()
            state["steps"] = [*state["steps"], step]
            yield Progress("counting", step, 3)
        return sum(state["steps"])

    def keep(total):
        state["total"] = total

    if "total" not in state:
        long_work.offer("count", "numbers", "Count", count, keep)
    st.text(f"all that follows, total {state.get('total')}")


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_click_in_the_middle_of_a_step_ends_neither_the_work_nor_the_page(monkeypatch, step):
    monkeypatch.setattr(long_work, "SLICE", 0.0)  # one step a slice
    page = opened(page_that_is_told_to_stop, told_in=step)
    page.button(key="start_count").click().run()
    for _ in range(step):
        page.run()
    assert page.session_state["steps"] == list(range(1, min(step + 1, 3) + 1))
    for _ in range(3):
        page.run()
    assert [text.value for text in page.text] == ["all that follows, total 6"]


def test_the_button_gives_way_to_a_progress_bar_before_the_first_step_is_done(monkeypatch):
    monkeypatch.setattr(long_work, "_go_on", lambda *arguments, **options: None)  # as if the first step never ended
    page = opened(page_with_a_button)
    page.button(key="start_double").click().run()
    [bar] = page.get("progress")
    assert bar.proto.text == "Starting …"
    assert not page.button


def test_work_about_something_else_takes_the_place_of_what_was_under_way(monkeypatch):
    monkeypatch.setattr(long_work, "SLICE", 0.0)
    page = opened(page_with_a_button)
    page.button(key="start_double").click().run()
    assert page.button(key="cancel_double").label == "Cancel"
    page.session_state["value"] = 4
    page.run()
    assert [button.key for button in page.button] == ["start_double"]
