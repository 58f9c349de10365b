"""Small multiples: every type with its thumbnail, the model's curve and people's, and which the model misreads most."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from metaiqa_core.distortions import DistortionType
from metaiqa_core.distortions.opinion_scores import opinion_curve
from metaiqa_core.level_response import Disagreement, compare_with_people, most_misread
from pages.lab import controls
from pages.lab.bench import Bench
from pages.lab.controls import DATABASES, Choice, Scope, title
from pages.shared.front_end import component
from pages.shared.plain import plain

_AGREEMENT_POINTS = 8.0
"""Largest root mean square difference, points, of a curve that agrees with people's.

It is about one standard deviation of people's scores over photos.
"""
_LISTED_TYPES = 3


def show(bench: Bench, scope: Scope, choice: Choice) -> None:
    """Show a card for each type at the chosen level; a click opens the type."""
    responses = [response for entry in scope.types if (response := bench.response(entry))]
    ranked = most_misread(responses)
    _list_largest_differences(ranked)
    shown = list(scope.types)
    if scope.misread_first:
        place = {disagreement.distortion.key: number for number, disagreement in enumerate(ranked)}
        shown.sort(key=lambda entry: place.get(entry.key, len(place)))  # those that wait stand last, in their order
    gallery = component("lab_gallery", "lab/gallery")
    gallery(
        key="lab_gallery",
        data={"cards": [_card(bench, entry, choice) for entry in shown]},
        on_opened_change=_open,
    )


def judgement(disagreement: Disagreement) -> str:
    """Return one sentence on how the model's scores of a type compare with people's."""
    gap, pairs = disagreement.mean_gap, disagreement.distinguishable_pairs
    if disagreement.rmse <= _AGREEMENT_POINTS:
        sentence = "Scored as people rate it"
    elif abs(gap) < disagreement.rmse / 2:
        sentence = f"Too mild at some levels, too harsh at others, by {disagreement.rmse:.0f} points"
    else:
        sentence = f"{abs(gap):.0f} points too {'mild' if gap > 0 else 'harsh'}"
    return f"{sentence}; {disagreement.pairs_in_order} of {pairs} level pairs in order." if pairs else f"{sentence}."


def _list_largest_differences(ranked: Sequence[Disagreement]) -> None:
    if len(ranked) < 2:
        return
    worst = [
        f"**{plain(title(entry.distortion))}** ({entry.rmse:.0f})"
        for entry in ranked[:_LISTED_TYPES]
        if entry.rmse > _AGREEMENT_POINTS
    ]
    named = (
        f"Furthest from people's ratings on this photo: {', '.join(worst)}."
        if worst
        else "All of these are scored about as people rate them."
    )
    st.markdown(
        named,
        help="In brackets: the root mean square, over the five levels, of the damage that people see minus the damage "
        "that the model sees. Damage is the loss of score against the undistorted photo, in points of 100; for people, "
        "against the best mean score in the database. People's curves are averages over other photos, so a gap of "
        f"about {_AGREEMENT_POINTS:.0f} points may be the photo's own. Order: pairs of levels that people tell apart, "
        "and how many of them the model puts into the same order.",
    )


def _open() -> None:
    key = st.session_state["lab_gallery"].get("opened")
    if key:
        controls.open_type(key)


def _card(bench: Bench, entry: DistortionType, choice: Choice) -> dict[str, Any]:
    """Return the content of a card, as plain values."""
    scores, thumbnails = bench.scores.get(entry.key, []), bench.thumbnails.get(entry.key, [])
    response = bench.response(entry)
    note = judgement(compare_with_people(response)) if response else bench.failures.get(entry.key, "waiting …")
    return {
        "key": entry.key,
        "name": entry.name,
        "database": DATABASES[entry.database],
        "model": [round(score, 1) for score in (bench.undistorted, *scores)],
        "people": [round(100 * opinion.mean, 1) for opinion in opinion_curve(entry)],
        "level": choice.level,
        "picture": thumbnails[choice.level - 1] if len(thumbnails) >= choice.level else "",
        "note": note,
        "chosen": entry.key == choice.distortion.key,
    }
