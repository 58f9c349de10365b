"""Order and filters of the photos, which say what they leave out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from metaiqa_core.assessment import WORDS
from metaiqa_core.defect_words import WORDS as DEFECTS
from metaiqa_core.sorting.decisions import Decision
from pages.scoring.defects import name
from pages.scoring.rows import BEST_FIRST, FAILED, ORDERS, WAITING, Row

DECISION_NAMES = {Decision.KEEP: "Kept", Decision.REJECT: "Rejected", Decision.UNDECIDED: "Undecided"}
LAYOUTS = GRID, LIST = "Grid", "List"
Choice = TypeVar("Choice", str, bool)
_ALL_SCORES = (0, 100)
_CLEARED = "filters_cleared"


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

    def to_record(self, *, own: bool) -> dict[str, Any]:
        """Return the view as values for a session's journal."""
        return {"order": self.order, "layout": self.layout, f"stacked_{own}": self.stacked}


def choose_view(remembered: Mapping[str, Any], *, own: bool) -> View:
    """Offer order, layout and stacks.

    Args:
        remembered: The last view as a record (see `View.to_record`), or nothing.
        own: Whether the photos are the reader's own; those of the samples are spread out at first.
    """
    # A widget's state ends with its page and with the visit; what it was is kept with the session. It is the widgets'
    # default: a value that is set in the state is told to the browser by one drawing alone, which may never be sent.
    stacked = f"stacked_{own}"
    layout = st.segmented_control(
        "Layout",
        LAYOUTS,
        default=_known(remembered, "layout", LAYOUTS, GRID),
        required=True,
        key="layout",
        label_visibility="collapsed",
    )
    order = st.selectbox(
        "Order",
        ORDERS,
        index=ORDERS.index(_known(remembered, "order", ORDERS, BEST_FIRST)),
        key="order",
        label_visibility="collapsed",
        width=150,
    )
    is_stacked = st.toggle(
        "Stack similar photos",
        _known(remembered, stacked, (True, False), own),
        key=stacked,
        help="Bursts, copies and edits of one scene lie on one another. On top is the best: the one with most pixels "
        "among those that score within 3 points of the highest.",
    )
    return View(order, layout, is_stacked)


def _known(remembered: Mapping[str, Any], key: str, choices: tuple[Choice, ...], first: Choice) -> Choice:
    """Return what was remembered if it is one of the choices, and the first choice otherwise."""
    found = remembered.get(key)
    return found if found in choices else first


@dataclass(frozen=True)
class Filter:
    """What a photo must have to be shown.

    Attributes:
        words: Grades, or the status of a photo without one; empty for all.
        defects: Words of defects; empty for all.
        decisions: Decisions; empty for all.
        scores: Lowest and highest score.
        only_best: Whether photos under a better one of their stack are left out.
    """

    words: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    scores: tuple[int, int] = _ALL_SCORES
    only_best: bool = False

    def passes(self, row: Row) -> bool:
        """Return whether a row is shown."""
        low, high = self.scores
        return (
            (not self.words or row.status in self.words)
            and (not self.defects or (row.defect is not None and row.defect.word in self.defects))
            and (not self.decisions or row.decision in self.decisions)
            and (self.scores == _ALL_SCORES or (row.score is not None and low <= row.score <= high))
            and not (self.only_best and row.is_under_a_better_one)
        )

    def to_record(self) -> dict[str, Any]:
        """Return the filter as values for a session's journal; empty where it lets all pass."""
        asked = {"words": self.words, "defects": self.defects, "decisions": self.decisions, "only_best": self.only_best}
        record: dict[str, Any] = {name: value for name, value in asked.items() if value}
        record |= {"scores": self.scores} if self.scores != _ALL_SCORES else {}
        # Lists, as they come back from the journal: what is kept already is not noted again.
        return {name: list(value) if isinstance(value, tuple) else value for name, value in record.items()}

    @classmethod
    def from_record(cls, record: Any) -> "Filter":
        """Return a filter from a session's journal; what is none of today's filters is left out."""
        record = record if isinstance(record, Mapping) else {}

        def known(name: str, choices: Iterable[str]) -> tuple[str, ...]:
            found = record.get(name)
            return tuple(choice for choice in choices if isinstance(found, list | tuple) and choice in found)

        scores = record.get("scores")
        is_range = isinstance(scores, list | tuple) and len(scores) == 2 and all(isinstance(one, int) for one in scores)
        low, high = scores if is_range else _ALL_SCORES
        return cls(
            known("words", (*reversed(WORDS), WAITING, FAILED)),
            known("defects", DEFECTS),
            tuple(map(Decision, known("decisions", DECISION_NAMES))),
            (low, high) if 0 <= low <= high <= 100 else _ALL_SCORES,
            record.get("only_best") is True,
        )

    def in_words(self) -> str:
        """Return what the filter asks for; empty where it lets all pass."""
        low, high = self.scores
        parts = [
            " or ".join(self.words),
            " or ".join(self.defects),
            " or ".join(DECISION_NAMES[each].lower() for each in self.decisions),
            f"score {low} to {high}" if self.scores != _ALL_SCORES else "",
            "one of each scene" if self.only_best else "",
        ]
        return ", ".join(part for part in parts if part)


