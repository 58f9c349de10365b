"""Measuring what waits on the bench, in slices short enough that the page answers between them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from metaiqa_core.distortions import DistortionType
from pages.lab.bench import Bench
from pages.lab.controls import title
from pages.scoring.batch import SLICE
from pages.shared.plain import plain

_BREATH = 0.1
_REFRESH = 2.0
"""Seconds between two drawings of the whole page; drawing costs far less than what is measured in between."""
_PAUSED = "lab_paused"


def measure(bench: Bench, scope: Sequence[DistortionType], chosen: DistortionType) -> None:
    """Measure one slice of what waits, the chosen type first; while there is more, a fragment goes on by itself.

    Called last, when the page is drawn: what is on the screen stays readable meanwhile. Cancelling stops all but the
    chosen type, until the reader goes on; what is measured is kept.
    """
    round_ = _Round(bench, list(scope), chosen, chosen_drawn=bench.is_done(chosen))
    if round_.waiting():
        st.fragment(_go_on, run_every=_BREATH)(round_)  # first, so that the bar stands still meanwhile
        round_.work()
        if not round_.waiting():
            st.rerun()  # to show what is complete now
    elif left := bench.waiting(scope):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(f"Cancelled: {len(left)} of {len(scope)} types are not measured.")
            st.button("Measure the rest", on_click=_pause, args=(None,), key="lab_go_on")


@dataclass(eq=False)
class _Round:
    """What one drawing of the page leaves to its fragment.

    Attributes:
        bench: Where it happens.
        scope: The types to measure.
        chosen: The one to measure first, whatever was cancelled.
        due: When to draw the whole page again, on the monotonic clock.
        chosen_drawn: Whether the page shows all of the chosen type.
        drawn: Whether the page's own run, which has worked already, has drawn the fragment.
    """

    bench: Bench
    scope: list[DistortionType]
    chosen: DistortionType
    due: float = field(default_factory=lambda: time.monotonic() + _REFRESH)
    chosen_drawn: bool = False
    drawn: bool = False

    @property
    def question(self) -> tuple[int, frozenset[str]]:
        """What a cancellation applies to: this bench and these types."""
        return id(self.bench), frozenset(entry.key for entry in self.scope)

    def waiting(self) -> list[DistortionType]:
        paused = st.session_state.get(_PAUSED) == self.question
        others = [] if paused else [entry for entry in self.scope if entry.key != self.chosen.key]
        return self.bench.waiting([self.chosen, *others])

    def work(self) -> None:
        end = time.monotonic() + SLICE
        for entry in self.waiting():
            while not self.bench.is_done(entry):
                self.bench.step(entry)
                if time.monotonic() > end:
                    return


def _go_on(round_: _Round) -> None:
    if round_.drawn:
        round_.work()
        chosen_is_new = round_.bench.is_done(round_.chosen) and not round_.chosen_drawn
        if chosen_is_new or time.monotonic() > round_.due:
            st.rerun()
    left = round_.waiting()
    if not left:
        st.rerun()
    round_.drawn = True
    total = len(round_.scope)
    done = total - len(round_.bench.waiting(round_.scope))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(done / total, f"Measured {done} of {total} types; next: {plain(title(left[0]))}")
        st.button("Cancel", on_click=_pause, args=(round_.question,), key="cancel_lab")


def _pause(question: tuple[int, frozenset[str]] | None) -> None:
    st.session_state[_PAUSED] = question
