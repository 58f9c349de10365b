"""Order and filters of the photos, which say what they leave out."""

from dataclasses import dataclass

import streamlit as st

from metaiqa_core.assessment import WORDS
from metaiqa_core.sorting.decisions import Decision
from pages.scoring.rows import BEST_FIRST, FAILED, ORDERS, WAITING, Row

DECISION_NAMES = {Decision.KEEP: "Kept", Decision.REJECT: "Rejected", Decision.UNDECIDED: "Undecided"}
GRID, LIST = "Grid", "List"
_ALL_SCORES = (0, 100)


@dataclass(frozen=True)
class View:
    """How the photos are shown.

    Attributes:
        order: One of `ORDERS`.
        layout: `GRID` or `LIST`.
        stacked: Whether similar photos lie on one another.
    """

    order: str
    layout: str
    stacked: bool


def choose_view(*, own: bool) -> View:
    """Offer order, layout and stacks.

    Args:
        own: Whether the photos are the reader's own; those of the samples are spread out at first.
    """
    layout = st.segmented_control(
        "Layout",
        [GRID, LIST],
        default=GRID,
        required=True,
        key="layout",
        label_visibility="collapsed",
        format_func={GRID: ":material/grid_view:", LIST: ":material/view_list:"}.__getitem__,
    )
    order = st.selectbox("Order", ORDERS, key="order", label_visibility="collapsed", width=150)
    stacked = st.toggle(
        "Stack similar photos",
        value=own,
        key=f"stacked_{own}",
        help="Bursts, copies and edits of one scene lie on one another. On top is the best: the one with most pixels "
        "among those that score within 3 points of the highest.",
    )
    return View(order or BEST_FIRST, layout or GRID, stacked)


@dataclass(frozen=True)
class Filter:
    """What a photo must have to be shown.

    Attributes:
        words: Grades, or the status of a photo without one; empty for all.
        decisions: Decisions; empty for all.
        scores: Lowest and highest score.
        only_best: Whether photos under a better one of their stack are left out.
    """

    words: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    scores: tuple[int, int] = _ALL_SCORES
    only_best: bool = False

    def passes(self, row: Row) -> bool:
        """Return whether a row is shown."""
        low, high = self.scores
        return (
            (not self.words or row.status in self.words)
            and (not self.decisions or row.decision in self.decisions)
            and (self.scores == _ALL_SCORES or (row.score is not None and low <= row.score <= high))
            and not (self.only_best and row.is_under_a_better_one)
        )

    def in_words(self) -> str:
        """Return what the filter asks for; empty where it lets all pass."""
        low, high = self.scores
        parts = [
            " or ".join(self.words),
            " or ".join(DECISION_NAMES[each].lower() for each in self.decisions),
            f"score {low} to {high}" if self.scores != _ALL_SCORES else "",
            "one of each scene" if self.only_best else "",
        ]
        return ", ".join(part for part in parts if part)


def choose_filter(rows: list[Row]) -> Filter:
    """Offer the filters in a popover."""
    present = [word for word in (*reversed(WORDS), WAITING, FAILED) if any(row.status == word for row in rows)]
    with st.popover("Filter", icon=":material/filter_list:"):
        words = st.pills("Grade", present, selection_mode="multi", key="filter_words", help="None chosen shows all.")
        decisions = st.pills(
            "Decision",
            list(DECISION_NAMES),
            selection_mode="multi",
            format_func=DECISION_NAMES.__getitem__,
            key="filter_decisions",
        )
        low, high = st.slider("Score", *_ALL_SCORES, _ALL_SCORES, key="filter_scores")
        only_best = st.toggle(
            "One of each scene", key="filter_best", help="Leaves out similar photos that lie under a better one."
        )
    return Filter(tuple(words), tuple(decisions), (low, high), only_best)


def say(chosen: Filter, passing: int, total: int) -> None:
    """Say how many photos the filter shows, and offer to show all; nothing where it lets all pass."""
    if words := chosen.in_words():
        with st.container(horizontal=True, vertical_alignment="center", key="filter_line"):
            st.markdown(f"**{passing:,} of {total:,}**: {words}", width="content")
            st.button("Show all", key="clear_filters", type="tertiary", on_click=_clear)


def _clear() -> None:
    empty = Filter()
    st.session_state.update(
        filter_words=[], filter_decisions=[], filter_scores=empty.scores, filter_best=empty.only_best
    )
