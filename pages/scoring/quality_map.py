"""The zoomed-in reading: computed tile by tile with progress and cancel, and drawn over the photo."""

import itertools
from functools import partial

from PIL import Image, ImageDraw, ImageFont

from metaiqa_core.assess import TILE, Assessor
from metaiqa_core.assessment import QualityMap
from metaiqa_core.preprocessing import tiles
from pages.shared import long_work
from pages.shared.palette import DARK, LIGHT, rgb_of
from pages.shared.photo_library import SessionPhoto
from pages.shared.session_scores import SessionScores, model_key

_OVERLAY = 0.55
_SMALLEST_LABELLED_CELL = 60


def read_zoomed_in(
    photo: SessionPhoto,
    session_scores: SessionScores,
    assessor: Assessor,
    size: tuple[int, int],
    label: str,
    explanation: str = "",
) -> None:
    """Offer to compute the quality map, or go on computing it; the page is drawn again when it is there.

    Args:
        photo: Photo to read.
        session_scores: Scores of the session, where the map is kept.
        assessor: Model that scores.
        size: Upright width and height of the photo, pixels.
        label: Text of the button, which the number of tiles follows.
        explanation: Text that the button shows on hover.
    """
    key = (photo.key, model_key(assessor))
    long_work.offer(
        "quality_map",
        key,
        f"{label} ({len(tiles(*size, TILE))} tiles)",
        lambda: assessor.map_quality(session_scores.photos.content(photo)),
        partial(session_scores.keep_quality_map, photo, assessor),
        explanation=explanation,
    )


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
