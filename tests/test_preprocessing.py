"""From photo to model input, and the tiles."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metaiqa_core.errors import CheckpointError
from metaiqa_core.images import Photo
from metaiqa_core.preprocessing import Box, Preprocessing, tiles

SIDES = st.integers(16, 30_000)


def test_sizes_worked_out_by_hand():
    assert Preprocessing().model_size(4000, 3000) == (667, 500)
    assert Preprocessing().model_size(3000, 4000) == (500, 667)
    assert Preprocessing().model_size(500, 400) == (500, 400)
    assert Preprocessing(enlarge=True).model_size(500, 400) == (625, 500)
    assert Preprocessing(short_side=None).model_size(4000, 3000) == (4000, 3000)
    assert Preprocessing(short_side=None).model_size(100, 16) == (400, 64)


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, st.none() | st.integers(64, 2000), st.booleans())
def test_the_model_size_keeps_the_aspect_and_its_promises(width, height, short_side, enlarge):
    preprocessing = Preprocessing(short_side=short_side, enlarge=enlarge)
    model_width, model_height = preprocessing.model_size(width, height)
    short = min(model_width, model_height)
    assert short >= 64
    if short_side is not None:
        assert short <= short_side
        assert short == short_side or not enlarge
    if not enlarge:
        assert short <= max(min(width, height), 64)
    scale = short / min(width, height)
    assert abs(model_width - width * scale) <= 0.5
    assert abs(model_height - height * scale) <= 0.5
    assert preprocessing.model_size(height, width) == (model_height, model_width)


def test_the_input_is_a_float_batch_of_one_in_the_unit_range():
    pixels = np.random.default_rng(0).integers(0, 256, (80, 100, 3), np.uint8)
    model_input = Preprocessing()(pixels)
    assert (model_input.shape, model_input.dtype) == ((1, 3, 80, 100), torch.float32)
    np.testing.assert_allclose(model_input[0].permute(1, 2, 0), pixels / 255, rtol=0, atol=1e-7)
    assert model_input.is_contiguous()


def test_shrinking_is_antialiased_and_keeps_the_mean():
    checks = np.indices((1000, 1200)).sum(0) % 2 * np.uint8(255)  # aliasing would leave black and white
    model_input = Preprocessing(short_side=100)(np.dstack([checks] * 3).astype(np.uint8))
    assert model_input.shape == (1, 3, 100, 120)
    assert (model_input - 0.5).abs().max() < 0.01
    ramp = np.tile(np.linspace(0, 255, 1200), (1000, 1))
    row = Preprocessing(short_side=100)(np.dstack([ramp] * 3).astype(np.uint8))[0, 0, 50]
    centres = (torch.arange(120) + 0.5) / 120  # a ramp stays a ramp, with pixel centres aligned
    assert (row - centres)[2:-2].abs().max() < 2 / 255


def test_a_photo_decoded_reduced_gets_the_size_of_the_full_photo():
    pixels = np.full((751, 1001, 3), 90, np.uint8)
    photo = Photo(pixels, (4001, 3003), "JPEG", (), (0, 0, 1000.25, 750.75))
    assert Preprocessing()(photo).shape == (1, 3, 500, 666)
    assert torch.equal(Preprocessing()(photo), torch.full((1, 3, 500, 666), 90.0).div(255))


def test_equal_photos_give_equal_bits_and_keep_their_pixels():
    pixels = np.random.default_rng(1).integers(0, 256, (700, 900, 3), np.uint8)
    photo = Photo(pixels.copy(), (900, 700), "PNG")
    assert torch.equal(Preprocessing()(photo), Preprocessing()(pixels))
    Preprocessing(short_side=None)(photo).zero_()
    np.testing.assert_array_equal(photo.pixels, pixels)


def test_wrong_pixels_and_wrong_fields_are_refused():
    with pytest.raises(ValueError, match=r"expected uint8 pixels \(height, width, 3\), got float64 \(64, 64, 3\)"):
        Preprocessing()(np.zeros((64, 64, 3)))
    with pytest.raises(ValueError, match="short_side must be a positive integer, got 0"):
        Preprocessing(short_side=0)
    with pytest.raises(ValueError, match=r"short_side \(32\) must not be below minimum_side \(64\)"):
        Preprocessing(short_side=32)


def test_a_card_brings_the_preprocessing_back():
    for preprocessing in (Preprocessing(), Preprocessing(short_side=None, enlarge=True, minimum_side=32)):
        assert Preprocessing.from_dict(preprocessing.to_dict()) == preprocessing


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop": 224}, r"the preprocessing has unknown fields \(crop\): the model needs a newer version"),
        ({"short_side": "500"}, "the preprocessing cannot be used: short_side must be a positive integer, got '500'"),
        ({"enlarge": 1}, "the preprocessing cannot be used: enlarge must be true or false, got 1"),
        ({"minimum_side": True}, "minimum_side must be a positive integer, got True"),
    ],
)
def test_a_foreign_or_damaged_card_is_refused(change, message):
    with pytest.raises(CheckpointError, match=message):
        Preprocessing.from_dict(Preprocessing().to_dict() | change)


def test_an_incomplete_card_is_refused():
    with pytest.raises(CheckpointError, match="the preprocessing lacks enlarge, minimum_side"):
        Preprocessing.from_dict({"short_side": 500})
    with pytest.raises(CheckpointError, match="must be a table of fields, got list"):
        Preprocessing.from_dict([1])  # type: ignore[arg-type]


def test_tiles_worked_out_by_hand():
    assert tiles(100, 80, 80) == [Box(0, 0, 80, 80), Box(20, 0, 80, 80)]
    assert tiles(60, 200, 100) == [Box(0, 0, 60, 100), Box(0, 100, 60, 100)]
    with pytest.raises(ValueError, match="width, height and tile must be positive, got 10, 10 and 0"):
        tiles(10, 10, 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(7, 150))
def test_tiles_cover_every_pixel_with_as_few_full_boxes_as_possible(width, height, tile):
    boxes = tiles(width, height, tile)
    covered = np.zeros((height, width), int)
    for box in boxes:
        part = covered[box.top : box.top + box.height, box.left : box.left + box.width]
        assert part.shape == (box.height, box.width) == (min(tile, height), min(tile, width))
        part += 1
    assert covered.min() == 1 or len(boxes) > 1
    assert covered.min() >= 1
    assert len(boxes) == -(-width // tile) * -(-height // tile)
    assert len(set(boxes)) == len(boxes)
