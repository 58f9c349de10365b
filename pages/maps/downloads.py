"""A map as files: the overlay and the map alone as pictures, the numbers as an array; each made when asked for."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np
import streamlit as st

from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.map_files import save_map
from metaiqa_core.images import Photo
from pages.maps.chosen_photo import MapPhoto
from pages.maps.view import DEFAULT_OPACITY


def offer(photo: MapPhoto, result: GradientMap) -> None:
    """Offer a map for download, at the size of the photo itself.

    Args:
        photo: Photo of the map.
        result: Map to offer.
    """
    stem = f"{PurePath(photo.name).stem} {result.method}"
    with st.popover("Download the map", icon=":material/download:"):
        st.caption("Files at the photo's own size; each names the model, the method and the settings inside.")
        for label, file, kind, make in (
            ("Map over the photo (PNG)", f"{stem} overlay.png", "image/png", _overlay),
            ("Map alone (PNG)", f"{stem} map.png", "image/png", _alone),
            ("Values of the map (NPZ)", f"{stem}.npz", "application/octet-stream", _numbers),
        ):
            st.download_button(
                label,
                _made(make, photo, result),
                file,
                kind,
                key=f"download {label}",
                on_click="ignore",
                width="stretch",
            )


def _made(
    make: Callable[[GradientMap, Photo, Path], None], photo: MapPhoto, result: GradientMap
) -> Callable[[], bytes]:
    return lambda: content(make, photo, result)


def content(make: Callable[[GradientMap, Photo, Path], None], photo: MapPhoto, result: GradientMap) -> bytes:
    """Return a file that `make` writes of a map at the photo's own size.

    Raises:
        PhotoError: If the photo cannot be read.
        ExplanationError: If the disk refuses.
    """
    whole = photo.decoded()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / ("map.npz" if make is _numbers else "map.png")
        make(result, whole, file)
        return file.read_bytes()


def _overlay(result: GradientMap, photo: Photo, file: Path) -> None:
    opacity = st.session_state.get("maps_opacity", DEFAULT_OPACITY) / 100
    save_map(result, file, photo, opacity=opacity)


def _alone(result: GradientMap, photo: Photo, file: Path) -> None:
    """Paint the map on white, so that nothing of the photo is in it."""
    save_map(result, file, replace(photo, picture=np.full_like(photo.pixels, 255)), opacity=1.0)


def _numbers(result: GradientMap, photo: Photo, file: Path) -> None:
    save_map(result, file, photo)
