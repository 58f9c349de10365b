"""A map lies where the photo's pixels lie, whatever the preprocessing did to the size."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from metaiqa_core.explain.alignment import to_photo_pixels
from metaiqa_core.images import Photo, decode
from metaiqa_core.preprocessing import Preprocessing

sides = st.integers(16, 300)


def photo_with(width, height, extent=None):
    return Photo(np.zeros((height, width, 3), dtype=np.uint8), (width, height), "array", (), extent)


@settings(max_examples=60, deadline=None)
@given(width=sides, height=sides, columns=sides, rows=sides)
def test_a_map_of_its_own_coordinates_comes_back_as_the_photos(width, height, columns, rows):
    across = np.tile((np.arange(columns) + 0.5) / columns * width, (rows, 1)).astype(np.float32)
    down = np.tile((np.arange(rows) + 0.5)[:, None] / rows * height, (1, columns)).astype(np.float32)
    photo = photo_with(width, height)
    error_across = np.abs(to_photo_pixels(across, photo) - (np.arange(width) + 0.5))
    error_down = np.abs(to_photo_pixels(down, photo) - (np.arange(height) + 0.5)[:, None])
    model_pixel = max(width / columns, 1), max(height / rows, 1)
    assert error_across.max() <= 0.51 * model_pixel[0] + 0.51
    assert error_down.max() <= 0.51 * model_pixel[1] + 0.51
    if columns > 8 and width > 8:  # away from the edges, where nothing is known beyond the outermost centre
        margin = int(np.ceil(1.5 * max(width / columns, 1)))
        assert error_across[:, margin:-margin].max(initial=0) < 0.01 * max(width, 1)


@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(st.integers(200, 700), st.integers(200, 700)),
    place=st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 0.9)),
    short_side=st.integers(64, 190),
)
def test_a_bright_square_is_found_where_it_is_within_one_model_pixel(size, place, short_side):
    width, height = size
    side = max(8, min(size) // 12)
    left, top = (round(share * (length - side)) for share, length in zip(place, size, strict=True))
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[top : top + side, left : left + side] = 255
    photo = decode(pixels)
    seen = Preprocessing(short_side=short_side)(photo)[0].mean(0).numpy()
    back = to_photo_pixels(seen, photo)
    weight = np.where(back > 0.2, back, 0)
    across, down = weight.sum(0) / weight.sum(), weight.sum(1) / weight.sum()
    model_pixel = width / seen.shape[1]
    assert abs(across @ (np.arange(width) + 0.5) - (left + side / 2)) <= 0.5 * model_pixel
    assert abs(down @ (np.arange(height) + 0.5) - (top + side / 2)) <= 0.5 * model_pixel


def test_a_jpeg_that_was_decoded_reduced_keeps_its_place_to_the_last_pixel():
    # 1001 pixels at 1/4 fill 250.25 of 251: without the extent the right edge would be off by three quarters of one.
    pixels = np.zeros((803, 1001, 3), dtype=np.uint8)
    pixels[:, 900:920] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    photo = decode(file.getvalue(), minimum_short_side=80)
    assert photo.extent is not None
    seen = Preprocessing(short_side=80)(photo)[0].mean(0).numpy()
    row = np.maximum(to_photo_pixels(seen, photo).mean(0) - 0.02, 0)
    centre = row @ (np.arange(len(row)) + 0.5) / row.sum() / photo.extent[2] * 1001
    assert abs(centre - 910) < 0.5 * 1001 / seen.shape[1]


def test_a_map_at_the_photos_own_size_is_returned_as_it_is():
    values = np.random.default_rng(0).normal(size=(40, 50)).astype(np.float32)
    back = to_photo_pixels(values, photo_with(50, 40))
    np.testing.assert_array_equal(back, values)
    assert back is not values


def test_a_map_finer_than_the_photo_is_averaged():
    values = np.zeros((80, 80), dtype=np.float32)
    values[::2] = 1  # stripes that point sampling would turn into all or nothing
    assert to_photo_pixels(values, photo_with(20, 20))[5:15] == pytest.approx(0.5, abs=0.05)
