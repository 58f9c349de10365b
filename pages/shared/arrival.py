"""Many photos at once: the browser hands them over in portions, and each is on the disk before the next one comes.

Streamlit's uploader draws its whole list anew twice for each file, asks for all addresses at once, and lets the server
hold every file in memory until the last one has come. Therefore a script in the page catches what is chosen or dropped
on the intake where it is more than a few photos, and gives it, a portion at a time, to an uploader that nobody sees.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from metaiqa_core.images import READABLE_SUFFIXES
from metaiqa_core.settings import read_settings
from pages.shared import intake
from pages.shared.front_end import component, read_when_drawn
from pages.shared.photo_library import library
from pages.shared.streamlit_internals import UploadedFile

KEY = "arrival"
_STATE = "arrival_state"
_SCRIPTS = tuple(f"shared/arrival/{name}.js" for name in ("choices", "portions", "line"))
_FIRST_GAP, _LONGEST_GAP = 2.0, 30.0
"""Seconds between two drawings of the page while photos come: the first one, and the longest, to which it grows."""


@dataclass
class _Arrival:
    """What this session knows of the photos that are on their way.

    Attributes:
        number: Number that the browser gave to the photos that were brought together.
        came: Number of them that are in the library.
        problem: Sentence on why no more of them can come; empty for none.
        portions: Number of portions that came in this session.
        taken: Key of the uploader that the last portion came through; empty before the first.
        sizes: Length of each file of that portion which was kept, bytes.
        is_undrawn: Whether photos came since the page was drawn.
        is_whole_run: Whether the whole page is being drawn.
        due: Time at which the page is drawn with what has come by then, seconds on the monotonic clock.
        gap: Seconds to the drawing after that.
    """

    number: int = 0
    came: int = 0
    problem: str = ""
    portions: int = 0
    taken: str = ""
    sizes: list[int] = field(default_factory=list)
    is_undrawn: bool = False
    is_whole_run: bool = False
    due: float = 0.0
    gap: float = 0.0

    @property
    def uploader(self) -> str:
        """Key of the uploader that the next portion comes through."""
        return f"portion_{self.portions}"

    def begin(self, number: int) -> None:
        """Begin with photos that were brought together; their first portion is shown at once."""
        self.number, self.came, self.problem, self.due, self.gap = number, 0, "", 0.0, 0.0

    def must_draw(self, *, is_over: bool) -> bool:
        """Return whether the page must be drawn now; the next time comes later.

        Args:
            is_over: Whether no more photos are on their way.
        """
        if self.is_whole_run:
            self.is_undrawn, self.due = False, time.monotonic() + self.gap
        elif self.is_undrawn and (is_over or time.monotonic() > self.due):
            self.gap = min(max(_FIRST_GAP, 2 * self.gap), _LONGEST_GAP)
            return True
        return False


def stand_by() -> None:
    """Take in the photos that have come, and wait for more: on every page, and before the page itself is drawn."""
    _arrival().is_whole_run = True
    _show()


@st.fragment
def _show() -> None:
    """Take in a portion and let the next one come; the rest of the page is drawn now and then, and at the end."""
    arrival = _arrival()
    photos: dict[str, Any] = (st.session_state.get(KEY) or {}).get("photos") or {}
    if photos and photos["number"] != arrival.number:
        arrival.begin(photos["number"])
    _take_in(arrival)
    must_draw, arrival.is_whole_run = arrival.must_draw(is_over=not photos), False
    if must_draw:
        st.rerun()
    largest, is_open = read_settings().max_upload_mb, bool(photos) and not arrival.problem
    with st.container(key="arrival_place"):
        component("arrival", "shared/arrival/arrival", _SCRIPTS)(
            key=KEY,
            data={
                "number": arrival.number,
                "uploader": arrival.uploader if is_open else "",
                "taken": {"uploader": arrival.taken, "sizes": arrival.sizes},
                "problem": arrival.problem,
                "largest": largest,
                "suffixes": READABLE_SUFFIXES,
            },
            on_photos_change=read_when_drawn,
        )
        if is_open:
            st.file_uploader(
                "Photos on their way", accept_multiple_files=True, key=arrival.uploader, max_upload_size=largest
            )


def _take_in(arrival: _Arrival) -> None:
    """Move the portion that has come into the library, if one has, and go on to the next one."""
    files = [file for file in st.session_state.get(arrival.uploader) or () if isinstance(file, UploadedFile)]
    if not files:
        return
    if not arrival.came:
        st.session_state["opened"] = ""  # of several photos, the page opens one
        st.session_state["intakes"] = intake.number() + 1  # closes the panel that they were chosen in
    sizes = [file.size for file in files]
    kept = intake.keep(files, library())
    arrival.taken, arrival.sizes = arrival.uploader, sizes[: len(kept)]
    arrival.portions += 1
    arrival.came += len(kept)
    arrival.is_undrawn = True
    if len(kept) < len(files):
        arrival.problem = f"There is no room for more photos here: {intake.REMEDY}"


def _arrival() -> _Arrival:
    found: _Arrival = st.session_state.setdefault(_STATE, _Arrival())
    return found
