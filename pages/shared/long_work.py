"""Long work in slices short enough that the page answers between them, with progress and cancel.

Work is a generator of `Progress`. It begins behind a button (`offer`) or by itself (`carry_on`); either way one slice
is done while the page is drawn, and a fragment that repeats itself does the rest. A session has at most one piece of
work of each name under way, such as one set of maps.
"""

import threading
import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import streamlit as st

from metaiqa_core.durations import duration_in_words
from metaiqa_core.progress import Progress, Work
from pages.shared.failures import explain
from pages.shared.plain import plain
from pages.shared.streamlit_internals import DeltaGenerator, uninterrupted
from pages.shared.turns import turn

Result = TypeVar("Result")

SLICE = 0.5
"""Seconds of work between two chances to cancel."""
_PACE_SECONDS = 2.0
"""Seconds of work from which its pace tells the time that is left."""
_PAUSE_SECONDS = 0.3
"""Seconds between two requests of the browser for the next slice: shorter than a slice, so that it comes in time."""


class SharedWork(Generic[Result]):
    """Work that two threads may step: a click starts a new one while the old one is still in the middle of a step.

    Whoever comes second waits for the step under way, which nothing interrupts; the end is the same for all.

    Args:
        work: Generator of the work, which only this object steps.
        waits: Kind of turn that each step waits for and holds.
    """

    def __init__(self, work: Work[Result], waits: Callable[[], AbstractContextManager[None]] = turn) -> None:
        self._work = work
        self._waits = waits
        self._turn = threading.Lock()
        self._end: BaseException | None = None

    def __iter__(self) -> "SharedWork[Result]":
        return self

    def __next__(self) -> Progress:
        """Take one step.

        Raises:
            StopIteration: With the result, when all is done; with None when it was closed before.
        """
        with self._turn:
            if self._end is None:
                try:
                    with self._waits(), uninterrupted():
                        return next(self._work)
                except BaseException as end:
                    self._end = end
        if isinstance(self._end, StopIteration):
            raise StopIteration(self._end.value)
        raise self._end

    def close(self) -> None:
        """Cancel the remaining work, after the step that is under way."""
        with self._turn:
            self._work.close()
            self._end = self._end or StopIteration()


def progress_in_words(progress: Progress) -> str:
    """Return a report as a line for the bar.

    >>> progress_in_words(Progress("scoring tiles", 2, 9))
    'Scoring tiles: 2 of 9'
    """
    return f"{progress.title[:1].upper()}{progress.title[1:]}: {progress.step} of {progress.total}"


def time_left(progress: Progress, elapsed: float) -> str:
    """Return the time that is left at the pace so far, to follow a line; empty while the pace is not known yet.

    >>> time_left(Progress("scoring tiles", 2, 8), 10.0), time_left(Progress("scoring tiles", 0, 8), 10.0)
    (', about 30 seconds left', '')
    """
    if not 0 < progress.step < progress.total or elapsed < _PACE_SECONDS:
        return ""
    return f", about {duration_in_words(elapsed * (progress.total - progress.step) / progress.step)} left"


@dataclass(eq=False)
class _Running:
    """Work under way.

    Attributes:
        about: Subject of the work, such as the photo, the model and the methods.
        work: The work; closing it cancels.
        keep: Function that is given the result.
        keep_failure: Function that is given the sentence of a failure; None shows the sentence once.
        describe: Function from a report to the line over the bar.
        cancels: Subject of a cancellation; work on the same subject is not started again unasked.
        gap: Seconds until the whole page is drawn again; infinite: only at the end.
        progress: The latest report.
        due: Time of the next drawing of the whole page, seconds on the monotonic clock.
        drawn: Whether the page's own run, which has worked already, has drawn the progress.
        is_timed: Whether the line over the bar says how much time is left.
        began: Time of the start, seconds on the monotonic clock.
    """

    about: Hashable
    work: SharedWork[Any]
    keep: Callable[[Any], None] | None = None
    keep_failure: Callable[[str], None] | None = None
    describe: Callable[[Progress], str] = progress_in_words
    cancels: Hashable = None
    gap: float = float("inf")
    progress: Progress = Progress("starting", 0, 1)
    due: float = float("inf")
    drawn: bool = False
    is_timed: bool = False
    began: float = field(default_factory=time.monotonic)

    def in_words(self) -> str:
        """Return the line over the bar."""
        line = self.describe(self.progress)
        return line + time_left(self.progress, time.monotonic() - self.began) if self.is_timed else line


