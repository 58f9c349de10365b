"""The photos, how they are shown, what is known of the open one, and what leaves the page: drawn anew at each step."""

import streamlit as st

from metaiqa_core.assess import Assessor
from metaiqa_core.sorting.decisions import Decision
from pages.scoring import compare, details, exports, filters, reading, rows, sorter
from pages.scoring.diagnoses import SessionDiagnoses, graph_card
from pages.scoring.rows import Row
from pages.scoring.sorting_state import SortingState
from pages.shared.photo_library import PhotoLibrary, SessionPhoto
from pages.shared.session_scores import SessionScores, model_key

_URLS = "thumbnail_urls"
_WHOLE_RUN = "sorting_whole_run"
_OPENED_UNASKED = "opened_unasked"
_OPENED_HERE = "opened_here"
_FILTER = "filter"


def begin() -> None:
    """Note that the whole page is drawn: addresses of pictures hold until then."""
    st.session_state[_URLS] = {}
    st.session_state[_WHOLE_RUN] = True


@st.fragment
def show(session_scores: SessionScores, assessor: Assessor) -> None:
    """Show the photos of the session; a decision, another open photo or a filter draws this part of the page alone."""
    is_whole_run = st.session_state.pop(_WHOLE_RUN, False)
    photos = session_scores.photos
    own = bool(photos.own)
    state = photos.companion(SortingState)
    _follow_others()
    sorter.take_moves(state)
    if bool(photos.own) != own:  # the last photo was removed, or the first one came back
        st.rerun()
    shown = {key: photo for key, photo in photos.photos().items() if state.decisions.of(key) != Decision.REMOVED}
    ranked = _ranked(shown, session_scores, state, assessor)
    with st.container(horizontal=True, vertical_alignment="center", key="toolbar"):
        if len(shown) > 1:
            view = filters.choose_view(state.view, own=own)
            chosen = filters.choose_filter(ranked, filters.Filter.from_record(state.view.get(_FILTER)))
            if own:
                state.remember_view(view.to_record(own=own) | {_FILTER: chosen.to_record()})
        else:
            view, chosen = filters.View(rows.BEST_FIRST, filters.GRID, stacked=False), filters.Filter()
        passing = [row for row in ranked if chosen.passes(row)]
        came = {key: number for number, key in enumerate(shown)}
        passing = rows.ordered(passing, view.order, came, stacked=view.stacked)
        exports.offer(ranked, passing, session_scores, assessor)
    filters.say(chosen, len(passing), len(ranked), lambda: state.remember_view({_FILTER: {}}))
    opened = _opened(passing, list(shown), state)
    if opened is None:
        st.info("No photo passes the filter." if ranked else "All samples are removed: add photos of your own.")
        return
    is_missing = sorter.show(
        passing,
        opened,
        view,
        state,
        reading.chosen(opened, session_scores, assessor),
        st.session_state.setdefault(_URLS, {}),
        summary=rows.summary_of(ranked).in_words() if len(shown) > 1 else "",
    )
    _compare(passing, photos)
    with st.container(key="details"):
        details.show(opened, session_scores, assessor)
    if is_missing and not is_whole_run:
        st.rerun(scope="fragment")


def _ranked(
    shown: dict[str, SessionPhoto], session_scores: SessionScores, state: SortingState, assessor: Assessor
) -> list[Row]:
    """Return the rows, best first; stacks are found again only where another photo was scored or removed."""
    found = {key: result for key, photo in shown.items() if (result := session_scores.find(photo, assessor))}
    about = (model_key(assessor), tuple(shown), len(found))
    kept = st.session_state.get("ranked")
    ranked = kept[1] if kept and kept[0] == about else rows.ranked(shown, found, state.decisions)
    diagnoses, card = session_scores.photos.companion(SessionDiagnoses), graph_card()
    ranked = rows.up_to_date(ranked, state.decisions, lambda photo: diagnoses.of(photo, card))
    st.session_state["ranked"] = (about, ranked)
    return ranked


def _follow_others() -> None:
    """Let the sorter open what was opened by anything but itself: a photo that came alone, or another page's."""
    opened = st.session_state.get("opened")
    if opened and opened != st.session_state.get(_OPENED_HERE, opened):
        sorter.focus(opened)


def _opened(passing: list[Row], came: list[str], state: SortingState) -> Row | None:
    """Return the open row: the one that was opened last, or the photo that came first.

    Args:
        passing: Rows that are shown.
        came: Keys of the photos in the order in which they came.
        state: Decisions, and what was open last.
    """
    by_key = {row.photo.key: row for row in passing}
    last = st.session_state.get("opened", state.opened)
    if last == st.session_state.get(_OPENED_UNASKED):
        last = ""  # the reader has opened none: the first one of the order, which changes while photos are scored
    opened = by_key.get(last)
    if opened is None:
        first = passing[:1] if state.photos.own else [by_key[key] for key in came if key in by_key]
        opened = next(iter(first), None)
        st.session_state[_OPENED_UNASKED] = opened.photo.key if opened else None
    else:
        st.session_state.pop(_OPENED_UNASKED, None)
        if opened.photo.origin == "own":
            state.open(opened.photo.key)
    if opened is not None:
        st.session_state["opened"] = st.session_state[_OPENED_HERE] = opened.photo.key
    return opened


def _compare(passing: list[Row], photos: PhotoLibrary) -> None:
    known = {row.photo.key: row for row in passing}
    chosen = sorter.ticked(known)
    if len(chosen) == 2:
        with st.container(key="comparison"):
            compare.show(known[chosen[0]], known[chosen[1]], photos)
