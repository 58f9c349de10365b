"""Spatial damage, by what can be counted: displacements, patches, blocks, levels and lost pixels."""

import math

import numpy as np
import pytest
import skimage.data
import torch
from scipy import ndimage

from metaiqa_core.distortions import distort
from metaiqa_core.distortions.block_dct import from_blocks, to_blocks
from metaiqa_core.distortions.reconstruction import reconstruct


@pytest.fixture(scope="module")
def photo():
    return skimage.data.rocket()[100:228, 200:392] / 255


def ramp(height, width):
    """An image whose red is the column and whose green is the row, as shares of the size."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x / (width - 1), y / (height - 1), np.zeros_like(x, float)], axis=2)


@pytest.mark.parametrize(("level", "deviation"), enumerate((0.05, 0.1, 0.2, 0.5, 1), start=1))
def test_jitter_displaces_by_the_sum_of_five_gaussian_steps(level, deviation):
    side = 129
    moved = (distort(ramp(side, side), "kadid10k:Jitter", level) - ramp(side, side))[16:-16, 16:-16, :2] * (side - 1)
    # A bilinear reading of a displacement field averages neighbours, so the total is at most sqrt(5) steps.
    assert 0.6 * math.sqrt(5) * deviation < moved.std() < 1.03 * math.sqrt(5) * deviation
    assert abs(np.corrcoef(moved[..., 0].ravel(), moved[..., 1].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize(("level", "patches"), enumerate((20, 40, 60, 80, 100), start=1))
def test_patches_come_from_at_most_eight_pixels_away_and_cover_no_more_than_their_number(level, patches):
    height, width = 300, 400
    image = ramp(height, width)
    moved = (distort(image, "kadid10k:NEP", level, seed=6) - image)[..., :2] * (width - 1, height - 1)
    changed = np.abs(moved).max(2) > 0.5
    assert 0.4 * patches * 256 < changed.sum() <= patches * 256
    np.testing.assert_allclose(moved, moved.round(), atol=0.01)
    # A patch can copy a patch that has moved already, but most displacements are first-hand.
    assert np.quantile(np.abs(moved[changed]), 0.9) <= 8


@pytest.mark.parametrize(("level", "amount"), enumerate((0.01, 0.05, 0.1, 0.2, 0.5), start=1))
def test_pixelating_keeps_the_pixels_of_the_shrunken_photo_only(level, amount):
    image = ramp(90, 120)
    result = distort(image, "kadid10k:Pixelate", level)
    factor = 0.95 - amount**0.6
    assert len(np.unique(result[0, :, 0])) == math.ceil(120 * factor)
    assert len(np.unique(result[:, 0, 1])) == math.ceil(90 * factor)
    assert set(np.unique(result[..., 0])) <= set(np.unique(image[..., 0].astype(np.float32)))


@pytest.mark.parametrize(("level", "levels"), enumerate((20, 16, 13, 10, 7), start=1))
def test_quantisation_leaves_its_number_of_equal_steps_over_the_range_of_the_photo(level, levels):
    image = 0.2 + 0.5 * ramp(64, 256)[..., :1].repeat(3, 2)
    values = np.unique(distort(image, "kadid10k:Quantization", level))
    np.testing.assert_allclose(values, np.linspace(0.2, 0.7, levels), atol=1e-6)


@pytest.mark.parametrize(("level", "blocks"), enumerate((2, 4, 6, 8, 10), start=1))
def test_colour_blocks_are_flat_squares_of_32_pixels_in_their_number(level, blocks):
    image = ramp(400, 500)
    result = distort(image, "kadid10k:CB", level, seed=9)
    changed = np.abs(result - image).max(2) > 1e-5
    colours = np.unique(result[changed].round(5), axis=0)
    assert len(colours) == blocks
    for colour in colours:
        rows, columns = np.nonzero((np.abs(result - colour) < 1e-4).all(2))
        assert np.ptp(rows) <= 31
        assert np.ptp(columns) <= 31
    assert 32 * 32 * (blocks - 2) < changed.sum() <= 32 * 32 * blocks


@pytest.mark.parametrize(("level", "blocks"), enumerate((32, 16, 8, 4, 2), start=1))
def test_block_wise_distortion_shifts_its_number_of_blocks_and_keeps_the_psnr(level, blocks):
    image = np.full((384, 512, 3), 0.5)
    result = distort(image, "tid2013:Block", level, seed=1)
    changed = np.abs(result - image).max(2) > 1e-5
    cells = changed.reshape(12, 32, 16, 32).mean((1, 3))
    assert set(np.unique(cells)) == {0, 1}  # whole cells of 32 x 32
    assert cells.sum() == blocks
    assert -10 * math.log10(((result - image) ** 2).mean()) == pytest.approx(27, abs=0.3)


def test_fewer_blocks_are_shifted_more():
    image = np.full((96, 128, 3), 0.5)
    shifts = [np.abs(distort(image, "tid2013:Block", level) - image).max() for level in range(1, 6)]
    assert shifts == sorted(shifts)
    assert shifts[-1] > 3 * shifts[0]


def test_pattern_noise_copies_pixels_from_at_most_fifteen_away():
    image = ramp(120, 160)
    moved = (distort(image, "tid2013:NEPN", 1, seed=2) - image)[..., :2] * (159, 119)
    np.testing.assert_allclose(moved, moved.round(), atol=0.01)
    assert np.abs(moved).max() <= 15.01
    assert (np.abs(moved).max(2) > 0.5).mean() > 0.05


def test_the_block_transform_is_orthonormal_and_inverts(photo):
    images = torch.from_numpy(photo[:61, :83].copy()).permute(2, 0, 1)[None]
    coefficients = to_blocks(images)
    torch.testing.assert_close(from_blocks(coefficients, 61, 83), images)
    whole = to_blocks(images[..., :56, :80])
    assert float(whole.square().sum()) == pytest.approx(float(images[..., :56, :80].square().sum()))
    assert float(whole[0, 0, 0, 0, 0, 0]) == pytest.approx(8 * float(images[0, 0, :8, :8].mean()))


def test_reconstruction_keeps_the_known_pixels_and_beats_the_nearest_known_pixel(photo):
    kept = np.random.default_rng(0).random(photo.shape[:2]) < 0.3
    images = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
    result = reconstruct(images, torch.from_numpy(kept)[None, None].float())[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(result[kept], photo[kept], atol=1e-6)
    rows, columns = ndimage.distance_transform_edt(~kept, return_distances=False, return_indices=True)
    nearest = photo[rows, columns]
    assert ((result - photo) ** 2).mean() < 0.7 * ((nearest - photo) ** 2).mean()


def test_sparse_sampling_leaves_fewer_pixels_untouched_from_level_to_level(photo):
    kept = [(np.abs(distort(photo, "tid2013:SSR", level) - photo).max(2) < 1e-6).mean() for level in range(1, 6)]
    assert kept == sorted(kept, reverse=True)
    assert kept[-1] < 0.5 * kept[0]
