"""Measuring what the reader asks for: all levels of the chosen type, or of all types of the scope."""

from collections.abc import Sequence

import streamlit as st

from metaiqa_core.distortions import DistortionType
from metaiqa_core.progress import Progress, Work
from pages.lab.bench import Bench
from pages.lab.controls import Choice, Scope, title
from pages.shared import long_work
from pages.shared.plain import plain
from pages.shared.turns import turn

_REFRESH = 2.0
"""Seconds between two drawings of the whole page; drawing costs far less than what is measured in between."""


def measure_shown(bench: Bench, choice: Choice) -> None:
    """Score the one picture that the page shows, so that it never stands without its number."""
    if choice.level in bench.missing_levels(choice.distortion):
        with st.spinner("Scoring this level …"), turn():
            bench.measure(choice.distortion, choice.level)


def offer_all_levels(bench: Bench, choice: Choice) -> None:
    """Offer to measure the other levels of the chosen type; nothing is measured unasked."""
    if missing := bench.missing_levels(choice.distortion):
        levels = "1 other level" if len(missing) == 1 else f"{len(missing)} other levels"
        _offer("lab_levels", bench, [choice.distortion], f"Score the {levels}")
    else:
        long_work.cancel("lab_levels")


def offer_scope(bench: Bench, scope: Scope) -> None:
    """Offer to measure all types of the scope."""
    if waiting := bench.waiting(scope.types):
        count, whole = len(waiting), len(scope.types)
        which = f"all {whole} types" if count == whole else f"the other {count} of {whole} types"
        _offer("lab", bench, scope.types, f"Score {which}" if count > 1 else "Score the last type")
    else:
        long_work.cancel("lab")


def _offer(name: str, bench: Bench, wanted: Sequence[DistortionType], label: str) -> None:
    about = (id(bench), tuple(entry.key for entry in wanted))
    long_work.offer(
        name,
        about,
        label,
        lambda: _measure(bench, wanted),
        describe=_in_words,
        gap=_REFRESH,
        explanation="Scores levels 1 to 5. What was scored before stays; you can cancel at any time.",
    )


def _measure(bench: Bench, wanted: Sequence[DistortionType]) -> Work[None]:
    total = sum(len(bench.missing_levels(entry)) for entry in wanted)
    while left := bench.waiting(wanted):
        bench.step(left[0])
        if left := bench.waiting(wanted):
            missing = sum(len(bench.missing_levels(entry)) for entry in wanted)
            yield Progress(title(left[0]), max(total - missing, 0), max(total, 1))


def _in_words(progress: Progress) -> str:
    return f"{plain(progress.stage)}: {progress.step} of {progress.total} scores"
