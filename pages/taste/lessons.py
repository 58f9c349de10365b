"""What the ratings have taught so far: learned whenever there is something new, and kept for the session."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from metaiqa_core.errors import TasteError
from metaiqa_core.taste.judgement import judge
from metaiqa_core.taste.taste import LEAST_RATINGS, require_teachable
from metaiqa_core.taste.teaching import Taught
from pages.shared.turns import turn
from pages.taste.current import CurrentTaste

_EVERY = 5
"""Number of choices after which they are learned from again: judging choices takes seconds, judging stars does not."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """A taste that was learned, and what it was learned from.

    Attributes:
        taught: The taste with its judgement.
        keys: Keys of the photos, in the order of its space.
    """

    taught: Taught
    keys: list[str]

    @property
    def shifts(self) -> np.ndarray:
        """Personal minus general score of each photo, in points (N,), both with the same mean."""
        personal, general = 100 * self.taught.unit_scores(), 100 * self.taught.taste.space.seen[:, 0]
        return (personal - personal.mean()) - (general - general.mean())


def learn(current: CurrentTaste, *, now: bool) -> tuple[Lesson | None, str]:
    """Return the latest lesson, and why there is none.

    Args:
        current: The taste.
        now: Whether to learn even if it takes a moment.
    """
    ratings = current.record.ratings
    try:
        require_teachable(ratings)
    except TasteError as error:
        return None, str(error) if len(ratings) >= LEAST_RATINGS else ""
    keys, taste = current.taste()
    if taste is None:
        return None, ""
    signature = (str(current.folder.folder), current.general.hash)
    subject = (*signature, tuple(keys), ratings.given)
    kept = st.session_state.get("taste_lesson")
    if kept and kept[0] == subject:
        return kept[1], ""
    is_due = now or not ratings.choices or len(ratings.choices) % _EVERY == 0
    if kept and kept[0][:2] == signature and not is_due:
        return kept[1], ""
    with st.spinner("Judging what it learned …"), turn():
        lesson = Lesson(Taught(current.general, ratings, taste, judge(taste)), keys)
    st.session_state["taste_lesson"] = (subject, lesson)
    return lesson, ""


def is_latest(current: CurrentTaste, lesson: Lesson) -> bool:
    """Return whether a lesson has learned from all ratings."""
    return lesson.taught.ratings.given == current.record.ratings.given
