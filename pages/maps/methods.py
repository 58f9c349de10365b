"""Choice of the methods: one to read and up to three to compare it with, the most reliable first."""

import streamlit as st

from metaiqa_core.explain.measured import by_reliability, localisation_of
from metaiqa_core.explain.methods import METHODS
from pages.maps import pace
from pages.maps.photo_maps import PhotoMaps
from pages.shared.streamlit_internals import DeltaGenerator

MAXIMUM_COMPARED = 4
_REMEMBERED = "maps_methods"


def first(model: str) -> str:
    """Return the method to start with: the remembered one, or the default."""
    return (st.session_state.get(_REMEMBERED) or [_default(model)])[0]


def choose(maps: PhotoMaps, place: DeltaGenerator, comparison_place: DeltaGenerator) -> list[str]:
    """Offer the methods in two places of the page; return the keys of the chosen ones, the one to read in front."""
    model = maps.assessor.card.name
    keys = by_reliability(model)
    remembered = st.session_state.get(_REMEMBERED) or [_default(model)]
    with place:
        method = st.selectbox(
            "Method",
            keys,
            index=keys.index(remembered[0]),
            format_func=lambda key: label(key, model, maps),
            key="maps_method",
            help="The method that finds damage most reliably comes first.\n"
            + "\n".join(f"- **{METHODS[key].title}**: {METHODS[key].sentence}" for key in keys),
        )
    others = [key for key in keys if key != method]
    compared = st.session_state.get("maps_compared", remembered[1:])
    st.session_state["maps_compared"] = [key for key in compared if key in others]
    with comparison_place:
        compared = st.multiselect(
            "Compare with",
            others,
            format_func=lambda key: label(key, model),
            key="maps_compared",
            max_selections=MAXIMUM_COMPARED - 1,
            placeholder="up to three other methods",
        )
    st.session_state[_REMEMBERED] = [method, *compared]  # a widget's state ends with its page
    return [method, *compared]


def label(key: str, model: str, maps: PhotoMaps | None = None) -> str:
    """Return a method's name with its measured reliability and, for a photo, the time that its map takes."""
    found = localisation_of(model, key)
    parts = [METHODS[key].title]
    if found is not None:
        parts.append(found.reliability if found.informative else "not informative")
    if maps is not None and (seconds := pace.expected_seconds(key, maps)) is not None:
        parts.append(pace.short(seconds, at_most=METHODS[key].stops_early))
    return " · ".join(parts)


def _default(model: str) -> str:
    """Return the most reliable of the quick methods, or the first one where nothing was measured."""
    quick = pace.quick()
    return next(key for key in by_reliability(model) if key in quick)
