"""The photo under its maps: opacity, colours and zoom, without computing anything again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import streamlit as st
from PIL import Image

from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.explain.overlay import Mode, legend
from pages.maps import charts
from pages.maps.chosen_photo import DISPLAY_SIDE
from pages.maps.layers import prepare
from pages.maps.photo_maps import PhotoMaps
from pages.shared.encoding import jpeg
from pages.shared.front_end import source
from pages.shared.palette import LIGHT

_SIDE_COMPARED = 800
"""Longest side of each picture where several stand side by side, pixels."""
_SIGNED, _MAGNITUDE = "Hurts or helps", "Strength"
DARK_GREY, BRIGHT_GREY = 40, 215
"""Greys that stand for dark and bright parts of a photo in the legend, levels of 255."""
DEFAULT_OPACITY = 70
"""Opacity of the map, in %."""


def show(maps: PhotoMaps, results: Sequence[GradientMap]) -> None:
    """Show a photo under 1 to 4 of its maps, or alone without any."""
    if results:
        _view(maps, tuple(results))
        return
    with st.container(key="hero_photo"):
        _photo(maps)


@contextmanager
def alone(maps: PhotoMaps, remark: str) -> Iterator[None]:
    """Show the photo where its map will be, with a remark under it, for as long as the body takes."""
    place = st.empty()
    with place.container():
        picture, _ = st.columns([7, 5], gap="large")
        with picture, st.container(key="waiting_photo"):
            _photo(maps)
            st.caption(remark)
    try:
        yield
    finally:
        place.empty()


def _photo(maps: PhotoMaps) -> None:
    content = jpeg(Image.fromarray(maps.photo.shown().pixels), 88)
    st.image(content, width="stretch", alt=f"{maps.photo.name}, without a map")


@st.fragment
def _view(maps: PhotoMaps, results: tuple[GradientMap, ...]) -> None:
    picture, legends = st.container(), st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        opacity = st.slider(
            "Opacity of the map", 0, 100, DEFAULT_OPACITY, 5, format="%d %%", key="maps_opacity", width=260,
            help="At 0 % the photo is shown in its own colours.",
        )  # fmt: skip
        signed = _choose_reading(results)
        framed = st.toggle("Frame what matters most", value=True, key="maps_framed")
    modes = [mode_of(result, signed) for result in results]
    side = _SIDE_COMPARED if len(results) > 1 else DISPLAY_SIDE
    prepared = [prepare(maps, result, mode, side) for result, mode in zip(results, modes, strict=True)]
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
            _legend(mode, opacity / 100)


def _style(opacity: float, framed: bool, shown: Sequence[charts.Panel]) -> None:
    """Blend the layers and show the frames by style alone: a changed chart would be a new one, and lose its zoom.

    A browser blends as `overlay` does, linearly in the opacity. The chart fills a box of the photos' shape, on a phone
    as on a wide screen.
    """
    width, height = shown[0].size
    rows, columns = charts.grid_of(len(shown))
    picture = ".st-key-maps_picture"
    values = {
        "shape": f"{columns * width} / {rows * height}",
        "grey-opacity": float(opacity > 0),
        "map-opacity": opacity,
        "frames": "inline" if framed else "none",
        "on-label": LIGHT,
    }
    rules = [f"{picture} {{ {' '.join(f'--{name}: {value};' for name, value in values.items())} }}"]
    # The titles are the chart's first annotations; they stay when the frames go.
    rules += [
        f'{picture} .annotation[data-index="{number}"] {{ --frames: inline; --on-label: currentColor; }}'
        for number in range(len(charts.titles_of(shown)))
    ]
    st.html(f"<style>{source('maps/view.css')} {' '.join(rules)}</style>")


def _choose_reading(results: Sequence[GradientMap]) -> bool:
    """Return whether signs are shown; there is a choice only where a sign tells harm from help."""
    if not any(METHODS[result.method].signed for result in results):
        return False
    choice = st.segmented_control(
        "Colours", [_SIGNED, _MAGNITUDE], default=_SIGNED, required=True, key="maps_colours",
        help="Strength shows how much a part matters, whether it hurts or helps. Some methods cannot tell the two "
        "apart; they always show strength.",
    )  # fmt: skip
    return choice == _SIGNED


def mode_of(result: GradientMap, signed: bool) -> Mode:
    """Return the colour scale of a map."""
    return "signed" if signed and METHODS[result.method].signed else "magnitude"


def _legend(mode: Mode, opacity: float) -> None:
    """Show the colours as the photo shows them: over dark parts in the upper row, over bright ones in the lower."""
    low, high = ("hurts the score", "helps it") if mode == "signed" else ("matters little", "matters most")
    rows = "".join(
        f'<span style="background: {_scale(mode, opacity, grey)}"></span>' for grey in (DARK_GREY, BRIGHT_GREY)
    )
    st.html(
        f"""<div class="map-legend"><span>{low}</span><span class="colours" role="img"
        aria-label="colour scale from {low} to {high}, over dark parts of the photo and over bright ones">{rows}</span>
        <span>{high}</span></div>"""
    )


def _scale(mode: Mode, opacity: float, grey: int) -> str:
    """Return a CSS gradient: the colours of `overlay`, at an opacity, over an even grey."""
    steps = 17
    values = np.linspace(-1 if mode == "signed" else 0, 1, steps)
    covers = opacity * np.abs(values)[:, None]
    colours = covers * legend(mode, steps) + (1 - covers) * grey  # (steps, 3)
    return f"linear-gradient(90deg, {', '.join('rgb({:.0f}, {:.0f}, {:.0f})'.format(*colour) for colour in colours)})"