def choose_filter(rows: list[Row], remembered: Filter) -> Filter:
    """Offer the filters in a popover.

    Args:
        rows: All photos.
        remembered: The last filter; widgets forget it with the page and with the visit, as in `choose_view`.
    """
    statuses = {row.status for row in rows} | set(remembered.words)
    present = [word for word in (*reversed(WORDS), WAITING, FAILED) if word in statuses]
    found = Counter(row.defect.word for row in rows if row.defect)
    with st.popover("Filter", icon=":material/filter_list:"):
        words = st.pills(
            "Grade",
            present,
            selection_mode="multi",
            default=remembered.words,
            key=_key("words"),
            help="None chosen shows all.",
        )
        defects = _choose_defects(found, remembered.defects) if found or remembered.defects else []
        decisions = st.pills(
            "Decision",
            list(DECISION_NAMES),
            selection_mode="multi",
            default=remembered.decisions,
            format_func=DECISION_NAMES.__getitem__,
            key=_key("decisions"),
        )
        low, high = st.slider("Score", *_ALL_SCORES, remembered.scores, key=_key("scores"))
        only_best = st.toggle(
            "One of each scene",
            remembered.only_best,
            key=_key("best"),
            help="Leaves out similar photos that lie under a better one.",
        )
    return Filter(tuple(words), tuple(defects), tuple(decisions), (low, high), only_best)


def _choose_defects(found: Mapping[str | None, int], remembered: Sequence[str]) -> list[str]:
    """Offer the defects that were found, with their numbers."""
    present, key = [word for word in DEFECTS if word in found or word in remembered], _key("defects")
    # The numbers grow while photos are searched, which makes another widget: it goes on with what was chosen.
    st.session_state[key] = [word for word in st.session_state.get(key, remembered) or () if word in present]
    return st.pills(
        "What is wrong",
        present,
        selection_mode="multi",
        format_func=lambda word: f"{name(word)} ({found.get(word, 0):,})",
        key=key,
        help="Named by a second model, and only where it is sure enough: a photo without a word may have a defect too.",
    )


def say(chosen: Filter, passing: int, total: int, forget: Callable[[], None]) -> None:
    """Say how many photos the filter shows, and offer to show all; nothing where it lets all pass.

    Args:
        chosen: The filter.
        passing: Number of photos that it shows.
        total: Number of all photos.
        forget: Function that forgets the remembered filter.
    """
    if words := chosen.in_words():
        with st.container(horizontal=True, vertical_alignment="center", key="filter_line"):
            st.markdown(f"**{passing:,} of {total:,}**: {words}", width="content")
            st.button("Show all", key="clear_filters", type="tertiary", on_click=_clear, args=(forget,))


def _key(name: str) -> str:
    """Return the key of a filter, new after `_clear`, so that a value on its way from the browser cannot return."""
    number = st.session_state.get(_CLEARED, 0)
    return f"filter_{name}_{number}" if number else f"filter_{name}"


def _clear(forget: Callable[[], None]) -> None:
    forget()
    st.session_state[_CLEARED] = st.session_state.get(_CLEARED, 0) + 1
