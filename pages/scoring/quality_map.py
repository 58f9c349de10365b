"""The zoomed-in reading: computed tile by tile with progress and cancel, and drawn over the photo."""

import itertools
from functools import partial

import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from metaiqa_core.assess import TILE, Assessor
from metaiqa_core.assessment import QualityMap
from metaiqa_core.images import decode
from metaiqa_core.preprocessing import Box, tiles
from pages.shared import long_work
from pages.shared.encoding import jpeg
from pages.shared.palette import DARK, LIGHT, rgb_of
from pages.shared.photo_library import PhotoFile, PhotoLibrary, SessionPhoto
from pages.shared.photo_limits import photo_limits
from pages.shared.session_scores import SessionScores, model_key
from pages.shared.turns import turn

CROP_SIDE = 300
"""Longest side of the worst place as it is shown, pixels: what a phone shows without shrinking it."""
_OVERLAY = 0.55
_SMALLEST_LABELLED_CELL = 60


def read_zoomed_in(
    photo: SessionPhoto, session_scores: SessionScores, assessor: Assessor, size: tuple[int, int]
) -> None:
    """Offer to compute the quality map, or go on computing it; the page is drawn again when it is there.

    Args:
        photo: Photo to read.
        session_scores: Scores of the session, where the map is kept.
        assessor: Model that scores.
        size: Upright width and height of the photo, pixels.
    """
    key = (photo.key, model_key(assessor))
    long_work.offer(
        "quality_map",
        key,
        f"Judge it zoomed in ({len(tiles(*size, TILE))} tiles)",
        lambda: assessor.map_quality(session_scores.photos.content(photo)),
        partial(session_scores.keep_quality_map, photo, assessor),
    )


def worst_matters(quality: QualityMap, half_width: float) -> bool:
    """Return whether the worst tile is worse than the photo by more than a single score is uncertain.

    Args:
        quality: Quality map of the photo.
        half_width: Half the width of the model's interval, points.
    """
    return quality.score - min(quality.scores) > half_width


def worst_place(photo: SessionPhoto, photos: PhotoLibrary, quality: QualityMap) -> bytes:
    """Return the middle of the tile with the lowest score as a JPEG, pixel for pixel; the last one is kept.

    Raises:
        PhotoError: If the photo cannot be read.
    """
    number = min(range(len(quality.scores)), key=quality.scores.__getitem__)
    return _cut_out(photo.key, number, photo, photos, middle_of(quality.boxes[number]))


def middle_of(box: Box) -> Box:
    """Return the middle of a tile, at most `CROP_SIDE` pixels wide and high.

    >>> middle_of(Box(500, 50, 500, 200))
    Box(left=600, top=50, width=300, height=200)
    """
    width, height = min(box.width, CROP_SIDE), min(box.height, CROP_SIDE)
    return Box(box.left + (box.width - width) // 2, box.top + (box.height - height) // 2, width, height)


@st.cache_resource(scope="session", max_entries=2, show_spinner=False)
def _cut_out(key: str, number: int, _photo: SessionPhoto, _photos: PhotoLibrary, _box: Box) -> bytes:
    with turn():
        pixels = decode(PhotoFile(_photo.name, _photos.content(_photo)), limits=photo_limits()).pixels
        tile = pixels[_box.top : _box.top + _box.height, _box.left : _box.left + _box.width]
        return jpeg(Image.fromarray(tile), 90)


def draw(image: Image.Image, quality: QualityMap, size: tuple[int, int]) -> Image.Image:
    """Tint a photo by the score of each tile.

    Args:
        image: Reduced copy of the photo.
        quality: Quality map of the photo.
        size: Width and height of the photo itself, pixels, in which the tiles are given.

    Returns:
        An image of the same size: the photo in grey, so that every hue is the scale's. Tiles overlap a little; each
        cell reaches to the middle of the overlaps.
    """
    columns = _edges([box.left for box in quality.boxes], [box.width for box in quality.boxes], size[0], image.width)
    rows = _edges([box.top for box in quality.boxes], [box.height for box in quality.boxes], size[1], image.height)
    grey = image.convert("L").convert("RGB")
    tint = grey.copy()
    pen = ImageDraw.Draw(tint)
    cells = [(left, top, right, bottom) for top, bottom in rows for left, right in columns]
    for cell, score in zip(cells, quality.scores, strict=True):
        pen.rectangle(cell, fill=rgb_of(score))
    blended = Image.blend(grey, tint, _OVERLAY)
    pen = ImageDraw.Draw(blended)
    smallest = min(min(right - left, bottom - top) for left, top, right, bottom in cells)
    if smallest >= _SMALLEST_LABELLED_CELL:
        font = ImageFont.load_default(min(smallest // 4, 64))
        for (left, top, right, bottom), score in zip(cells, quality.scores, strict=True):
            pen.text(
                ((left + right) / 2, (top + bottom) / 2), f"{score:.0f}", LIGHT, font, "mm",
                stroke_width=3, stroke_fill=DARK,
            )  # fmt: skip
    return blended


def _edges(starts: list[int], lengths: list[int], extent: int, drawn: int) -> list[tuple[int, int]]:
    """Return the cells along one side, in drawn pixels."""
    spans = sorted({(start, start + length) for start, length in zip(starts, lengths, strict=True)})
    inner = [(end + start) / 2 for (_, end), (start, _) in itertools.pairwise(spans)]
    edges = [round(edge * drawn / extent) for edge in (0, *inner, extent)]
    return list(itertools.pairwise(edges))
