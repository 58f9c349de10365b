"""The photo under its maps: opacity, colours and zoom, without computing anything again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.explain.overlay import Mode, legend, overlay
from metaiqa_core.explain.regions import Region, hurt_energy, worst_regions
from pages.maps import charts
from pages.maps.chosen_photo import DISPLAY_SIDE, MapPhoto
from pages.shared import previews

_SIDE_COMPARED = 800
"""Longest side of each picture where several stand side by side, pixels."""
_KEPT = 8
_SIGNED, _MAGNITUDE = "Hurts or helps", "Strength"
_MOST_HEIGHT = "62vh"
"""Of all pictures together, as a share of the window's height."""
_LEAST_HARM = 0.01
"""Share of a map's energy below which what hurts is not worth a frame."""
DEFAULT_OPACITY = 70
"""Of the map, in %."""


@dataclass(frozen=True, eq=False)
class _Prepared:
    """What a browser needs to show a map at any opacity.

    Attributes:
        layers: JPEGs of the photo, its grey version, and the map over it at full strength.
        size: Width and height of each, pixels.
        regions: Those that hurt most, in pixels of the layers.
        description: What the map shows, in words.
    """

    layers: tuple[bytes, ...]
    size: tuple[int, int]
    regions: tuple[Region, ...]
    description: str


def show(photo: MapPhoto, results: Sequence[GradientMap]) -> None:
    """Show a photo under 1 to 4 maps, whose values are at the size of its display copy, or alone without any."""
    if results:
        _view(photo, tuple(results))
        return
    with st.container(key="hero_photo"):
        content = previews.jpeg(Image.fromarray(photo.shown().pixels), 88)
        st.image(content, width="stretch", alt=f"{photo.name}, without a map")


@st.fragment
def _view(photo: MapPhoto, results: tuple[GradientMap, ...]) -> None:
    picture, legends = st.container(), st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        opacity = st.slider(
            "Opacity of the map", 0, 100, DEFAULT_OPACITY, 5, format="%d %%", key="maps_opacity", width=260,
            help="At 0 % the photo is shown in its own colours.",
        )  # fmt: skip
        signed = _choose_reading(results)
        framed = st.toggle("Frame the worst regions", value=True, key="maps_framed")
    modes = [mode_of(result, signed) for result in results]
    side = _SIDE_COMPARED if len(results) > 1 else DISPLAY_SIDE
    prepared = [_prepare(photo, result, mode, side) for result, mode in zip(results, modes, strict=True)]
    shown = [
        charts.Panel(METHODS[result.method].title, each.layers, each.size, each.regions)
        for result, each in zip(results, prepared, strict=True)
    ]
    with picture:
        _style(opacity / 100, framed, shown)
        with st.container(key="maps_picture", height="stretch"):
            st.plotly_chart(
                charts.panels(shown),
                key="maps_chart",
                height="stretch",
                config={
                    "scrollZoom": True,
                    "displaylogo": False,
                    "modeBarButtons": [["zoomIn2d", "zoomOut2d", "resetScale2d"]],
                },
                alt=" ".join(each.description for each in prepared),
            )
        st.caption("Scroll or pinch to zoom, drag to move, double-click to see all.")
    with legends:
        for mode in dict.fromkeys(modes):
            _legend(mode)


def _style(opacity: float, framed: bool, shown: Sequence[charts.Panel]) -> None:
    """Blend the layers and show the frames by style alone: a changed chart would be a new one, and lose its zoom.

    A browser blends as `overlay` does, linearly in the opacity. The chart fills a box of the photos' shape, on a phone
    as on a wide screen.
    """
    width, height = shown[0].size
    rows, columns = charts.grid_of(len(shown))
    picture = ".st-key-maps_picture"
    rules = [
        f"{picture} {{ aspect-ratio: {columns * width} / {rows * height}; max-height: {_MOST_HEIGHT}; "
        "height: auto !important; }",
        f"{picture} .imagelayer image:nth-of-type(3n+2) {{ opacity: {float(opacity > 0)} !important; }}",
        f"{picture} .imagelayer image:nth-of-type(3n) {{ opacity: {opacity} !important; }}",
    ]
    if not framed:
        titles = charts.titles_of(shown)
        spared = "".join(f':not([data-index="{number}"])' for number in range(len(titles)))
        rules.append(f"{picture} .shapelayer, {picture} .annotation{spared} {{ display: none; }}")
    st.html(f"<style>{' '.join(rules)}</style>")


