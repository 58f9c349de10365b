"""Noise, by its statistics: variance, colour correlation, spectrum, density, and where it may appear."""

import math

import numpy as np
import pytest
import skimage.data
from scipy import ndimage
from skimage import color

from metaiqa_core.distortions import distort

SIDE = 160
GREY = np.full((SIDE, SIDE, 3), 0.5)


def noise(name, level, seed=1, image=GREY):
    return distort(image, name, level, seed=seed) - image


def psnr(result, image):
    return -10 * math.log10(((result - image) ** 2).mean())


@pytest.mark.parametrize(("level", "variance"), enumerate((0.001, 0.002, 0.003, 0.005, 0.01), start=1))
def test_white_noise_has_its_variance_in_every_channel_and_no_correlation(level, variance):
    added = noise("kadid10k:WN", level)
    covariance = np.cov(added.reshape(-1, 3).T)
    np.testing.assert_allclose(covariance, variance * np.eye(3), atol=0.03 * variance)
    neighbours = (added[:, 1:] * added[:, :-1]).mean()
    assert abs(neighbours) < 0.03 * variance
    assert abs(added.mean()) < 0.02 * math.sqrt(variance)


@pytest.mark.parametrize(("level", "variance"), enumerate((0.0001, 0.0005, 0.001, 0.002, 0.003), start=1))
def test_colour_component_noise_is_white_in_ycbcr_and_so_correlated_in_rgb(level, variance):
    added = noise("kadid10k:WNCC", level)
    ycbcr = (color.rgb2ycbcr(GREY + added) - color.rgb2ycbcr(GREY)) / 255
    np.testing.assert_allclose(np.cov(ycbcr.reshape(-1, 3).T), variance * np.eye(3), atol=0.03 * variance)
    from_components = np.array(
        [color.ycbcr2rgb(128 + 25.5 * row) - color.ycbcr2rgb(np.full(3, 128.0)) for row in np.eye(3)]
    )
    mixing = from_components / 0.1  # rows: RGB per unit of Y, Cb, Cr
    expected = mixing.T @ mixing * variance
    np.testing.assert_allclose(np.cov(added.reshape(-1, 3).T), expected, atol=0.05 * expected.max())


@pytest.mark.parametrize(("level", "density"), enumerate((0.001, 0.005, 0.01, 0.02, 0.03), start=1))
def test_impulse_noise_sets_its_share_of_samples_to_black_or_white_half_and_half(level, density):
    result = distort(GREY, "kadid10k:IN", level, seed=3)
    assert set(np.unique(result)) <= {0, 0.5, 1}
    deviation = math.sqrt(density / result.size)
    assert (result != 0.5).mean() == pytest.approx(density, abs=4 * deviation)
    assert (result == 0).mean() == pytest.approx(density / 2, abs=4 * deviation)
    channels_hit = (result != 0.5).sum(2)
    assert (channels_hit == 1).sum() > 0.9 * (channels_hit > 0).sum()


@pytest.mark.parametrize(("level", "variance"), enumerate((0.001, 0.005, 0.01, 0.02), start=1))
def test_multiplicative_noise_grows_with_the_signal_and_spares_black(level, variance):
    for brightness in (0.0, 0.25, 0.5):
        added = noise("kadid10k:MN", level, image=np.full_like(GREY, brightness))
        assert added.std() == pytest.approx(brightness * math.sqrt(variance), rel=0.02, abs=1e-7)


def test_tid_multiplicative_noise_spares_black_too():
    image = GREY.copy()
    image[:, ::2] = 0
    added = noise("tid2013:MGN", 3, image=image)
    assert np.abs(added[:, ::2]).max() == 0
    assert added[:, 1::2].std() > 0.05


def test_additive_noise_of_tid_is_white():
    added = noise("tid2013:AGN", 3)
    covariance = np.cov(added.reshape(-1, 3).T)
    np.testing.assert_allclose(covariance, np.eye(3) * covariance.trace() / 3, atol=0.02 * covariance.trace())


def test_tid_colour_noise_is_three_times_as_strong_in_the_colour_components():
    added = noise("tid2013:ANC", 2)
    ycbcr = color.rgb2ycbcr(GREY + added) - color.rgb2ycbcr(GREY)
    deviations = ycbcr.reshape(-1, 3).std(0)
    np.testing.assert_allclose(deviations[1:] / deviations[0], 3, rtol=0.05)


def test_correlated_noise_has_the_autocorrelation_of_a_gaussian_filter():
    added = noise("tid2013:SCN", 2)
    for lag in (1, 2, 3):
        for moved in (added[lag:] * added[:-lag], added[:, lag:] * added[:, :-lag]):
            # White noise filtered by a Gaussian of sigma 1 has the correlation exp(-lag^2 / 4).
            assert moved.mean() / added.var() == pytest.approx(math.exp(-(lag**2) / 4), abs=0.05)


def test_high_frequency_noise_has_no_low_frequencies():
    added = noise("tid2013:HFN", 2)
    power = np.abs(np.fft.fft2(added, axes=(0, 1))) ** 2
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    assert power[radius <= 0.25].sum() < 1e-6 * power.sum()


def test_masked_noise_hides_in_texture():
    texture = np.random.default_rng(0).uniform(0.2, 0.8, (SIDE, SIDE // 2, 1)).repeat(3, 2)
    image = np.concatenate([texture, np.full_like(texture, 0.5)], axis=1)
    added = noise("tid2013:MN", 2, image=image)
    busy, flat = added[:, 16 : SIDE // 2 - 16], added[:, SIDE // 2 + 16 :]
    assert busy.std() > 8 * flat.std() > 0


def test_quantisation_noise_leaves_multiples_of_one_step():
    image = skimage.data.coffee()[:128:2, :128:2] / 255
    result = distort(image, "tid2013:QN", 4)
    levels = np.unique(result.round(6))
    inner = levels[(levels > 0) & (levels < 1)]
    multiples = np.arange(1, len(inner) + 1)
    step = (inner * multiples).sum() / (multiples**2).sum()  # least squares
    np.testing.assert_allclose(inner, step * multiples, atol=1 / 255)  # the levels are 8-bit values
    assert 3 <= len(levels) <= 8


def test_kadid_denoising_removes_most_of_the_noise_it_knows_and_smears_texture():
    photo = skimage.data.chelsea()[60:188, 120:248] / 255
    noisy_psnr = -10 * math.log10(0.03)
    result = distort(photo, "kadid10k:Denoise", 2)
    assert psnr(result, photo) > noisy_psnr + 6
    fine, fine_before = (np.abs(image - ndimage.gaussian_filter(image, (1, 1, 0))).mean() for image in (result, photo))
    assert fine < 0.8 * fine_before


def test_kadid_denoising_leaves_a_residue_where_the_noise_exceeds_what_the_denoiser_knows():
    residue = [ndimage.laplace(noise("kadid10k:Denoise", level)[..., 1]).std() for level in (3, 5)]
    assert residue[1] > 3 * residue[0]


def test_tid_denoising_ends_smooth_at_every_level():
    for level in (1, 5):
        added = noise("tid2013:DEN", level)
        assert np.abs(ndimage.laplace(added[..., 1])).mean() < 0.8 * np.abs(added[..., 1]).mean()
