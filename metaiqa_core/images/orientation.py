"""Turning a stored picture upright, as its EXIF data ask."""

from PIL import Image

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Operation that makes a stored picture upright.

Source: Exif 2.3 (CIPA DC-008-2012), section 4.6.4, tag 274, Orientation."""


def upright_extent(
    filled: tuple[float, float], size: tuple[int, int], orientation: int
) -> tuple[float, float, float, float] | None:
    """Return the part of the upright image that is filled, given the size filled from the stored top left."""
    width, height = filled[::-1] if orientation in (5, 6, 7, 8) else filled
    if (width, height) == size:
        return None
    left = size[0] - width if orientation in (2, 3, 6, 7) else 0.0
    top = size[1] - height if orientation in (3, 4, 7, 8) else 0.0
    return left, top, left + width, top + height