def offer(
    name: str,
    about: Hashable,
    label: str,
    start: Callable[[], Work[Result]],
    keep: Callable[[Result], None] | None = None,
    *,
    keep_failure: Callable[[str], None] | None = None,
    explanation: str = "",
    describe: Callable[[Progress], str] = progress_in_words,
    gap: float = float("inf"),
    waits: Callable[[], AbstractContextManager[None]] = turn,
) -> None:
    """Show a button that starts work, or go on with the work; the page is drawn again when it is done.

    The progress is there at once, before the first step is done.

    Args:
        name: Name of the kind of work; part of the widgets' keys.
        about: Subject of the work. Work of this name on another subject is cancelled.
        label: Text of the button.
        start: Function that returns the work.
        keep: Function that is given the result; None where the work keeps its own.
        keep_failure: Function that is given the sentence of a failure; None shows the sentence once.
        explanation: Text that the button shows on hover.
        describe: Function from a report to the line over the bar.
        gap: Seconds until the whole page is drawn again meanwhile; infinite: only at the end.
        waits: Kind of turn that each step waits for.
    """
    running = _under_way(name, about)
    button, first_look = st.empty(), st.empty()
    if running is None and button.button(label, key=f"start_{name}", help=explanation or None):
        running = _Running(about, SharedWork(start(), waits), keep, keep_failure, describe, gap=gap, is_timed=True)
        st.session_state[_slot(name)] = running
        button.empty()
        first_look.progress(0.0, "Starting …")
    if running is not None:
        running.due = time.monotonic() + running.gap
        _go_on(name, running, first_look=first_look)


def carry_on(
    name: str,
    about: Hashable,
    start: Callable[[], Work[None]],
    *,
    cancels: Hashable,
    describe: Callable[[Progress], str],
    gap: float,
    growth: float = 1.0,
    redraw: Callable[[], bool] = lambda: False,
    first_slice: float | None = None,
) -> None:
    """Start work by itself, or go on with it; the page is drawn again now and then, and when it is done.

    Args:
        name: Name of the kind of work; part of the widgets' keys.
        about: Subject of the work. Work of this name on another subject is cancelled.
        start: Function that returns the work, which keeps its own results.
        cancels: Subject of a cancellation: see `is_cancelled`.
        describe: Function from a report to the line over the bar.
        gap: Seconds until the whole page is drawn again.
        growth: Factor by which that time grows with each drawing, so that long work is not spent on drawing.
        redraw: Function that returns whether the page should be drawn at once.
        first_slice: Seconds of work before the rest of the page is drawn, one step at least; None: those of any slice.
    """
    running = _under_way(name, about)
    if running is None:
        running = _Running(about, SharedWork(start()), describe=describe, cancels=cancels, gap=gap)
        st.session_state[_slot(name)] = running
    running.due = time.monotonic() + running.gap
    running.gap *= growth
    _go_on(name, running, redraw, first_slice=first_slice)


def offer_the_rest(name: str, sentence: str, label: str) -> None:
    """Show that work was cancelled and what is missing, with a button to continue."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(f"Cancelled: {sentence}")
        st.button(label, on_click=_forget_cancellation, args=(name,), key=f"go_on_{name}")


def is_cancelled(name: str, cancels: Hashable) -> bool:
    """Return whether the reader cancelled this work and has not asked for the rest since."""
    return st.session_state.get(_memory(name)) == (cancels,)


def cancel(name: str) -> None:
    """Stop work and let go of all that it holds."""
    running: _Running | None = st.session_state.pop(_slot(name), None)
    if running is not None:
        running.work.close()
        st.session_state[_memory(name)] = (running.cancels,)


def _forget_cancellation(name: str) -> None:
    st.session_state.pop(_memory(name), None)


def _slot(name: str) -> str:
    return f"work_{name}"


def _memory(name: str) -> str:
    return f"cancelled_{name}"


def _under_way(name: str, about: Hashable) -> _Running | None:
    """Return the work of a name; where it is about something else, it is ended and forgotten."""
    running: _Running | None = st.session_state.get(_slot(name))
    if running is not None and running.about != about:
        del st.session_state[_slot(name)]
        running.work.close()
        return None
    return running


def _go_on(
    name: str,
    running: _Running,
    redraw: Callable[[], bool] = lambda: False,
    first_look: DeltaGenerator | None = None,
    first_slice: float | None = None,
) -> None:
    running.drawn = False
    _work(name, running, first_slice)
    if first_look is not None:
        first_look.empty()
    if _is_current(name, running):  # otherwise it failed, and the reason stands there
        st.fragment(_draw, run_every=_PAUSE_SECONDS)(name, running, redraw)


def _is_current(name: str, running: _Running) -> bool:
    return st.session_state.get(_slot(name)) is running


def _work(name: str, running: _Running, seconds: float | None = None) -> None:
    """Work for one slice of time, one step at least; where all is done, draw the page again."""
    end = time.monotonic() + (SLICE if seconds is None else seconds)
    try:
        while True:
            running.progress = next(running.work)
            if time.monotonic() > end:
                return
    except StopIteration as stop:
        with uninterrupted():  # otherwise the result could be lost between the two
            if _is_current(name, running):  # neither cancelled nor ended by another thread
                del st.session_state[_slot(name)]
                if running.keep:
                    running.keep(stop.value)
    except Exception as error:
        if _is_current(name, running):
            cancel(name)
        sentence = explain(error)
        if running.keep_failure is None:
            st.error(plain(sentence))
            return
        running.keep_failure(sentence)
    st.rerun()


def _draw(name: str, running: _Running, redraw: Callable[[], bool]) -> None:
    if not _is_current(name, running):  # cancelled
        st.rerun()
    if running.drawn:
        _work(name, running)
        if not _is_current(name, running):
            return
        if time.monotonic() > running.due or redraw():
            st.rerun()
    running.drawn = True
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(running.progress.step / running.progress.total, running.in_words())
        st.button("Cancel", on_click=cancel, args=(name,), key=f"cancel_{name}")
