"""Before and after under one slider: drag, tap, or use the arrow keys."""

from pathlib import Path

import streamlit as st

from pages.lab.bench import Bench
from pages.lab.controls import Choice
from pages.shared.encoding import data_uri
from pages.shared.failures import explain
from pages.shared.front_end import component
from pages.shared.photo_library import SessionPhoto
from pages.shared.plain import plain


def show(bench: Bench, choice: Choice, photo: SessionPhoto) -> None:
    """Show the photo, undistorted on the left of the slider and distorted on its right."""
    entry, level = choice.distortion, choice.level
    try:
        before, after = bench.picture(entry, 0), bench.picture(entry, level)
    except Exception as error:
        st.error(plain(explain(error)))
        return
    scores = bench.scores.get(entry.key, [])
    score = f": {scores[level - 1]:.0f}" if len(scores) >= level else ""
    height, width = bench.pixels.shape[:2]
    swipe = component("lab_swipe", "lab/swipe")
    swipe(
        key="lab_swipe",
        data={
            "before": data_uri(before, "png"),
            "after": data_uri(after, "png"),
            "left": f"Undistorted: {bench.undistorted:.0f}",
            "right": f"Level {level}{score}",
            "aspect": width / height,
        },
    )
    st.caption(f"{plain(Path(photo.name).name)} · {width} × {height} pixels here, about the databases' size")
