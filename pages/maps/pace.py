"""Time that each method takes on this machine, measured with each map to estimate the next."""

import streamlit as st

from metaiqa_core.durations import duration_in_words
from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.methods import METHODS
from pages.maps.photo_maps import PhotoMaps


def single_pass() -> list[str]:
    """Return the methods that take one pass through the network."""
    return [key for key, method in METHODS.items() if method.cost <= 1]


def note(maps: PhotoMaps, found: GradientMap) -> None:
    """Note how long a map took."""
    seconds_a_pixel = found.seconds / _pixels(found)
    _pace()[maps.key[1], found.method] = seconds_a_pixel
    if found.method in single_pass():
        _pace()[maps.key[1], ""] = seconds_a_pixel


def expected_seconds(method: str, maps: PhotoMaps) -> float | None:
    """Return how long a method takes for a photo on this machine; None before anything was measured.

    The estimate is the last time of the method, scaled by the number of pixels, or its cost in passes times the time of
    a pass.
    """
    measured = maps.found(list(METHODS))
    if not measured:
        return None
    pace, model, pixels = _pace(), maps.key[1], _pixels(measured[0])
    if (model, method) in pace:
        return pace[model, method] * pixels
    return METHODS[method].cost * pace[model, ""] * pixels if (model, "") in pace else None


def about(seconds: float) -> str:
    """Return an estimated duration in words.

    >>> about(0.4), about(12.3), about(200)
    ('under 1 second', 'about 12 seconds', 'about 3 minutes')
    """
    return "under 1 second" if seconds < 1 else f"about {duration_in_words(seconds)}"


def _pixels(found: GradientMap) -> int:
    return found.input_size[0] * found.input_size[1]


@st.cache_resource(show_spinner=False)
def _pace() -> dict[tuple[str, str], float]:
    """Return seconds a pixel of the model's input, by model and method; those of one pass under the method ''."""
    return {}
