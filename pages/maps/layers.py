"""Data of a map for the browser: the layers that it blends, the regions that it frames, and a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.explain.overlay import Mode, overlay
from metaiqa_core.explain.regions import Region, regions_that_matter
from pages.maps.photo_maps import PhotoMaps
from pages.shared.encoding import jpeg


@dataclass(frozen=True, eq=False)
class PreparedMap:
    """Data that a browser needs to show a map at any opacity.

    Attributes:
        layers: JPEGs of the photo, its grey version, and the map over it at full strength.
        size: Width and height of each, pixels.
        regions: Regions that hurt enough to be framed, in pixels of the layers.
        description: Sentence on what the map shows.
    """

    layers: tuple[bytes, ...]
    size: tuple[int, int]
    regions: tuple[Region, ...]
    description: str


def prepare(maps: PhotoMaps, result: GradientMap, mode: Mode, side: int) -> PreparedMap:
    """Return the data of a map for the browser.

    Args:
        maps: Maps of the photo.
        result: Map to prepare.
        mode: Colouring of the map.
        side: Longest side of the layers, pixels.
    """
    return _prepare((*maps.key, result.method), mode, side, maps, result)


@st.cache_resource(scope="session", max_entries=8, show_spinner=False)
def _prepare(key: tuple[str, ...], mode: Mode, side: int, _maps: PhotoMaps, _result: GradientMap) -> PreparedMap:
    values = _maps.on_screen(_result)
    layers = layers_of(_maps.photo.shown().pixels, values, mode, side)
    regions = regions_of(values, _result.method)
    scale = layers[0].width / values.shape[1]
    return PreparedMap(
        layers=tuple(jpeg(layer, 88) for layer in layers),
        size=layers[0].size,
        regions=tuple(scaled(region, scale) for region in regions),
        description=alternative_text(_maps.photo.name, _result.method, regions, values.shape),
    )


def layers_of(
    pixels: np.ndarray, values: np.ndarray, mode: Mode, side: int
) -> tuple[Image.Image, Image.Image, Image.Image]:
    """Return a photo, its grey version and the map over it at full strength, at most `side` pixels long.

    Blending the last two gives what `overlay` gives at any opacity above 0.
    """
    photo = Image.fromarray(pixels)
    # Painted at the full size of the copy, where the strongest values are.
    strongest = Image.fromarray(overlay(pixels, values, opacity=1.0, mode=mode))
    photo.thumbnail((side, side))
    return photo, photo.convert("L"), strongest.resize(photo.size, Image.Resampling.BOX)


def regions_of(values: np.ndarray, method: str) -> tuple[Region, ...]:
    """Return the regions, three at most, that hurt much (for methods without a meaningful sign: matter much)."""
    return regions_that_matter(values, signed=METHODS[method].signed)


def scaled(region: Region, scale: float) -> Region:
    """Return a region of a photo in the pixels of the photo resized by `scale`."""
    edges = (region.top, region.left, region.bottom, region.right)
    return Region(*(round(scale * edge) for edge in edges), share=region.share)


def alternative_text(name: str, method: str, regions: Sequence[Region], shape: tuple[int, int]) -> str:
    """Return a description of a map for screen readers."""
    verb = "hurts" if METHODS[method].signed else "matters"
    if not regions:
        return f"{METHODS[method].title} map of {name}: no single place {verb} much."
    return f"{METHODS[method].title} map of {name}: what {verb} lies most {place_of(regions[0], shape)}."


def place_of(region: Region, shape: tuple[int, int]) -> str:
    """Return the position of a region in a photo of a height and width, in words.

    >>> place_of(Region(0, 0, 10, 10), (90, 90)), place_of(Region(40, 40, 50, 50), (90, 90))
    ('at the top left', 'in the centre')
    """
    height, width = shape
    down = ("top", "", "bottom")[min(int(1.5 * (region.top + region.bottom) / height), 2)]
    across = ("left", "", "right")[min(int(1.5 * (region.left + region.right) / width), 2)]
    where = " ".join(part for part in (down, across) if part)
    return f"at the {where}" if where else "in the centre"
