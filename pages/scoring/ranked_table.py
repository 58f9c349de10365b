"""Many photos, best first: a table with thumbnails, filters and near-duplicate groups, where photos are chosen."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from metaiqa_core.assessment import WORDS
from metaiqa_core.databases import near_duplicates
from metaiqa_core.foreign_text import path_text
from metaiqa_core.results import export
from pages.shared.palette import colour_of_word, text_colour_on
from pages.shared.photo_library import SessionPhoto
from pages.shared.plain import plain
from pages.shared.session_scores import ScoringResult

_ROW_HEIGHT = 64
_MAXIMUM_ROWS_SEEN = 8
_EXPANDED_FAILURES = 5
_FAILED, _WAITING = "Failed", "Waiting"


@dataclass(frozen=True)
class Row:
    """One photo of the table.

    Attributes:
        photo: Photo of the row.
        result: Scoring result of the photo; None while it waits.
        group: Letter of its near-duplicate group; empty for none.
        best: Whether it scores highest in its group.
    """

    photo: SessionPhoto
    result: ScoringResult | None
    group: str = ""
    best: bool = False

    @property
    def score(self) -> float | None:
        """The score, 0-100; None where there is none."""
        return self.result.assessment.score if self.result and self.result.assessment else None

    @property
    def status(self) -> str:
        """The grade, or the status of a photo without one."""
        if self.result is None:
            return _WAITING
        return self.result.assessment.word if self.result.assessment else _FAILED


def ranked(photos: Mapping[str, SessionPhoto], results: Mapping[str, ScoringResult]) -> list[Row]:
    """Return one row a photo: best first, then those that wait, then those that failed.

    Args:
        photos: Photos by key.
        results: Scoring results by the photo's key, as far as they are known.
    """
    scores = {key: o.assessment.score for key, o in results.items() if o.assessment}
    group_of, best = {}, set()
    groups = near_duplicates.groups({key: o.perceptual_hash for key, o in results.items()})
    for number, group in enumerate(groups):
        best.add(max(group, key=lambda key: scores[key]))
        group_of |= dict.fromkeys(group, _letters(number))
    rows = [Row(photo, results.get(key), group_of.get(key, ""), key in best) for key, photo in photos.items()]
    return sorted(rows, key=lambda row: (row.status == _FAILED, row.score is None, -(row.score or 0)))


def filtered(rows: list[Row]) -> list[Row]:
    """Offer the filters in a popover and return the rows that pass them."""
    present = [word for word in (*reversed(WORDS), _WAITING, _FAILED) if any(row.status == word for row in rows)]
    with st.popover("Filter"):
        words = st.pills("Grade", present, selection_mode="multi", key="filter_words", help="None chosen shows all.")
        low, high = st.slider("Score", 0, 100, (0, 100), key="filter_scores")
        only_best = st.toggle(
            "One of each scene",
            key="filter_best",
            help="Shows only the best photo of each group of near-duplicates (bursts, edits, copies).",
        )
    return [
        row
        for row in rows
        if (not words or row.status in words)
        and ((low, high) == (0, 100) or (row.score is not None and low <= row.score <= high))
        and (not only_best or row.best or not row.group)
    ]


def show(rows: list[Row]) -> list[str]:
    """Show the table and return the keys of the chosen photos: ticked ones, or the one that was clicked."""
    table = pd.DataFrame(
        {
            "Photo": [row.result.thumbnail if row.result else None for row in rows],
            "Score": pd.array([row.score for row in rows], dtype="Float64"),
            "Grade": [row.status for row in rows],
            "Name": [path_text(row.photo.name) for row in rows],
            "Similar": [f"{row.group} · best" if row.best else row.group for row in rows],
            "Better than": pd.array([_percentile(row) for row in rows], dtype="Float64"),
            "Pixels": [_pixels(row) for row in rows],
            "Remarks": [_remarks(row) for row in rows],
        }
    )
    # The state of a table names rows by position: other rows or another order must be another table.
    order = hashlib.sha256("\n".join(f"{row.photo.key} {row.score}" for row in rows).encode()).hexdigest()[:16]
    event = st.dataframe(
        export.harmless(table).style.map(_grade_colours, subset=["Grade"]),
        key=f"ranked_{order}",
        height=38 + _ROW_HEIGHT * max(1, min(len(rows), _MAXIMUM_ROWS_SEEN)),
        row_height=_ROW_HEIGHT,
        hide_index=True,
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        column_config={
            "Photo": st.column_config.ImageColumn("Photo", width=80),
            "Score": st.column_config.NumberColumn("Score", format="%.1f", width=54),
            "Grade": st.column_config.TextColumn("Grade", width=76),
            "Name": st.column_config.TextColumn("Name", width=138),
            "Similar": st.column_config.TextColumn("Similar", width=66, help="Photos with the same letter look alike."),
            "Better than": st.column_config.NumberColumn("Better than", format="%.0f %%", width=90),
        },
        placeholder="",
        alt=f"{len(rows)} photos with score, grade and name, best first",
    )
    chosen = [rows[index].photo.key for index in event.selection.rows if index < len(rows)]
    cells = [index for index, _ in event.selection.cells if index < len(rows)]
    return chosen or [rows[index].photo.key for index in cells[:1]]


def show_failures(rows: list[Row]) -> None:
    """List the photos that failed, each with its reason in full, which a table's cell would cut."""
    failed = [(row.photo.name, row.result.error) for row in rows if row.result and row.result.error]
    if failed:
        with st.expander(
            f"{len(failed)} of {len(rows)} files could not be scored", expanded=len(failed) <= _EXPANDED_FAILURES
        ):
            for name, reason in failed:
                # Most reasons begin with the file's name, which is written once.
                st.markdown(plain(reason) if name in reason else f"**{plain(name)}**: {plain(reason)}")


def _letters(number: int) -> str:
    """Return A, B, ..., Z, AA, AB, ... for 0, 1, ..."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _grade_colours(word: str) -> str:
    if word not in WORDS:
        return ""
    background = colour_of_word(word)
    return f"background-color: {background}; color: {text_colour_on(background)}"


def _percentile(row: Row) -> float | None:
    return row.result.assessment.percentile if row.result and row.result.assessment else None


def _pixels(row: Row) -> str:
    assessment = row.result.assessment if row.result else None
    return f"{assessment.width} × {assessment.height}" if assessment else ""


def _remarks(row: Row) -> str:
    if row.result is None:
        return ""
    return row.result.error or "; ".join(row.result.assessment.notes if row.result.assessment else ())
