"""Measuring the remaining types on the bench, the chosen one first, while the page stays usable."""

from collections.abc import Sequence

from metaiqa_core.distortions import DistortionType
from metaiqa_core.progress import Progress, Work
from pages.lab.bench import Bench
from pages.lab.controls import title
from pages.shared import long_work
from pages.shared.plain import plain

_NAME = "lab"
_REFRESH = 2.0
"""Seconds between two drawings of the whole page; drawing costs far less than what is measured in between."""


def measure(bench: Bench, scope: Sequence[DistortionType], chosen: DistortionType) -> None:
    """Measure the remaining types, or offer to do so where the reader has cancelled it.

    Call this last, when the page is drawn, so that it stays readable meanwhile. Cancelling stops all but the
    chosen type, until the reader goes on; finished measurements are kept.

    Args:
        bench: Bench with the photo.
        scope: Types to measure.
        chosen: Type to measure first, even after a cancellation.
    """
    question = id(bench), frozenset(entry.key for entry in scope)
    others = [] if long_work.is_cancelled(_NAME, question) else [entry for entry in scope if entry.key != chosen.key]
    wanted = [chosen, *others]
    if bench.waiting(wanted):
        chosen_was_drawn = bench.is_done(chosen)
        long_work.carry_on(
            _NAME,
            (id(bench), tuple(entry.key for entry in wanted)),
            lambda: _measure(bench, wanted, scope),
            cancels=question,
            describe=_in_words,
            gap=_REFRESH,
            redraw=lambda: bench.is_done(chosen) and not chosen_was_drawn,
        )
    elif left := bench.waiting(scope):
        long_work.offer_the_rest(_NAME, f"{len(left)} of {len(scope)} types are not measured.", "Measure the rest")


def _measure(bench: Bench, wanted: Sequence[DistortionType], scope: Sequence[DistortionType]) -> Work[None]:
    while left := bench.waiting(wanted):
        bench.step(left[0])
        if left := bench.waiting(wanted):
            yield Progress(title(left[0]), len(scope) - len(bench.waiting(scope)), len(scope))


def _in_words(progress: Progress) -> str:
    return f"Measured {progress.step} of {progress.total} types; next: {plain(progress.stage)}"
