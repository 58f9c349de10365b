"""Evidence for or against a map: each piece of evidence with one sentence on its meaning."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from metaiqa_core.explain.evidence import DeletionInsertion, RandomisationCheck, deletion_insertion, randomisation
from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.measured import (
    GOOD_RATIO,
    NOT_INFORMATIVE,
    Localisation,
    by_reliability,
    informative,
    localisation_of,
)
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.models.card import ModelCard
from metaiqa_core.progress import Work
from pages.maps import charts, pace
from pages.maps.photo_maps import PhotoMaps
from pages.shared import long_work
from pages.shared.plain import plain
from pages.shared.turns import gradient_turn

_VISIBLE_GAP = 0.0005
"""Completeness gap from which it is more than 0.0 %."""


def summarise(maps: PhotoMaps, results: Sequence[GradientMap]) -> None:
    """Show how far to believe each map on the screen, from measurements made before."""
    for result, place in zip(results, st.columns(len(results), gap="medium"), strict=True):
        with place:
            _summarise(maps.assessor.card, result)


def _summarise(card: ModelCard, result: GradientMap) -> None:
    method = METHODS[result.method]
    if informative(card.name, result.method) is False:
        st.warning(f"{method.title} is **{NOT_INFORMATIVE}**: it finds damage no better than chance.")
    st.markdown(f"**{method.title}.** {method.sentence}")
    sentence, numbers = _reliability(card, result.method)
    st.caption(sentence, help=numbers)
    if result.completeness_gap is not None:
        missing = f", but for {100 * result.completeness_gap:.1f} %" if result.completeness_gap >= _VISIBLE_GAP else ""
        st.caption(
            f"The values of this map add up to the score's distance from a plain grey picture{missing}.",
            help="What is missing is called the completeness gap. A small one says that the arithmetic is right, not "
            "that the map finds damage.",
        )


def _reliability(card: ModelCard, method: str) -> tuple[str, str | None]:
    """Return the reliability with which a method finds damage, in one word, and the numbers behind it."""
    measured = localisation_of(card.name, method)
    if measured is None:
        return "Reliability: not measured for this model. Nobody knows whether this map finds damage.", None
    return f"Reliability: **{measured.reliability}**.", (
        f"On {measured.n_photos} photos with a damaged square, maps put {measured.ratio_mean:.2f} times as much into "
        f"it as chance would (95 % interval {measured.low:.2f} to {measured.high:.2f}). Good: the interval is above "
        f"{GOOD_RATIO:g}; fair: above 1; poor: it reaches down to 1. Measured {measured.date}{_older(measured, card)}."
    )


def _older(measured: Localisation, card: ModelCard) -> str:
    return "" if measured.model_sha256 == card.sha256 else ", with earlier weights of this model"


def examine(maps: PhotoMaps, result: GradientMap) -> None:
    """Show the checks of one map on this photo, or offer to make them."""
    title = METHODS[result.method].title
    left, right = st.columns(2, gap="large")
    with left:
        _check(
            maps, result, pace.DELETION,
            partial(deletion_insertion, unit_score=maps.assessor.engine.unit_score), _show_deletion,
            f"Test {title} against random maps",
            "Blurs the photo step by step, beginning with the pixels that the map marks most, then restores it in the "
            "same order. A good map changes the score sooner than random maps do.",
        )  # fmt: skip
    with right:
        _check(
            maps, result, pace.RANDOMISATION, randomisation, _show_randomisation,
            f"Test {title} with random weights",
            "Computes the same map of a network that has forgotten all it learned. A map that stays the same shows the "
            "photo's edges, not what the network learned.",
        )  # fmt: skip


def _check(
    maps: PhotoMaps,
    result: GradientMap,
    kind: str,
    work: Callable[..., Work[Any]],
    show: Callable[[Any, str], None],
    label: str,
    explanation: str,
) -> None:
    """Show a check, why it failed, or the button that starts it and says how long it takes."""

    def start() -> Work[Any]:
        preprocessing = maps.assessor.preprocessing
        return work(maps.assessor.network, maps.photo.decoded(preprocessing.short_side), preprocessing, result)

    key = (result.method, kind)
    keep = partial(maps.checks.__setitem__, key)
    if key not in maps.checks:
        seconds = pace.expected_seconds_of_check(kind, result.method, maps)
        at_most = kind == pace.RANDOMISATION and METHODS[result.method].stops_early
        timed = label if seconds is None else f"{label} ({pace.about(seconds, at_most=at_most)})"
        long_work.offer(
            kind,
            (maps.key, key),
            timed,
            start,
            keep,
            keep_failure=keep,
            explanation=explanation,
            waits=gradient_turn,
        )
    found = maps.checks.get(key)
    if isinstance(found, str):
        st.error(plain(found))
    elif found is not None:
        show(found, METHODS[result.method].title)


def _show_deletion(found: DeletionInsertion, title: str) -> None:
    verdict = (
        "**The map passes:** what it marks matters to the score more than what random maps mark."
        if found.beats_random
        else "**The map fails on this photo:** at least one random map marks what matters to the score as well."
    )
    st.plotly_chart(
        charts.curves(found),
        key="maps_curves",
        config={"displayModeBar": False},
        alt=f"Score while the photo is blurred and restored in the order of the {title} map, against random maps.",
    )
    st.markdown(
        verdict,
        help="The pixels that the map marks most are blurred first, then restored first. Against the mean of "
        f"{len(found.random_deletion)} random maps, the score moves {found.deletion_gain:.2f} times as early when they "
        f"are blurred and {found.insertion_gain:.2f} times as early when they are restored.",
    )


def _show_randomisation(found: RandomisationCheck, title: str) -> None:
    verdict = (
        "**The map passes:** it changes when the network forgets what it learned."
        if found.looks_at_model
        else "**The map fails:** it hardly changes, so it shows the photo's edges more than what the network learned."
    )
    st.plotly_chart(
        charts.likeness({"Last layers random": found.head, "All weights random": found.backbone}),
        key="maps_likeness",
        config={"displayModeBar": False},
        alt=f"Rank correlation of the {title} map with those of randomised networks: last layers {found.head:.2f}, all "
        f"weights {found.backbone:.2f}.",
    )
    st.markdown(
        verdict,
        help="Likeness of this map and the one with random weights, as a rank correlation (1: the same, 0: nothing in "
        f"common): {found.head:.2f} with the last layers random, {found.backbone:.2f} with all weights random.",
    )


def show_all_methods(model: str) -> None:
    """Show the reliability and the description of each method, the most reliable first."""
    keys = by_reliability(model)
    ratios = [
        charts.Ratio(METHODS[key].title, found.ratio_mean, found.low, found.high, found.informative)
        for key in keys
        if (found := localisation_of(model, key)) is not None
    ]
    if ratios:
        st.plotly_chart(
            charts.ratios(ratios),
            key="maps_ratios",
            config={"displayModeBar": False},
            alt=f"How well {len(ratios)} methods find damage; the most reliable: {ratios[0].title}, "
            f"{ratios[0].mean:.2f} times as well as chance.",
        )
        st.caption(
            "How well each method finds a damaged square; 1 is chance. Dots: mean; lines: 95 % interval; open dots: "
            "not informative for this model, since the interval reaches down to chance."
        )
    else:
        st.caption(f"Reliability has not been measured for the model {plain(model)}.")
    st.table(
        {
            "Method": [METHODS[key].title for key in keys],
            "Reliability": [
                found.reliability if (found := localisation_of(model, key)) else "not measured" for key in keys
            ],
            "What it shows": [METHODS[key].sentence for key in keys],
            "Colours show": ["hurts or helps" if METHODS[key].signed else "strength" for key in keys],
        }
    )