def _choose_reading(results: Sequence[GradientMap]) -> bool:
    """Return whether signs are shown; there is a choice only where a sign tells harm from help."""
    if not any(METHODS[result.method].signed for result in results):
        return False
    choice = st.segmented_control(
        "Colours", [_SIGNED, _MAGNITUDE], default=_SIGNED, required=True, key="maps_colours",
        help="Strength shows how much a part matters, whichever way. Methods whose sign means something else (a pixel "
        "grown brighter) always show it.",
    )  # fmt: skip
    return choice == _SIGNED


def mode_of(result: GradientMap, signed: bool) -> Mode:
    """Return how a map is coloured."""
    return "signed" if signed and METHODS[result.method].signed else "magnitude"


def regions_of(result: GradientMap) -> tuple[Region, ...]:
    """Return the three regions that hurt most (for methods without a meaningful sign: matter most)."""
    signed = METHODS[result.method].signed
    harm, influence = (float(hurt_energy(result.values, signed=kind).sum()) for kind in (signed, False))
    return worst_regions(result.values, count=3, signed=signed) if harm > _LEAST_HARM * influence else ()


def _prepare(photo: MapPhoto, result: GradientMap, mode: Mode, side: int) -> _Prepared:
    """Return what the browser blends; the session keeps it for the maps on the screen."""
    kept: dict[tuple[int, str, int], tuple[GradientMap, _Prepared]] = st.session_state.setdefault("map_layers", {})
    key = (id(result), mode, side)
    known = kept.pop(key, None)
    if known is None or known[0] is not result:
        layers = layers_of(photo.shown().pixels, result.values, mode, side)
        regions = regions_of(result)
        scale = layers[0].width / result.photo_size[0]
        known = (
            result,
            _Prepared(
                layers=tuple(previews.jpeg(layer, 88) for layer in layers),
                size=layers[0].size,
                regions=tuple(scaled(region, scale) for region in regions),
                description=alternative_text(photo.name, result, regions),
            ),
        )
    kept[key] = known  # the most recent one stands last
    while len(kept) > _KEPT:
        del kept[next(iter(kept))]
    return known[1]


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


def scaled(region: Region, scale: float) -> Region:
    """Return a region of a photo in the pixels of the photo resized by `scale`."""
    edges = (region.top, region.left, region.bottom, region.right)
    return Region(*(round(scale * edge) for edge in edges), share=region.share)


def _legend(mode: Mode) -> None:
    colours = ", ".join("rgb({}, {}, {})".format(*colour) for colour in np.asarray(legend(mode, 9)))
    low, high = ("hurts the score", "helps it") if mode == "signed" else ("matters little", "matters most")
    st.html(
        f"""<div style="display: flex; gap: 0.6rem; align-items: center; font-size: 0.875rem">
        <span style="white-space: nowrap">{low}</span><span role="img" aria-label="colour scale from {low} to {high}"
        style="flex: 0 1 16rem; height: 0.7rem; border-radius: 0.35rem;
        background: linear-gradient(90deg, {colours})"></span><span style="white-space: nowrap">{high}</span></div>"""
    )


def alternative_text(name: str, result: GradientMap, regions: Sequence[Region]) -> str:
    """Say what a map shows, for those who cannot see it."""
    method = METHODS[result.method]
    verb = "hurts" if method.signed else "matters"
    if not regions:
        return f"{method.title} map of {name}: nothing {verb}."
    return f"{method.title} map of {name}: what {verb} lies most {place_of(regions[0], result.photo_size)}."


def place_of(region: Region, size: tuple[int, int]) -> str:
    """Return where a region lies, in words.

    >>> place_of(Region(0, 0, 10, 10), (90, 90)), place_of(Region(40, 40, 50, 50), (90, 90))
    ('at the top left', 'in the centre')
    """
    width, height = size
    down = ("top", "", "bottom")[min(int(1.5 * (region.top + region.bottom) / height), 2)]
    across = ("left", "", "right")[min(int(1.5 * (region.left + region.right) / width), 2)]
    where = " ".join(part for part in (down, across) if part)
    return f"at the {where}" if where else "in the centre"
