"""Before and after under one slider: drag, tap, or use the arrow keys."""

from pathlib import Path

import streamlit as st

from metaiqa_core.assessment import Assessment
from pages.lab.bench import Bench
from pages.lab.controls import Choice
from pages.shared.encoding import data_uri
from pages.shared.failures import explain
from pages.shared.front_end import component
from pages.shared.photo_library import SessionPhoto
from pages.shared.plain import plain


def show(bench: Bench, choice: Choice, photo: SessionPhoto, assessment: Assessment | None) -> None:
    """Show the photo, undistorted on the left of the slider and distorted on its right.

    Args:
        bench: Bench with the copy that is distorted.
        choice: Distortion and level.
        photo: Photo of the bench.
        assessment: Assessment of the whole photo, as other pages show it; None where there is none.
    """
    entry, level = choice.distortion, choice.level
    try:
        before, after = bench.picture(entry, 0), bench.picture(entry, level)
    except Exception as error:
        st.error(plain(explain(error)))
        return
    score = bench.score(entry, level)
    height, width = bench.pixels.shape[:2]
    swipe = component("lab_swipe", "lab/swipe")
    swipe(
        key="lab_swipe",
        data={
            "before": data_uri(before, "png"),
            "after": data_uri(after, "png"),
            "left": f"Undistorted: {bench.undistorted:.0f}",
            "right": f"Level {level}" if score is None else f"Level {level}: {score:.0f}",
            "aspect": width / height,
        },
    )
    name = plain(Path(photo.name).name)
    if assessment is None or (assessment.width, assessment.height) == (width, height):
        st.caption(f"{name}, {width} × {height} pixels")
        return
    st.caption(
        f"{name} scores **{assessment.score:.1f}** as a whole, as on the other pages. Shown and distorted is a copy of "
        f"{width} × {height} pixels, which scores {bench.undistorted:.1f}.",
        help="The levels of the distortions are made for photos of about 512 × 384 pixels, the size of those that "
        "people rated. A smaller copy is another picture to the model, so its score differs a little.",
    )
