"""The filter on vectors gives Pillow's values to a rounding, wherever the photo lies in the picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from metaiqa_core.images import resizing
from metaiqa_core.images.resizing import resize

NOISE = np.random.default_rng(0).integers(0, 256, (900, 700, 3), np.uint8)
SIZES = st.tuples(st.integers(1, 600), st.integers(1, 600))
CUTS = st.tuples(*[st.floats(0, 7)] * 4)

needs_vectors = pytest.mark.skipif(resizing.vectors is None, reason="cykooz-resizer has no wheel for this machine")


def by_pillow(pixels, size, box):
    left, top, right, bottom = box
    rows = pixels.shape[0]
    narrow = Image.fromarray(pixels).resize((size[0], rows), Image.Resampling.BICUBIC, box=(left, 0, right, rows))
    return np.asarray(narrow.resize(size, Image.Resampling.BICUBIC, box=(0, top, size[0], bottom)))


@needs_vectors
@settings(max_examples=100, deadline=None)
@given(size=SIZES, source=st.tuples(st.integers(60, 700), st.integers(60, 900)), cut=CUTS)
def test_the_values_are_pillows_but_for_a_rounding(size, source, cut):
    pixels = NOISE[: source[1], : source[0]]
    box = (cut[0], cut[1], source[0] - cut[2], source[1] - cut[3])
    difference = np.abs(resize(pixels, size, box).astype(int) - by_pillow(pixels, size, box))
    assert difference.max() <= 2
    assert (difference > 0).mean() < 0.02 or (difference > 0).sum() <= 3


@needs_vectors
@pytest.mark.parametrize("size", [(400, 512), (350, 450), (691, 512), (200, 1), (1, 200)])
def test_a_processor_without_vectors_gives_the_same_bits(size, monkeypatch):
    box = (0.25, 1.5, 698.75, 900)
    on_vectors = resize(NOISE, size, box)

    class Plain(resizing.vectors.Resizer):
        def __init__(self):
            super().__init__()
            self.cpu_extensions = resizing.vectors.CpuExtensions.none

    monkeypatch.setattr(resizing.vectors, "Resizer", Plain)
    np.testing.assert_array_equal(resize(NOISE, size, box), on_vectors)


@pytest.mark.parametrize("size", [(400, 512), (350, 450), (691, 512), (200, 1), (7, 2)])
@pytest.mark.parametrize("source", [(700, 900), (500, 400)])
def test_pillow_does_it_where_the_other_is_not_installed(size, source, monkeypatch):
    monkeypatch.setattr(resizing, "vectors", None)
    pixels, box = NOISE[: source[1], : source[0]], (0, 0, *source)
    np.testing.assert_array_equal(resize(pixels, size, box), by_pillow(pixels, size, box))


@settings(max_examples=50, deadline=None)
@given(size=SIZES, cut=CUTS)
def test_an_image_gives_the_bits_of_its_pixels(size, cut):
    box = (cut[0], cut[1], 700 - cut[2], 900 - cut[3])
    image = Image.fromarray(NOISE)
    np.testing.assert_array_equal(resize(image, size, box), resize(NOISE, size, box))
    np.testing.assert_array_equal(np.asarray(image), NOISE)  # as it was


def test_the_same_size_is_the_same_picture():
    np.testing.assert_array_equal(resize(NOISE, (700, 900), (0, 0, 700, 900)), NOISE)


@needs_vectors
def test_a_picture_that_pillow_keeps_in_several_pieces_is_whole():
    pixels = np.tile(NOISE, (3, 4, 1))[:2600, :2600]
    assert pixels.shape[0] * pixels.shape[1] * 4 > 2**24  # the size of a piece
    box = (0, 0, 2599.5, 2600)
    difference = np.abs(resize(pixels, (500, 500), box).astype(int) - by_pillow(pixels, (500, 500), box))
    assert difference.max() <= 2
    assert (difference > 0).mean() < 0.02
