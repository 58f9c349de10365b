"""Blur, sharpness and brightness, against kernels, curves and shifts computed another way."""

import math

import numpy as np
import pytest
import skimage.data
from scipy import ndimage
from scipy.interpolate import CubicSpline
from skimage import color, filters

from metaiqa_core.distortions import distort, find_distortion
from metaiqa_core.distortions.blur import disk_kernel, line_kernel

IMPULSE = np.zeros((65, 65, 3))
IMPULSE[32, 32] = 1


@pytest.fixture(scope="module")
def photo():
    return skimage.data.coffee()[100:260:2, 150:360:2] / 255


@pytest.mark.parametrize(("level", "sigma"), enumerate((0.1, 0.5, 1, 2, 5), start=1))
def test_gaussian_blur_turns_an_impulse_into_scipys_gaussian(level, sigma):
    blurred = distort(IMPULSE, "kadid10k:GB", level)
    expected = ndimage.gaussian_filter(IMPULSE[..., 0], sigma, radius=math.ceil(2 * sigma))
    for channel in range(3):
        np.testing.assert_allclose(blurred[..., channel], expected, atol=1e-6)


def test_gaussian_blur_replicates_the_border(photo):
    expected = ndimage.gaussian_filter(photo, (2, 2, 0), mode="nearest", radius=(4, 4, 0))
    np.testing.assert_allclose(distort(photo, "kadid10k:GB", 4), expected, atol=1e-5)


@pytest.mark.parametrize(("level", "radius"), enumerate((1, 2, 4, 6, 8), start=1))
def test_lens_blur_turns_an_impulse_into_a_disk_with_an_anti_aliased_edge(level, radius):
    blurred = distort(IMPULSE, "kadid10k:LB", level)[..., 0]
    y, x = np.mgrid[-32:33, -32:33]
    inside = np.hypot(np.abs(x) + 0.5, np.abs(y) + 0.5) <= radius
    outside = np.hypot(np.maximum(np.abs(x) - 0.5, 0), np.maximum(np.abs(y) - 0.5, 0)) >= radius
    area = math.pi * radius**2
    np.testing.assert_allclose(blurred[inside], 1 / area, rtol=2e-3)
    assert np.abs(blurred[outside]).max() < 1e-6
    edge = blurred[~inside & ~outside] * area
    assert ((edge > 0) & (edge < 1.001)).all()


def test_the_disk_covers_each_pixel_as_counted_by_brute_force():
    radius, samples = 2.5, 400
    grid = (np.arange(7 * samples) + 0.5) / samples - 3.5
    covered = (np.hypot(*np.meshgrid(grid, grid)) <= radius).reshape(7, samples, 7, samples).mean((1, 3))
    kernel = disk_kernel(radius)
    np.testing.assert_allclose(kernel, (covered / covered.sum())[1:-1, 1:-1], atol=2e-5)


@pytest.mark.parametrize("angle", [0, 30, 45, 90, 135, 179])
def test_the_motion_kernel_is_a_line_of_its_angle_and_length(angle):
    length = 10
    kernel = line_kernel(length, angle)
    reach = len(kernel) // 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    covariance = np.array([[(kernel * a * b).sum() for a in (x, -y)] for b in (x, -y)])
    spread, directions = np.linalg.eigh(covariance)
    found = math.degrees(math.atan2(directions[1, 1], directions[0, 1])) % 180
    assert min(abs(found - angle), 180 - abs(found - angle)) < 2
    assert kernel.sum() == pytest.approx(1)
    assert math.sqrt(12 * spread[1]) == pytest.approx(
        length, rel=0.1
    )  # a uniform line's deviation is length / sqrt(12)
    assert spread[0] < 0.5
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-12)


def test_motion_blur_draws_its_direction_from_the_seed_and_keeps_it_over_the_levels():
    def direction(seed, level):
        response = distort(IMPULSE, "kadid10k:MB", level, seed=seed)[..., 0]
        y, x = np.mgrid[-32:33, -32:33]
        return 0.5 * math.atan2(2 * (response * x * -y).sum(), (response * (x**2 - y**2)).sum())

    angles = [direction(seed, 5) for seed in range(12)]
    assert np.std(angles) > 0.5
    assert direction(3, 4) == pytest.approx(angles[3], abs=0.1)
    np.testing.assert_allclose(distort(IMPULSE, "kadid10k:MB", 1, seed=3), IMPULSE, atol=1e-6)


