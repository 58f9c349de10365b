"""Scoring the photos that wait, then naming their defects, while the page stays usable."""

import streamlit as st

from metaiqa_core.assess import Assessor
from metaiqa_core.models.card import ModelCard
from metaiqa_core.progress import Progress, Work
from pages.scoring.diagnoses import SessionDiagnoses, graph_card
from pages.shared import intake, long_work
from pages.shared.photo_library import SessionPhoto
from pages.shared.plain import plain
from pages.shared.session_scores import SessionScores, model_key

_NAME = "scoring"
_DEFECTS = "defects"
"""Place of the reports on the second half of the work."""
_FIRST_REFRESH = 2.0
"""Seconds until the table is drawn anew for the first time; then after 4, 8, ... more."""


def waiting(session_scores: SessionScores, assessor: Assessor) -> list[SessionPhoto]:
    """Return the shown photos that this model has not scored."""
    return [photo for photo in session_scores.photos.photos().values() if session_scores.find(photo, assessor) is None]


def undiagnosed(session_scores: SessionScores, assessor: Assessor) -> list[SessionPhoto]:
    """Return the shown photos that have a score and have still to be diagnosed."""
    diagnoses, card = session_scores.photos.companion(SessionDiagnoses), graph_card()
    photos = session_scores.photos.photos().values()
    return [photo for photo in photos if diagnoses.waits(photo, session_scores.find(photo, assessor), card)]


def score_waiting(session_scores: SessionScores, assessor: Assessor) -> None:
    """Score and diagnose the waiting photos, or offer to do so where the reader has cancelled it."""
    shown, left = frozenset(session_scores.photos.photos()), waiting(session_scores, assessor)
    # What was brought together: a cancellation holds for all of it, also for what is still on its way.
    brought = (intake.number(), bool(session_scores.photos.own))
    unnamed = [] if left else undiagnosed(session_scores, assessor)
    if not left and not unnamed:
        return
    if long_work.is_cancelled(_NAME, brought):
        sentence, label = (
            (f"{len(left)} of {len(shown)} photos are not scored.", "Score the rest")
            if left
            else (f"{len(unnamed)} of {len(shown)} photos were not searched for defects.", "Search the rest")
        )
        long_work.offer_the_rest(_NAME, sentence, label)
        return
    is_open_unnamed = _is_open(unnamed)

    def shows_more() -> bool:
        """Return whether the last score has come, or the diagnosis of the open photo, since the page was drawn."""
        if left:
            return not waiting(session_scores, assessor)
        return is_open_unnamed and not _is_open(undiagnosed(session_scores, assessor))

    long_work.carry_on(
        _NAME,
        (model_key(assessor), shown),
        lambda: _score(session_scores, assessor),
        cancels=brought,
        describe=_in_words,
        gap=_FIRST_REFRESH,
        growth=2,
        redraw=shows_more,
        first_slice=0,  # the photo that opens is scored, and the others can wait until it is seen
    )


def _score(session_scores: SessionScores, assessor: Assessor) -> Work[None]:
    left = waiting(session_scores, assessor)
    count = len(session_scores.photos.photos())
    done = count - len(left)
    for number, photo in enumerate(left, start=1):
        session_scores.of(photo, assessor)
        if number < len(left):
            yield Progress(left[number].name, done + number, count)
    # Only now, so that no score waits for it.
    if card := graph_card():
        yield from _diagnose(undiagnosed(session_scores, assessor), count, session_scores, card)


def _diagnose(photos: list[SessionPhoto], count: int, session_scores: SessionScores, card: ModelCard) -> Work[None]:
    """Diagnose photos; the one that is open comes next, whichever that is by then."""
    diagnoses, left = session_scores.photos.companion(SessionDiagnoses), {photo.key: photo for photo in photos}

    def following() -> SessionPhoto:
        return left.get(st.session_state.get("opened", "")) or next(iter(left.values()))

    while left:
        yield Progress(following().name, count - len(left), count, place=_DEFECTS)
        photo = left.pop(following().key)
        if (photo.key, card.sha256) not in diagnoses.found:  # another tab of the browser may have been faster
            diagnoses.make(photo, card)


def _is_open(photos: list[SessionPhoto]) -> bool:
    return any(photo.key == st.session_state.get("opened") for photo in photos)


def _in_words(progress: Progress) -> str:
    done, following = f"{progress.step} of {progress.total}", plain(_short(progress.stage))
    if progress.place == _DEFECTS:
        return f"Searched {done} for defects; next: {following}"
    return f"Scored {done}; next: {following}"


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:24]}…{name[-15:]}"
