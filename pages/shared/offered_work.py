"""Long work behind a button: done in slices short enough that the page answers between them, with progress and cancel.

A session has at most one piece of work of each name under way, such as one set of maps.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import streamlit as st

from metaiqa_core.progress import Progress, Work
from pages.shared.failures import explain
from pages.shared.plain import plain
from pages.shared.shared_work import SharedWork

SLICE = 0.5
"""Seconds of work between two answers of the page."""

_BREATH = 0.1
"""Seconds between two slices."""


@dataclass(eq=False)
class _Running:
    """Work under way.

    Attributes:
        about: What it is about: photo, model, methods.
        work: Closing it cancels.
        progress: Its latest report.
        drawn: Whether the page's own run, which has worked already, has drawn the progress.
    """

    about: Hashable
    work: SharedWork[None]
    progress: Progress
    drawn: bool = False


def offer(name: str, about: Hashable, label: str, start: Callable[[], Work[None]], *, explanation: str = "") -> None:
    """Offer work, or go on with it; the page is drawn again when it is done.

    Args:
        name: Of the kind of work; part of the widgets' keys.
        about: What the work is about. Work about something else is let go of.
        label: Of the button.
        start: Returns the work, which keeps its own result.
        explanation: Shown at the button.
    """
    running: _Running | None = st.session_state.get(_slot(name))
    if running is not None and running.about != about:
        cancel(name)
        running = None
    if running is None and st.button(label, key=f"start_{name}", help=explanation or None):
        running = _Running(about, SharedWork(start()), Progress("starting", 0, 1))
        st.session_state[_slot(name)] = running
    if running is None:
        return
    running.drawn = False
    _work(name, running)
    if st.session_state.get(_slot(name)) is running:  # otherwise it failed, and the reason stands there
        st.fragment(_go_on, run_every=_BREATH)(name, running)


def cancel(name: str) -> None:
    """Stop work and let go of all that it holds."""
    running: _Running | None = st.session_state.pop(_slot(name), None)
    if running is not None:
        running.work.close()


def _slot(name: str) -> str:
    return f"work_{name}"


def _work(name: str, running: _Running) -> None:
    """Work for one slice of time, one step at least; where all is done, draw the page again."""
    end = time.monotonic() + SLICE
    try:
        for progress in running.work:
            running.progress = progress
            if time.monotonic() > end:
                return
    except Exception as error:
        _let_go(name, running)
        st.error(plain(explain(error)))
        return
    _let_go(name, running)
    st.rerun()


def _let_go(name: str, running: _Running) -> None:
    if st.session_state.get(_slot(name)) is running:
        del st.session_state[_slot(name)]


def _go_on(name: str, running: _Running) -> None:
    if st.session_state.get(_slot(name)) is not running:  # cancelled
        st.rerun()
    if running.drawn:
        _work(name, running)
        if st.session_state.get(_slot(name)) is not running:
            return
    running.drawn = True
    with st.container(horizontal=True, vertical_alignment="center"):
        done = running.progress
        st.progress(done.step / done.total, f"{done.stage[:1].upper()}{done.stage[1:]}: {done.step} of {done.total}")
        st.button("Cancel", on_click=cancel, args=(name,), key=f"cancel_{name}")