@pytest.mark.parametrize("name", ["kadid10k:GB", "kadid10k:LB", "kadid10k:MB"])
def test_blur_leaves_a_flat_photo_flat(name):
    flat = np.full((40, 50, 3), 0.3)
    np.testing.assert_allclose(distort(flat, name, 5), flat, atol=1e-6)


def test_sharpening_is_an_unsharp_mask_of_the_lightness(photo):
    pale = 0.4 + 0.2 * photo  # stays within the RGB cube, so that nothing but the lightness changes
    lab = color.rgb2lab(pale)
    blurred = filters.gaussian(lab[..., 0], 3, truncate=2, mode="nearest")
    expected = lab[..., 0] + 2 * (lab[..., 0] - blurred)
    result = color.rgb2lab(distort(pale, "kadid10k:HS", 2))
    np.testing.assert_allclose(result[..., 0], expected, atol=0.05)
    np.testing.assert_allclose(result[..., 1:], lab[..., 1:], atol=0.1)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("kadid10k:Darken", lambda a: [(0, 0), (0.5, 0.5 - a / 2), (1, 1)]),
        ("kadid10k:CC", lambda a: [(0, 0), (0.3, 0.25 - a / 4), (0.5, 0.5), (0.7, 0.75 + a / 4), (1, 1)]),
    ],
)
@pytest.mark.parametrize("level", [1, 3, 5])
def test_tone_curves_pass_through_their_points(name, points, level):
    ramp = np.linspace(0, 1, 101)[None, :, None].repeat(40, 0).repeat(3, 2)
    knots = np.array(points(find_distortion(name).parameters[level - 1]))
    expected = np.clip(CubicSpline(knots[:, 0], knots[:, 1])(ramp), 0, 1)
    result = distort(ramp, name, level)
    np.testing.assert_allclose(result, expected, atol=1e-5)
    for position, value in knots:
        assert result[0, round(100 * position), 0] == pytest.approx(np.clip(value, 0, 1), abs=1e-5)


def test_brighten_mixes_one_third_of_a_lightness_curve_into_two_thirds_of_an_rgb_curve():
    grey = np.linspace(0.05, 0.95, 64)[None, :, None].repeat(40, 0).repeat(3, 2)
    amount = 0.4

    def parabola(x):  # through (0, 0), (0.5, 0.7) and (1, 1)
        return np.clip(x * (1 + 2 * amount * (1 - x)), 0, 1)

    lightness = color.rgb2lab(grey)[..., :1] / 100
    from_lab = color.lab2rgb(np.concatenate([100 * parabola(lightness), np.zeros((40, 64, 2))], axis=2))
    np.testing.assert_allclose(distort(grey, "kadid10k:Brighten", 3), (from_lab + 2 * parabola(grey)) / 3, atol=2e-4)


@pytest.mark.parametrize(("level", "shift"), enumerate((0.15, 0.08, 0, -0.08, -0.15), start=1))
def test_kadid_mean_shift_moves_the_mean_by_its_amount_where_nothing_clips(level, shift, photo):
    safe = 0.2 + 0.6 * photo
    result = distort(safe, "kadid10k:MS", level)
    np.testing.assert_allclose(result - safe, shift, atol=1e-6)


def test_tid_mean_shift_alternates_and_grows(photo):
    safe = 0.2 + 0.6 * photo
    shifts = [(distort(safe, "tid2013:MS", level) - safe) for level in range(1, 6)]
    assert max(np.ptp(shift) for shift in shifts) < 1e-5
    expected = [sign * 10 ** (-psnr / 20) for sign, psnr in zip((1, -1, 1, -1, 1), (33, 30, 27, 24, 21), strict=True)]
    np.testing.assert_allclose([shift.mean() for shift in shifts], expected, rtol=0.02)


def test_tid_contrast_falls_and_rises_in_turn_about_an_unchanged_mean(photo):
    safe = 0.3 + 0.4 * photo
    gains = []
    for level in range(1, 5):
        result = distort(safe, "tid2013:CTC", level)
        gains.append(result.std() / safe.std())
        assert result.mean() == pytest.approx(safe.mean(), abs=1e-3)
    assert gains[2] < gains[0] < 1 < gains[1] < gains[3]
