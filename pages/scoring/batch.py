"""Scoring what waits, in slices short enough that the page answers between them, with progress and cancel."""

import time

import streamlit as st

from metaiqa_core.assess import Assessor
from pages.shared.photo_library import PhotoLibrary, SessionPhoto
from pages.shared.plain import plain
from pages.shared.scoring import model_key, outcome_of

SLICE = 0.5
"""Seconds of work between two chances to cancel."""
_BREATH = 0.1
_FIRST_REFRESH = 2.0
_REFRESH = "refresh_after"


def waiting(photos: PhotoLibrary, assessor: Assessor) -> list[SessionPhoto]:
    """Return the shown photos that this model has not looked at."""
    model = model_key(assessor)
    return [photo for photo in photos.photos().values() if (photo.key, model) not in photos.outcomes]


def score_waiting(photos: PhotoLibrary, assessor: Assessor) -> None:
    """Score one slice of what waits; while there is more, a fragment goes on by itself and shows how far it is."""
    if photos.paused and (left := waiting(photos, assessor)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(f"Cancelled: {len(left)} of {len(photos.photos())} photos are not scored.")
            st.button("Score the rest", on_click=_pause, args=(photos, False))
        return
    _work(photos, assessor)
    if waiting(photos, assessor):
        st.fragment(_go_on, run_every=_BREATH)(photos, assessor, _Refresh(time.monotonic()))
    else:
        st.session_state.pop(_REFRESH, None)


class _Refresh:
    """When to draw the whole page again: after 2 s, then 4, 8, ... so that a long batch is not spent on drawing.

    Attributes:
        due: When, on the monotonic clock.
        drawn: Whether the page's own run, which makes this object, has drawn the fragment.
    """

    def __init__(self, now: float) -> None:
        gap = st.session_state.get(_REFRESH, _FIRST_REFRESH)
        st.session_state[_REFRESH] = 2 * gap
        self.due = now + gap
        self.drawn = False


def _go_on(photos: PhotoLibrary, assessor: Assessor, refresh: _Refresh) -> None:
    if refresh.drawn:
        if not photos.paused:
            _work(photos, assessor)
        if photos.paused or time.monotonic() > refresh.due or not waiting(photos, assessor):
            st.rerun()
    refresh.drawn = True
    left, count = waiting(photos, assessor), len(photos.photos())
    with st.container(horizontal=True, vertical_alignment="center"):
        done = count - len(left)
        st.progress(done / count, f"Scored {done} of {count}; next: {plain(_short(left[0].name))}")
        st.button("Cancel", on_click=_pause, args=(photos, True), key="cancel_scoring")


def _work(photos: PhotoLibrary, assessor: Assessor) -> None:
    end = time.monotonic() + SLICE
    for photo in waiting(photos, assessor):
        outcome_of(photo, photos, assessor)
        if time.monotonic() > end:
            return


def _pause(photos: PhotoLibrary, paused: bool) -> None:
    photos.paused = paused


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:24]}…{name[-15:]}"
