"""The photos to sort: one large with its score, all others small; keys, clicks, taps and swipes decide."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from metaiqa_core.assessment import WORDS
from metaiqa_core.sorting.decisions import Decision
from pages.scoring.filters import LIST, View
from pages.scoring.reading import Reading
from pages.scoring.rows import Row
from pages.scoring.shown_photos import ShownPhotos
from pages.scoring.sorting_state import SortingState
from pages.shared import previews
from pages.shared.front_end import component, read_when_drawn
from pages.shared.palette import colour_of_word, text_colour_on
from pages.shared.photo_library import PhotoLibrary
from pages.shared.streamlit_internals import media_url

KEY = "sorter"
SIDE = 1600
"""Longest side of the large photo, pixels."""
_SCRIPTS = tuple(f"scoring/sorter/{name}.js" for name in ("photos", "viewer", "thumbnails", "actions", "keyboard"))
_LETTERS = {Decision.KEEP: "k", Decision.REJECT: "r", Decision.UNDECIDED: "u", Decision.REMOVED: "x"}
"""Letters of the decisions on their way to the page."""
_PHOTOS = "sorter_photos"
_FOCUS = "sorter_focus"
_NEIGHBOURS = 3
_DECODING_SECONDS = 0.4
"""How long the neighbours of the open photo are decoded before the page is drawn; the others follow after it."""


def take_moves(state: SortingState) -> None:
    """Make the moves that the page sent since the last time; open what it opened."""
    sent = _sent()
    moves = sent.get("moves") or {}
    if moves and (leads_to := state.make(str(moves["page"]), moves["list"])):
        focus(leads_to)  # what the page had open when it asked for that is past
        return
    opened = sent.get("opened") or {}
    # What the page opened before it heard of the last focus is past too.
    if opened.get("key") and opened.get("told", 0) == _focused():
        st.session_state["opened"] = opened["key"]


def ticked(known: Mapping[str, Row]) -> list[str]:
    """Return the keys of the ticked photos, as far as they are known."""
    return [key for key in _sent().get("ticked") or () if key in known]


def focus(key: str) -> None:
    """Let the page open a photo, whatever it had open."""
    st.session_state["opened"] = key
    st.session_state[_FOCUS] = _focused() + 1


def _focused() -> int:
    """Return how many times `focus` was called in this session."""
    return int(st.session_state.get(_FOCUS, 0))


def show(
    rows: list[Row],
    opened: Row,
    view: View,
    state: SortingState,
    reading: Reading,
    urls: dict[str, str],
    *,
    summary: str,
) -> bool:
    """Show the photos; return whether pictures are still missing, which come with the next run.

    Args:
        rows: Rows to show, in order.
        opened: The open one.
        view: View in which they are shown.
        state: Decisions and what was made of the page's moves.
        reading: Reading of the open photo.
        urls: Addresses of the thumbnails by key; those that are missing are added.
        summary: Line that says where one stands.
    """
    sent = _sent()
    moves = sent.get("moves") or {}
    page = str(moves.get("page", ""))
    wanted = [opened.photo.key, *((sent.get("opened") or {}).get("neighbours") or ())][: 1 + _NEIGHBOURS]
    pictures, is_complete = _pictures(wanted, {row.photo.key: row for row in rows}, state.photos)
    if reading.picture:
        pictures[opened.photo.key] = media_url(reading.picture, "tinted picture")
    undo = state.decisions.last_step
    sorter = component(KEY, "scoring/sorter/sorter", _SCRIPTS)
    shown: ShownPhotos = st.session_state.setdefault(_PHOTOS, ShownPhotos())
    shown.update(rows, urls)
    # The page keeps the photos and says with each key press which it has, so that two thousand are not sent again.
    has_them = any((value or {}).get("has") == shown.version for value in (moves, sent.get("opened")))
    sorter(
        key=KEY,
        data={
            "photos": None if has_them else shown.photos,
            "version": shown.version,
            "decisions": "".join(_LETTERS[row.decision] for row in rows),
            "open": {"key": opened.photo.key, "number": _focused()},
            "reading": reading.to_data(opened.photo.key),
            "pictures": pictures,
            "made": {"page": page, "n": state.made.get(page, 0)},
            "layout": "list" if view.layout == LIST else "grid",
            "stacked": view.stacked,
            "order": view.order,
            "compact": not state.photos.own,  # the intake stands above
            "summary": summary,
            "undo": _step_in_words(undo.decision, len(undo.before)) if undo else "",
            "grades": {word: [colour_of_word(word), text_colour_on(colour_of_word(word))] for word in WORDS},
        },
        on_moves_change=read_when_drawn,
        on_opened_change=read_when_drawn,
        on_ticked_change=read_when_drawn,
    )
    return not is_complete


def _sent() -> Mapping[str, Any]:
    return st.session_state.get(KEY) or {}


def _pictures(wanted: list[str], rows: Mapping[str, Row], photos: PhotoLibrary) -> tuple[dict[str, str], bool]:
    """Return the addresses of the large pictures as far as time allows, and whether they are all there."""
    end, addresses = time.monotonic() + _DECODING_SECONDS, {}
    for number, key in enumerate(wanted):
        row = rows.get(key)
        if row is None or row.result is None or row.result.assessment is None:
            continue
        if addresses and time.monotonic() > end:
            return addresses, False
        if content := _tried(lambda photo=row.photo: previews.preview(photo, photos, SIDE)):  # type: ignore[misc]
            addresses[key] = media_url(content, f"large picture {number}")
    return addresses, True


def _tried(make: Callable[[], bytes]) -> bytes | None:
    """Return a picture; None where the photo can be read no more, so that its thumbnail stays."""
    try:
        return make()
    except Exception:
        return None


def _step_in_words(decision: Decision, count: int) -> str:
    verb = {Decision.KEEP: "Keep", Decision.REJECT: "Reject", Decision.REMOVED: "Remove"}.get(decision, "Undecided")
    return verb if count == 1 else f"{verb} ({count} photos)"
