"""Scoring the photos that wait, while the page stays usable."""

from metaiqa_core.assess import Assessor
from metaiqa_core.progress import Progress, Work
from pages.shared import long_work
from pages.shared.photo_library import SessionPhoto
from pages.shared.plain import plain
from pages.shared.session_scores import SessionScores, model_key

_NAME = "scoring"
_FIRST_REFRESH = 2.0
"""Seconds until the table is drawn anew for the first time; then after 4, 8, ... more."""


def waiting(session_scores: SessionScores, assessor: Assessor) -> list[SessionPhoto]:
    """Return the shown photos that this model has not scored."""
    return [photo for photo in session_scores.photos.photos().values() if session_scores.find(photo, assessor) is None]


def score_waiting(session_scores: SessionScores, assessor: Assessor) -> None:
    """Score the waiting photos, or offer to do so where the reader has cancelled it."""
    shown, left = frozenset(session_scores.photos.photos()), waiting(session_scores, assessor)
    if not left:
        return
    if long_work.is_cancelled(_NAME, shown):
        long_work.offer_the_rest(_NAME, f"{len(left)} of {len(shown)} photos are not scored.", "Score the rest")
        return
    long_work.carry_on(
        _NAME,
        (model_key(assessor), shown),
        lambda: _score(session_scores, assessor),
        cancels=shown,
        describe=_in_words,
        gap=_FIRST_REFRESH,
        growth=2,
    )


def _score(session_scores: SessionScores, assessor: Assessor) -> Work[None]:
    left = waiting(session_scores, assessor)
    count = len(session_scores.photos.photos())
    done = count - len(left)
    for number, photo in enumerate(left, start=1):
        session_scores.of(photo, assessor)
        if number < len(left):
            yield Progress(left[number].name, done + number, count)


def _in_words(progress: Progress) -> str:
    return f"Scored {progress.step} of {progress.total}; next: {plain(_short(progress.stage))}"


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:24]}…{name[-15:]}"
