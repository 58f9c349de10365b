"""Computing maps: at once where that is quick, else behind a button."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from metaiqa_core.explain.gradient_maps import GradientMap, gradient_map
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.progress import Work, finish, passed_on
from pages.maps import pace, view
from pages.maps.photo_maps import PhotoMaps
from pages.shared import long_work
from pages.shared.failures import explain
from pages.shared.plain import plain
from pages.shared.turns import gradient_turn

AT_ONCE_SECONDS = 1.0
"""Maps that take fewer seconds than this are computed without a click."""


def compute_first(maps: PhotoMaps, wanted: str) -> None:
    """Compute one map that costs few passes, so that a photo never stands without any.

    Args:
        maps: Maps of the photo.
        wanted: Method to compute if it is quick; otherwise the first method that is gets computed.

    Raises:
        PhotoError: If the photo cannot be read.
    """
    quick = pace.quick()
    if not any(key in maps.maps for key in quick):
        with view.alone(maps, "Computing its map …"), gradient_turn():
            finish(_one_by_one(maps, [wanted if wanted in quick else quick[0]]))
    with gradient_turn():
        pace.measure_once(maps)


def compute(maps: PhotoMaps, methods: Sequence[str]) -> list[GradientMap]:
    """Compute the quick ones among `methods`, offer the others behind a button, and say which failed.

    Returns:
        The maps that are there, in the order of `methods`.

    Raises:
        PhotoError: If the photo cannot be read.
    """
    missing = [key for key in methods if key not in maps.maps]
    # The quick ones cannot be cut into slices, whatever they take.
    _at_once(maps, [key for key in missing if key in pace.quick() or _seconds(maps, key) < AT_ONCE_SECONDS])
    if slow := [key for key in missing if key not in maps.maps]:
        titles = ", ".join(METHODS[key].title for key in slow)
        at_most = any(METHODS[key].stops_early for key in slow)
        label = f"Compute {titles} ({pace.about(sum(_seconds(maps, key) for key in slow), at_most=at_most)})"
        long_work.offer("maps", (maps.key, tuple(slow)), label, lambda: _one_by_one(maps, slow), waits=gradient_turn)
    else:
        long_work.cancel("maps")
    for key in methods:
        if isinstance(reason := maps.maps.get(key), str):
            st.error(plain(f"{METHODS[key].title}: {reason}"))
    return maps.found(methods)


def _seconds(maps: PhotoMaps, key: str) -> float:
    return pace.expected_seconds(key, maps) or METHODS[key].cost


def _at_once(maps: PhotoMaps, methods: Sequence[str]) -> None:
    if methods:
        with st.spinner("Computing the map …"), gradient_turn():
            finish(_one_by_one(maps, methods))


def _one_by_one(maps: PhotoMaps, methods: Sequence[str]) -> Work[None]:
    """Compute maps and keep each; a method that fails leaves its reason, and the others go on."""
    assessor = maps.assessor
    photo = maps.photo.decoded(assessor.preprocessing.short_side)
    for key in methods:
        try:
            work = gradient_map(assessor.network, photo, assessor.preprocessing, method=key, model=assessor.card.name)
            maps.maps[key] = yield from passed_on(work, partial(replace, stage=METHODS[key].title))
        except Exception as error:
            maps.maps[key] = explain(error)
        else:
            pace.note(maps, maps.found([key])[0])
