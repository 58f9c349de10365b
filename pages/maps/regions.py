"""The regions that matter, cut out at full resolution side by side: each pixel of the photo is one of the screen."""

import html
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.explain.regions import SMALLEST_EFFECT, Region
from metaiqa_core.images import png
from pages.maps.layers import place_of, regions_of, scaled
from pages.maps.photo_maps import PhotoMaps
from pages.shared.encoding import data_uri

_COUNT = 3
_LARGEST = 320
"""Longest side of a cut-out, pixels. Of a larger region, and where there is less room, the middle is shown."""


@dataclass(frozen=True)
class _Cutout:
    """A part of a photo as PNG, with its place and share."""

    png: bytes
    width: int
    place: str
    share: float


def show(maps: PhotoMaps, result: GradientMap, *, among_others: bool = False) -> None:
    """Show the regions that matter, or say that no single place does.

    Args:
        maps: Maps of the photo.
        result: The map whose regions are shown.
        among_others: Whether other maps are on the screen too, so that the words name this one.
    """
    cutouts = _cutouts(maps, result)
    method = METHODS[result.method]
    verb = "hurts" if method.signed else "matters"
    if not cutouts:
        which = f"By {method.title}, no" if among_others else "No"
        st.caption(f"{which} single place {verb} much, so nothing is framed.", help=_meaning(method.signed))
        return
    which = f"What {verb} most by {method.title}" if among_others else f"What {verb} most"
    st.markdown(f"**{which}, at full resolution**", help=_meaning(method.signed))
    figures = "".join(
        f"""<figure style="max-width: {cutout.width}px"><img src="{data_uri(cutout.png, "png")}"
        alt="Region {rank} at full resolution, {html.escape(cutout.place)} of the photo">
        <figcaption>{rank}: {100 * cutout.share:.0f} % of the effect</figcaption></figure>"""
        for rank, cutout in enumerate(cutouts, start=1)
    )
    empty = "<figure></figure>" * (_COUNT - len(cutouts))  # one or two are no larger than three
    st.html(f'<div class="map-cutouts">{figures}{empty}</div>')


def _meaning(signed: bool) -> str:
    effect = "of everything that raises or lowers the score" if signed else "of everything that matters to the score"
    return (
        f"Framed are squares that hold at least {100 * SMALLEST_EFFECT:.0f} % {effect}, by the squares of the map's "
        "values; the best square of a map that says nothing holds less."
    )


def _cutouts(maps: PhotoMaps, result: GradientMap) -> list[_Cutout]:
    key = (result.method, "cut-outs")
    if key not in maps.checks:
        values = maps.on_screen(result)
        if regions := regions_of(values, result.method):
            pixels = maps.photo.decoded().pixels
            scale = pixels.shape[1] / values.shape[1]
            maps.checks[key] = [
                _cut(pixels, scaled(region, scale), place_of(region, values.shape)) for region in regions
            ]
        else:
            maps.checks[key] = []
    return maps.checks[key]


def _cut(pixels: np.ndarray, region: Region, place: str) -> _Cutout:
    """Cut the middle of a region out of a photo, at most `_LARGEST` pixels wide and high."""
    height, width = min(region.bottom - region.top, _LARGEST), min(region.right - region.left, _LARGEST)
    top, left = (region.top + region.bottom - height) // 2, (region.left + region.right - width) // 2
    image = Image.fromarray(pixels[top : top + height, left : left + width])
    # PNG, since JPEG would add a distortion of its own.
    return _Cutout(png(image), image.width, place, region.share)
