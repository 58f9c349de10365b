"""Evidence for or against a map: each piece of evidence with one sentence on its meaning."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from metaiqa_core.explain.evidence import DeletionInsertion, RandomisationCheck, deletion_insertion, randomisation
from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.measured import NOT_INFORMATIVE, informative, localisation_of
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.progress import Work
from pages.maps import charts
from pages.maps.photo_maps import PhotoMaps
from pages.shared import long_work
from pages.shared.plain import plain

_GOOD = 1.5
"""Localisation ratio above which the whole interval must lie for a method to count as reliable."""


def summarise(maps: PhotoMaps, results: Sequence[GradientMap]) -> None:
    """Show how far to believe each map on the screen, from measurements made before."""
    for result, place in zip(results, st.columns(len(results), gap="medium"), strict=True):
        with place:
            _summarise(maps.assessor.card.name, result)


def _summarise(model: str, result: GradientMap) -> None:
    method = METHODS[result.method]
    if informative(model, result.method) is False:
        st.warning(f"{method.title}: **{NOT_INFORMATIVE}.** It finds damage no better than chance.")
    st.markdown(f"**{method.title}.** {method.sentence}")
    sentence, numbers = _reliability(model, result.method)
    st.caption(sentence, help=numbers)
    if result.completeness_gap is not None:
        st.caption(_completeness(result.completeness_gap))


def _reliability(model: str, method: str) -> tuple[str, str | None]:
    """Return the reliability with which a method finds damage, in one word, and the numbers behind it."""
    measured = localisation_of(model, method)
    if measured is None:
        return "Reliability: not measured for this model, so nobody knows whether this map finds damage.", None
    grade = "good" if measured.low > _GOOD else "fair" if measured.informative else "poor"
    return f"Reliability: **{grade}**.", (
        f"Localisation {measured.ratio_mean:.2f} (95 % interval {measured.low:.2f} to {measured.high:.2f}; chance: 1). "
        f"On {measured.n_photos} photos damaged in a known region, the map put this many times as much into the region "
        f"as its area would get by chance. Good: the interval lies above {_GOOD:g}; fair: above 1; poor: it does not."
    )


def _completeness(gap: float) -> str:
    return (
        f"Completeness gap **{100 * gap:.1f} %**: the map's sum should equal the score's difference from the baseline, "
        "and misses it by this share."
    )


def examine(maps: PhotoMaps, result: GradientMap) -> None:
    """Show the checks of one map on this photo, or offer to make them."""
    title = METHODS[result.method].title
    left, right = st.columns(2, gap="large")
    with left:
        _check(
            maps, result, "deletion", deletion_insertion, _show_deletion, f"Test {title} against random maps",
            "Blurs the photo step by step, the pixels that the map marks most first, then restores it in that order.",
        )  # fmt: skip
    with right:
        _check(
            maps, result, "randomisation", randomisation, _show_randomisation,
            f"Compare {title} with a network of random weights",
            "A map that stays the same when the network forgets all it has learnt shows the photo, not the network.",
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
    """Show a check, why it failed, or the button that starts it."""

    def start() -> Work[Any]:
        preprocessing = maps.assessor.preprocessing
        return work(maps.assessor.network, maps.photo.decoded(preprocessing.short_side), preprocessing, result)

    key = (result.method, kind)
    keep = partial(maps.checks.__setitem__, key)
    if key not in maps.checks:
        long_work.offer(kind, (maps.key, key), label, start, keep, keep_failure=keep, explanation=explanation)
    found = maps.checks.get(key)
    if isinstance(found, str):
        st.error(plain(found))
    elif found is not None:
        show(found, METHODS[result.method].title)


def _show_deletion(found: DeletionInsertion, title: str) -> None:
    verdict = (
        "It moves the score earlier than every random map, both ways: **what it marks matters to the score.**"
        if found.beats_random
        else "At least one random map does as well: **on this photo the map does not mark what the score depends on.**"
    )
    st.plotly_chart(
        charts.curves(found),
        key="maps_curves",
        config={"displayModeBar": False},
        alt=f"Score while the photo is blurred and restored in the order of the {title} map, against random maps.",
    )
    st.markdown(
        "Pixels are blurred (deletion) or restored (insertion), those that the map marks most first. Compared with "
        f"random maps, it moves the score {found.deletion_gain:.2f} and {found.insertion_gain:.2f} times as early. "
        f"{verdict}"
    )


def _show_randomisation(found: RandomisationCheck, title: str) -> None:
    verdict = (
        "The map changes with the weights: **it shows the network, not only the photo.**"
        if found.looks_at_model
        else "The map hardly changes: **it shows the photo's edges more than what the network has learnt.**"
    )
    st.plotly_chart(
        charts.likeness({"Last layers random": found.head, "All weights random": found.backbone}),
        key="maps_likeness",
        config={"displayModeBar": False},
        alt=f"Rank correlation of the {title} map with those of randomised networks: last layers {found.head:.2f}, all "
        f"weights {found.backbone:.2f}.",
    )
    st.markdown(
        f"Rank correlation with the same map of a network with random weights: {found.head:.2f} with the last layers "
        f"random, {found.backbone:.2f} with all of them. {verdict}"
    )


def show_all_methods(model: str) -> None:
    """Show the reliability and the description of each method."""
    ratios = [
        charts.Ratio(method.title, measured.ratio_mean, measured.low, measured.high, bool(informative(model, key)))
        for key, method in METHODS.items()
        if (measured := localisation_of(model, key)) is not None
    ]
    if ratios:
        best = max(ratios, key=lambda ratio: ratio.mean)
        st.plotly_chart(
            charts.ratios(ratios),
            key="maps_ratios",
            config={"displayModeBar": False},
            alt=f"Localisation ratio of {len(ratios)} methods; highest: {best.title}, {best.mean:.2f}; chance is 1.",
        )
        st.caption(
            "How well each method finds a damaged region; 1 is chance. Dots: mean ratio; lines: 95 % interval; "
            "open dots: not informative for this model."
        )
    else:
        st.caption(f"Reliability has not been measured for the model {plain(model)}.")
    st.table(
        {
            "Method": [method.title for method in METHODS.values()],
            "What it shows": [method.sentence for method in METHODS.values()],
            "Reads": ["hurts or helps" if method.signed else "strength" for method in METHODS.values()],
            "Cost": [f"{method.cost:g} pass{'es' * (method.cost > 1)}" for method in METHODS.values()],
        }
    )
