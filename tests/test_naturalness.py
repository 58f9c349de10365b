"""NIQE's distance: nothing is learned from opinions, and what is damaged is farther from pristine photos."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from metaiqa_core.errors import TrainingError
from metaiqa_core.training.naturalness import NaturalScenes, patch_features

NAMES = ("astronaut", "coffee", "chelsea", "rocket")


def photo(name):
    return np.ascontiguousarray(getattr(data, name)())


@pytest.fixture(scope="module")
def rows():
    found = np.stack([patch_features(photo(name)) for name in NAMES])
    found[:, :, -1] = np.where(np.isfinite(found[:, :, -1]), 1.0, np.nan)  # four photos are few: all patches count
    return found


@pytest.mark.parametrize("left_out", range(len(NAMES)))
def test_a_photo_that_is_damaged_more_is_farther_from_the_others(rows, left_out):
    natural = NaturalScenes.of(np.delete(rows, left_out, 0))
    pixels = photo(NAMES[left_out])
    noise = np.random.default_rng(0).normal(0, 1, pixels.shape)
    own = natural.distance(rows[left_out])
    noisy = [
        natural.distance(patch_features((pixels + sigma * noise).clip(0, 255).astype(np.uint8))) for sigma in (20, 60)
    ]
    blurred = natural.distance(patch_features(ndimage.gaussian_filter(pixels, (4, 4, 0))))
    assert own < noisy[0] < noisy[1]
    assert own < blurred


def test_the_distance_is_the_one_of_the_paper(rows):
    natural = NaturalScenes.of(rows)
    known = rows[0][np.isfinite(rows[0][:, 0])][:, :-1].astype(np.float64)
    apart = natural.mean - known.mean(0)
    pooled = (natural.covariance + np.cov(known.T)) / 2
    assert natural.distance(rows[0]) == pytest.approx(np.sqrt(apart @ np.linalg.inv(pooled) @ apart), rel=1e-3)


def test_of_a_pristine_photo_the_sharp_patches_count(rows):
    soft = rows.copy()
    assert len(NaturalScenes.of(soft).mean) == 36
    soft[:, 1:, -1] *= 0.1
    with pytest.raises(TrainingError, match="more than 36 sharp patches of 96 pixels, and these photos have 4"):
        NaturalScenes.of(soft)


def test_patches_lie_side_by_side_and_a_large_photo_keeps_64():
    assert np.isfinite(patch_features(photo("astronaut"))[:, 0]).sum() == 25
    large = np.random.default_rng(0).integers(0, 256, (96 * 9, 96 * 9, 3), dtype=np.uint8)
    assert np.isfinite(patch_features(large)[:, 0]).sum() == 64


def test_a_photo_without_contrast_has_a_finite_distance_and_a_small_one_is_refused(rows):
    flat = np.full((200, 300, 3), 128, np.uint8)
    assert np.isfinite(NaturalScenes.of(rows).distance(patch_features(flat)))
    with pytest.raises(ValueError, match="at least 96 pixels a side"):
        patch_features(np.zeros((95, 300, 3), np.uint8))
