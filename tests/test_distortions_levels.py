"""Levels that are defined by PSNR: reached on photos, and the search behind them on functions with known answers."""

import math

import numpy as np
import pytest
import skimage.data
import torch

from metaiqa_core.distortions import TID2013, distort
from metaiqa_core.distortions.level_search import psnr, reach_psnr

PSNR_TYPES = [pytest.param(entry, id=entry.key) for entry in TID2013 if entry.level_rule == "psnr"]


@pytest.fixture(scope="module")
def photos():
    # JPEG2000 needs some pixels to spend its bytes on: headers are most of a tiny file.
    return {
        "astronaut": np.ascontiguousarray(skimage.data.astronaut()[:240, 140:380]),
        "coffee": np.ascontiguousarray(skimage.data.coffee()[:, 60:540][::2, ::2]),
    }


@pytest.mark.parametrize("entry", PSNR_TYPES)
@pytest.mark.parametrize(("name", "levels"), [("astronaut", (2, 3, 4)), ("coffee", (1, 5))])
def test_the_8_bit_photo_has_the_psnr_of_its_level_within_0_3_db(entry, name, levels, photos):
    photo = photos[name]
    for level in levels:
        error = (distort(photo, entry, level, seed=4) / 255.0 - photo / 255.0) ** 2
        assert -10 * math.log10(error.mean()) == pytest.approx(entry.parameters[level - 1], abs=0.3)


def test_psnr_is_ten_times_the_logarithm_of_the_inverse_mean_squared_error():
    reference = torch.zeros(3, 3, 8, 8)
    images = torch.stack([torch.full((3, 8, 8), value) for value in (0.1, 1.0, 0.0)])
    torch.testing.assert_close(psnr(images, reference), torch.tensor([20.0, 0.0, 120.0], dtype=torch.float64))


@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_the_search_finds_the_strength_whatever_the_slope(power):
    images = torch.zeros(4, 3, 16, 16)
    scale = torch.tensor([0.01, 0.1, 1.0, 3.0])[:, None, None, None]
    evaluations = []

    def degrade(strength):
        evaluations.append(strength)
        return (images + scale * strength[:, None, None, None] ** power).clamp(0, 1)

    result = reach_psnr(images, degrade, 27.0, 1e-4, 1e4)
    np.testing.assert_allclose(psnr(result, images), 27, atol=0.1)
    assert len(evaluations) <= 12


def test_the_search_gets_over_steps_to_the_nearest_result():
    images = torch.zeros(1, 3, 16, 16)
    steps = torch.tensor([0.01, 0.02, 0.05, 0.2])

    def degrade(strength):
        return images + steps[(strength.log10().floor().long() + 2).clamp(0, 3)]

    assert float(reach_psnr(images, degrade, 27.0, 1e-3, 1e3).max()) == pytest.approx(0.05)  # 26 dB; 0.02 has 34


def test_what_cannot_be_damaged_enough_gets_the_strongest_there_is():
    images = torch.zeros(1, 3, 16, 16)
    result = reach_psnr(images, lambda strength: images + strength / (100 * (1 + strength)), 21.0, 1e-3, 1e3)
    assert float(result.max()) == pytest.approx(0.01, rel=0.01)


def test_an_image_does_not_depend_on_its_neighbours_in_the_batch():
    images = torch.rand(2, 3, 36, 36, generator=torch.Generator().manual_seed(1))
    together = distort(images, "tid2013:IN", 5, seed=[3, 4])
    alone = distort(images[1:], "tid2013:IN", 5, seed=4)
    assert torch.equal(together[1:], alone)
