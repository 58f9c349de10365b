"""Time that maps and checks take on this machine: measured when the first map is there, and with each one after it."""

import time
from collections.abc import Callable

import numpy as np
import streamlit as st

from metaiqa_core.durations import duration_in_words
from metaiqa_core.explain.evidence import deletion_passes
from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.explain.passes import PassTimes, time_passes
from pages.maps.photo_maps import PhotoMaps

DELETION, RANDOMISATION = "deletion", "randomisation"
"""Names of the checks."""
QUICK_PASSES = 6
"""Passes through the network up to which a map is computed without a click."""


def quick() -> list[str]:
    """Return the methods of a few passes through the network in one go: there is nothing to show progress of."""
    return [key for key, method in METHODS.items() if method.cost <= QUICK_PASSES]


def measure_once(maps: PhotoMaps) -> None:
    """Measure the time of a pass on this machine, where a map is there and it was not measured before."""
    found, pace = _first_map(maps), _pace()
    if found is None or maps.key[1] in pace:
        return
    width, height = found.input_size
    pixels = np.full((height, width, 3), 128, dtype=np.uint8)
    maps.assessor.engine.unit_score(pixels)  # the first score of a size sets things up
    scored = min(_seconds_of(lambda: maps.assessor.engine.unit_score(pixels)) for _ in range(2))
    pace[maps.key[1]] = time_passes(maps.assessor.network, width, height), scored / (width * height)


def note(maps: PhotoMaps, found: GradientMap) -> None:
    """Note how long a map took: the best estimate for the next one by its method."""
    _noted()[maps.key[1], found.method] = found.seconds / _pixels(found)


def expected_seconds(method: str, maps: PhotoMaps) -> float | None:
    """Return how long a method takes for a photo on this machine; None before anything was measured.

    The estimate is the last time of the method, scaled by the number of pixels; before that, it follows from the number
    of its passes and the measured time of a pass. For a method that may stop early it is the most that it takes: what
    another photo took says little.
    """
    found, model = _first_map(maps), maps.key[1]
    if found is None:
        return None
    pixels = _pixels(found)
    is_bound = METHODS[method].stops_early and model in _pace()
    if (model, method) in _noted() and not is_bound:
        return _noted()[model, method] * pixels
    if model in _pace():
        return _pace()[model][0].seconds_of_map(method, *found.input_size)
    return None


def expected_seconds_of_check(kind: str, method: str, maps: PhotoMaps) -> float | None:
    """Return how long a check of a map takes on this machine; None before anything was measured."""
    found, model = _first_map(maps), maps.key[1]
    if kind == RANDOMISATION:  # two maps
        seconds = expected_seconds(method, maps)
        return None if seconds is None else 2 * seconds
    if found is None or model not in _pace():
        return None
    return deletion_passes().forward * _pace()[model][1] * _pixels(found)


def about(seconds: float, *, at_most: bool = False) -> str:
    """Return an estimated duration in words.

    >>> about(0.4), about(12.3), about(200), about(12.3, at_most=True)
    ('under 1 second', 'about 12 seconds', 'about 3 minutes', 'at most 12 seconds')
    """
    if seconds < 1:
        return "under 1 second"
    return f"{'at most' if at_most else 'about'} {duration_in_words(seconds)}"


def short(seconds: float, *, at_most: bool = False) -> str:
    """Return an estimated duration for a narrow list.

    >>> short(0.4), short(12.3), short(200), short(12.3, at_most=True)
    ('< 1 s', '12 s', '3 min', '≤ 12 s')
    """
    if seconds < 1:
        return "< 1 s"
    time = f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"
    return f"≤ {time}" if at_most else time


def _first_map(maps: PhotoMaps) -> GradientMap | None:
    return next(iter(maps.found(list(METHODS))), None)


def _pixels(found: GradientMap) -> int:
    return found.input_size[0] * found.input_size[1]


def _seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@st.cache_resource(show_spinner=False)
def _pace() -> dict[str, tuple[PassTimes, float]]:
    """Return the times of torch's passes and of the engine's score, in seconds a pixel, by model."""
    return {}


@st.cache_resource(show_spinner=False)
def _noted() -> dict[tuple[str, str], float]:
    """Return the time of the latest map, in seconds a pixel of the model's input, by model and method."""
    return {}
