"""Small pictures of decoded photos: thumbnails for tables, previews for the screen."""

import io

import numpy as np
import streamlit as st
from PIL import Image

from metaiqa_core.images import Photo, decode
from pages.shared.encoding import jpeg
from pages.shared.photo_library import PhotoLibrary, SessionPhoto
from pages.shared.photo_limits import photo_limits
from pages.shared.turns import turn

THUMBNAIL_SIDE = 256
_THUMBNAIL_BYTES = 16_000


def preview(photo: SessionPhoto, photos: PhotoLibrary, side: int) -> bytes:
    """Return a photo for the screen as JPEG, at most `side` pixels long; the last few are kept in the session.

    Raises:
        PhotoError: If the photo cannot be read.
    """
    return _preview(photo.key, side, photo, photos)


@st.cache_resource(scope="session", max_entries=8, show_spinner=False)
def _preview(key: str, side: int, _photo: SessionPhoto, _photos: PhotoLibrary) -> bytes:
    # A JPEG is decoded reduced to twice this short side or more; that is plenty for the long side asked for.
    with turn():
        photo = decode(_photos.content(_photo), limits=photo_limits(), minimum_short_side=side // 2)
        return jpeg(fitted(photo, side), 88)


def opened(content: bytes) -> Image.Image:
    """Return a preview as an image."""
    return Image.open(io.BytesIO(content)).convert("RGB")


def fitted(photo: Photo, side: int) -> Image.Image:
    """Return a photo shrunk to fit a square of `side` pixels; small ones stay as they are."""
    image = Image.fromarray(np.asarray(photo.pixels))
    # The extent is what a reduced JPEG decode really filled; without it the picture would be stretched by a hair.
    width, height = photo.full_size
    scale = min(1.0, side / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size[0] > image.width:
        size = image.size
    return image.resize(size, Image.Resampling.LANCZOS, box=photo.extent, reducing_gap=3.0)


def thumbnail(image: Image.Image) -> bytes:
    """Return an image as a JPEG of at most 16 kB."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    content = jpeg(small, 80)
    for quality in (60, 40, 20, 5):
        if len(content) <= _THUMBNAIL_BYTES:
            break
        content = jpeg(small, quality)
    return content
