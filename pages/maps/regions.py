"""The worst regions of a photo, cut out at full resolution: each pixel of the photo is one of the screen."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.explain.regions import Region
from metaiqa_core.images import png
from pages.maps.layers import place_of, regions_of, scaled
from pages.maps.photo_maps import PhotoMaps

_LARGEST = 320
"""Longest side of a cut-out, pixels: what a phone shows at full resolution. Of a larger region the middle is shown."""


@dataclass(frozen=True)
class _Cutout:
    """A part of a photo as PNG, with its place and share."""

    png: bytes
    width: int
    place: str
    share: float


def show(maps: PhotoMaps, result: GradientMap) -> None:
    """Show the worst regions of a map."""
    cutouts = _cutouts(maps, result)
    title, signed = METHODS[result.method].title, METHODS[result.method].signed
    if not cutouts:
        st.caption(
            f"{title} finds nothing in this photo that hurts its score." if signed else f"The {title} map is empty."
        )
        return
    st.markdown(f"**{'What hurts most' if signed else 'What matters most'} according to {title}, at full resolution**")
    with st.container(horizontal=True, gap="small"):
        for rank, cutout in enumerate(cutouts, start=1):
            st.image(
                cutout.png,
                width=cutout.width,
                caption=f"{rank} · {100 * cutout.share:.0f} %",
                alt=f"Region {rank} at full resolution, {cutout.place} of the photo",
            )
    st.caption("The framed squares, each with its share of the map.")


def _cutouts(maps: PhotoMaps, result: GradientMap) -> list[_Cutout]:
    key = (result.method, "cut-outs")
    if key not in maps.checks:
        pixels, values = maps.photo.decoded().pixels, maps.on_screen(result)
        scale = pixels.shape[1] / values.shape[1]
        maps.checks[key] = [
            _cut(pixels, scaled(region, scale), place_of(region, values.shape))
            for region in regions_of(values, result.method)
        ]
    return maps.checks[key]


def _cut(pixels: np.ndarray, region: Region, place: str) -> _Cutout:
    """Cut the middle of a region out of a photo, at most `_LARGEST` pixels wide and high."""
    height, width = min(region.bottom - region.top, _LARGEST), min(region.right - region.left, _LARGEST)
    top, left = (region.top + region.bottom - height) // 2, (region.left + region.right - width) // 2
    image = Image.fromarray(pixels[top : top + height, left : left + width])
    # PNG, since JPEG would add a distortion of its own.
    return _Cutout(png(image), image.width, place, region.share)
