"""Scoring the photos that wait, while the page stays usable."""

from metaiqa_core.assess import Assessor
from metaiqa_core.progress import Progress, Work
from pages.shared import long_work
from pages.shared.outcomes import Outcomes, model_key
from pages.shared.photo_library import SessionPhoto
from pages.shared.plain import plain

_NAME = "scoring"
_FIRST_REFRESH = 2.0
"""Seconds until the table is drawn anew for the first time; then after 4, 8, ... more."""


def waiting(outcomes: Outcomes, assessor: Assessor) -> list[SessionPhoto]:
    """Return the shown photos that this model has not looked at."""
    return [photo for photo in outcomes.photos.photos().values() if outcomes.find(photo, assessor) is None]


def score_waiting(outcomes: Outcomes, assessor: Assessor) -> None:
    """Score what waits, or offer to do so where the reader has cancelled it."""
    shown, left = frozenset(outcomes.photos.photos()), waiting(outcomes, assessor)
    if not left:
        return
    if long_work.is_cancelled(_NAME, shown):
        long_work.offer_the_rest(_NAME, f"{len(left)} of {len(shown)} photos are not scored.", "Score the rest")
        return
    long_work.carry_on(
        _NAME,
        (model_key(assessor), shown),
        lambda: _score(outcomes, assessor),
        cancels=shown,
        describe=_in_words,
        gap=_FIRST_REFRESH,
        growth=2,
    )


def _score(outcomes: Outcomes, assessor: Assessor) -> Work[None]:
    while left := waiting(outcomes, assessor):
        outcomes.of(left[0], assessor)
        if left[1:]:
            count = len(outcomes.photos.photos())
            yield Progress(left[1].name, count - len(left) + 1, count)


def _in_words(progress: Progress) -> str:
    return f"Scored {progress.step} of {progress.total}; next: {plain(_short(progress.stage))}"


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:24]}…{name[-15:]}"
