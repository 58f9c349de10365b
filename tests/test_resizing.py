"""Two halves on two threads make one resize, wherever the photo lies in the picture."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from metaiqa_core.images import resizing
from metaiqa_core.images.resizing import resize

NOISE = np.random.default_rng(0).integers(0, 256, (900, 700, 3), np.uint8)


@settings(max_examples=100, deadline=None)
@given(
    size=st.tuples(st.integers(40, 600), st.integers(2, 600)),
    source=st.tuples(st.integers(60, 700), st.integers(60, 900)),
    cut=st.tuples(*[st.floats(0, 7)] * 4),
)
def test_halves_are_the_whole_but_for_the_last_bit(size, source, cut):
    pixels = NOISE[: source[1], : source[0]]
    box = (cut[0], cut[1], source[0] - cut[2], source[1] - cut[3])
    whole = resize(pixels, size, box)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resizing, "_WORTH_A_THREAD", 0)
        difference = np.abs(resize(pixels, size, box).astype(int) - whole)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


@settings(max_examples=50, deadline=None)
@given(
    size=st.tuples(st.integers(40, 600), st.integers(2, 600)),
    cut=st.tuples(*[st.floats(0, 7)] * 4),
    in_halves=st.booleans(),
)
def test_an_image_gives_the_bits_of_its_pixels(size, cut, in_halves):
    box = (cut[0], cut[1], 700 - cut[2], 900 - cut[3])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resizing, "_WORTH_A_THREAD", 0 if in_halves else 2**30)
        np.testing.assert_array_equal(resize(Image.fromarray(NOISE), size, box), resize(NOISE, size, box))


@pytest.mark.parametrize("size", [(400, 512), (350, 450), (691, 512), (200, 1), (7, 2)])
@pytest.mark.parametrize("source", [(700, 900), (500, 400)])
def test_a_picture_is_filtered_row_by_row_and_then_column_by_column(size, source):
    pixels = NOISE[: source[1], : source[0]]
    narrow = Image.fromarray(pixels).resize((size[0], source[1]), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(
        resize(pixels, size, (0, 0, *source)), np.asarray(narrow.resize(size, Image.Resampling.BICUBIC))
    )


def test_a_failure_of_either_half_reaches_the_caller(monkeypatch):
    original = Image.Image.resize

    def failing(self, size, *arguments, **options):
        if threading.current_thread() is not threading.main_thread():
            raise MemoryError
        return original(self, size, *arguments, **options)

    monkeypatch.setattr(Image.Image, "resize", failing)
    with pytest.raises(MemoryError):
        resize(NOISE, (100, 80), (0, 0, 700, 900))
