"""The place that drags a photo down, pixel for pixel; found by the zoomed-in reading, which is made when asked for."""

import streamlit as st
from PIL import Image

from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import Assessment, QualityMap
from metaiqa_core.images import decode
from metaiqa_core.preprocessing import Box
from pages.scoring import quality_map
from pages.shared.encoding import jpeg
from pages.shared.failures import explain
from pages.shared.photo_library import PhotoFile, PhotoLibrary, SessionPhoto
from pages.shared.photo_limits import photo_limits
from pages.shared.plain import plain
from pages.shared.session_scores import SessionScores
from pages.shared.turns import turn

CROP_SIDE = 300
"""Longest side of the worst place as it is shown, pixels: what a phone shows without shrinking it."""


def show(photo: SessionPhoto, assessment: Assessment, session_scores: SessionScores, assessor: Assessor) -> None:
    """Show the worst place, or a button that looks for it, or a sentence where no place is clearly worse.

    A model that was not calibrated cannot tell what is clearly worse, so there is nothing of it.

    Args:
        photo: Photo, for which zooming in tells more.
        assessment: Assessment of the photo as a whole.
        session_scores: Scores of the session, with the quality map where there is one.
        assessor: Model that scores.
    """
    if assessor.card.calibration is None:
        return
    size, quality = (assessment.width, assessment.height), session_scores.quality_map(photo, assessor)
    if quality is None:
        quality_map.read_zoomed_in(
            photo,
            session_scores,
            assessor,
            size,
            "Show the worst place",
            "Judges the photo zoomed in, tile by tile, and shows the tile that scores lowest.",
        )
        return
    lowest = min(quality.scores)
    if not worst_matters(quality, assessor.card.calibration.half_width):
        st.caption(
            f"No place is clearly worse than the rest: the lowest of {len(quality.scores)} tiles scores {lowest:.0f}, "
            f"all of them {quality.score:.0f} on average."
        )
        return
    try:
        picture, where = worst_place(photo, session_scores.photos, quality, size)
    except Exception as error:
        st.error(plain(explain(error)))
        return
    caption = f"The worst place, pixel for pixel: {where}, scores {lowest:.0f}"
    st.image(picture, caption=caption, alt=f"The worst place of the photo: {where}")


def worst_matters(quality: QualityMap, half_width: float) -> bool:
    """Return whether the worst tile is worse than the photo by more than a single score is uncertain.

    Args:
        quality: Quality map of the photo.
        half_width: Half the width of the model's interval, points.
    """
    return quality.score - min(quality.scores) > half_width


def worst_place(
    photo: SessionPhoto, photos: PhotoLibrary, quality: QualityMap, size: tuple[int, int]
) -> tuple[bytes, str]:
    """Return the middle of the tile with the lowest score as a JPEG, pixel for pixel, and where it lies.

    Args:
        photo: Photo.
        photos: Library of the photo, which keeps its file.
        quality: Quality map of the photo.
        size: Upright width and height of the photo, pixels.

    Raises:
        PhotoError: If the photo cannot be read.
    """
    number = min(range(len(quality.scores)), key=quality.scores.__getitem__)
    box = middle_of(quality.boxes[number])
    return _cut_out(photo.key, number, photo, photos, box), position_in_words(box, size)


def middle_of(box: Box) -> Box:
    """Return the middle of a tile, at most `CROP_SIDE` pixels wide and high.

    >>> middle_of(Box(500, 50, 500, 200))
    Box(left=600, top=50, width=300, height=200)
    """
    width, height = min(box.width, CROP_SIDE), min(box.height, CROP_SIDE)
    return Box(box.left + (box.width - width) // 2, box.top + (box.height - height) // 2, width, height)


def position_in_words(box: Box, size: tuple[int, int]) -> str:
    """Return in which ninth of a photo the middle of a box lies.

    >>> position_in_words(Box(0, 0, 300, 300), (4000, 3000)), position_in_words(Box(1800, 1300, 300, 300), (4000, 3000))
    ('upper left', 'centre')
    >>> position_in_words(Box(1800, 2700, 300, 300), (4000, 3000))
    'bottom'

    Args:
        box: Box in the photo.
        size: Width and height of the photo, pixels.
    """
    across = 3 * (box.left + box.width / 2) // size[0]
    down = 3 * (box.top + box.height / 2) // size[1]
    if across == 1:
        return ("top", "centre", "bottom")[int(down)]
    side = "left" if across < 1 else "right"
    return f"{('upper ', '', 'lower ')[int(down)]}{side}"


@st.cache_resource(scope="session", max_entries=2, show_spinner=False)
def _cut_out(key: str, number: int, _photo: SessionPhoto, _photos: PhotoLibrary, _box: Box) -> bytes:
    with turn():
        pixels = decode(PhotoFile(_photo.name, _photos.content(_photo)), limits=photo_limits()).pixels
        tile = pixels[_box.top : _box.top + _box.height, _box.left : _box.left + _box.width]
        return jpeg(Image.fromarray(tile), 90)
