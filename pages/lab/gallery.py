"""Small multiples: every type with its thumbnail, the model's curve and people's, and which the model misreads most."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from metaiqa_core.distortions import LEVELS, DistortionType
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
        sentence = "Scored about as people rate it"
    elif abs(gap) < disagreement.rmse / 2:
        sentence = f"Takes less off than people do at some levels and more at others, by {disagreement.rmse:.0f} points"
    else:
        sentence = f"Takes {abs(gap):.0f} points {'less' if gap > 0 else 'more'} off than people do"
    order = f" {disagreement.pairs_in_order} of {pairs} pairs of levels are in people's order." if pairs else ""
    return f"{sentence}.{order}"


def _list_largest_differences(ranked: Sequence[Disagreement]) -> None:
    if len(ranked) < 2:
        return
    worst = [
        f"**{plain(title(entry.distortion))}** ({entry.rmse:.0f})"
        for entry in ranked[:_LISTED_TYPES]
        if entry.rmse > _AGREEMENT_POINTS
    ]
    named = (
        f"Furthest from people's ratings: {', '.join(worst)}."
        if worst
        else "All of these are scored about as people rate them."
    )
    st.markdown(
        named,
        help="In brackets: the typical difference, in points of 100, between the loss of score that people see and the "
        "loss that the model sees (root mean square over the five levels). The model's loss is against the undistorted "
        "photo, people's against the best mean rating in the database. People rated other photos, so a difference of "
        f"about {_AGREEMENT_POINTS:.0f} points may come from this photo alone.",
    )


def _open() -> None:
    key = st.session_state["lab_gallery"].get("opened")
    if key:
        controls.open_type(key)


def _waiting(bench: Bench, entry: DistortionType) -> str:
    """Return how much of a type is scored, where something of it still waits."""
    done = len(LEVELS) - len(bench.missing_levels(entry))
    return f"{done} of {len(LEVELS)} levels scored" if done else "not scored yet"


def _card(bench: Bench, entry: DistortionType, choice: Choice) -> dict[str, Any]:
    """Return the content of a card, as plain values."""
    thumbnail = bench.thumbnails.get(entry.key, {}).get(choice.level, "")
    response = bench.response(entry)
    note = (
        judgement(compare_with_people(response))
        if response
        else bench.failures.get(entry.key) or _waiting(bench, entry)
    )
    score = bench.score(entry, choice.level)
    return {
        "key": entry.key,
        "name": entry.name,
        "database": DATABASES[entry.database],
        "model": [round(value, 1) for value in response.scores] if response else [],
        "score": None if score is None else round(score, 1),
        "people": [round(100 * opinion.mean, 1) for opinion in opinion_curve(entry)],
        "level": choice.level,
        "picture": thumbnail,
        "note": note,
        "chosen": entry.key == choice.distortion.key,
    }
