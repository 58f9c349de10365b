"""Choice of the methods: one to read and up to three to compare it with, each with its description and its cost."""

import streamlit as st

from metaiqa_core.explain.measured import localisation_of
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
    keys = list(METHODS)
    remembered = st.session_state.get(_REMEMBERED) or [_default(maps.assessor.card.name)]
    with place:
        method = st.selectbox(
            "Method",
            keys,
            index=keys.index(remembered[0]),
            format_func=lambda key: f"{METHODS[key].title} ({_cost(key, maps)})",
            key="maps_method",
            help="\n".join(
                f"- **{each.title}** ({_cost(key, maps)}): {each.sentence}" for key, each in METHODS.items()
            ),
        )
    others = [key for key in keys if key != method]
    compared = st.session_state.get("maps_compared", remembered[1:])
    st.session_state["maps_compared"] = [key for key in compared if key in others]
    with comparison_place:
        compared = st.multiselect(
            "Compare with",
            others,
            format_func=lambda key: METHODS[key].title,
            key="maps_compared",
            max_selections=MAXIMUM_COMPARED - 1,
            placeholder="up to three other methods",
        )
    st.session_state[_REMEMBERED] = [method, *compared]  # a widget's state ends with its page
    return [method, *compared]


def _default(model: str) -> str:
    """Return the method of one pass that finds damage best, or the first one where nothing was measured."""
    quick = pace.single_pass()
    measured = {key: found.ratio_mean for key in quick if (found := localisation_of(model, key)) is not None}
    return max(measured, key=lambda key: measured[key]) if measured else quick[0]


def _cost(key: str, maps: PhotoMaps) -> str:
    seconds = pace.expected_seconds(key, maps)
    return pace.about(seconds) if seconds is not None else f"cost {METHODS[key].cost:g}"
