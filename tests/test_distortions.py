"""The contract that all 49 distortion types share: kinds of image, seeds, levels, sizes and refusals."""

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import numpy as np
import pytest
import skimage.data
import torch
from PIL import ImageFile

from metaiqa_core.distortions import CATALOGUE, LEVELS, SMALLEST_SIDE, distort, find_distortion
from metaiqa_core.errors import DistortionError

ALL_TYPES = [pytest.param(entry, id=entry.key) for entry in CATALOGUE]
RANDOM_TYPES = {
    "kadid10k": ("MB", "CS", "WN", "WNCC", "IN", "MN", "Denoise", "Jitter", "NEP", "CB"),
    "tid2013": (
        *("AGN", "ANC", "SCN", "MN", "HFN", "IN", "DEN", "JGTE", "J2TE"),
        *("NEPN", "Block", "MGN", "CN", "LCNI", "CHA", "SSR"),
    ),
}


@pytest.fixture(scope="module")
def photo():
    """Eyes, hair, fabric and a flag: 80 x 96 pixels of the astronaut at half size."""
    return np.ascontiguousarray(skimage.data.astronaut()[20:180:2, 130:322:2])


def mean_squared_error(a, b):
    return float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))


@pytest.mark.parametrize("entry", ALL_TYPES)
def test_the_strongest_level_changes_the_photo_but_not_its_shape_nor_the_argument(entry, photo):
    before = photo.copy()
    result = distort(photo, entry, 5)
    assert result.shape == photo.shape
    assert result.dtype == np.uint8
    assert mean_squared_error(result, photo) > 1
    np.testing.assert_array_equal(photo, before)


@pytest.mark.parametrize("entry", ALL_TYPES)
def test_the_same_seed_gives_the_same_bits_and_only_random_types_depend_on_it(entry, photo):
    first = distort(photo, entry, 4, seed=7)
    np.testing.assert_array_equal(distort(photo, entry, 4, seed=7), first)
    differs = bool((distort(photo, entry, 4, seed=8) != first).any())
    assert differs == (entry.abbreviation in RANDOM_TYPES[entry.database])


@pytest.mark.parametrize("entry", ALL_TYPES)
def test_floats_in_a_batch_give_the_same_as_8_bit_photos_one_by_one(entry, photo):
    photos = [photo, photo[::-1].copy()]
    batch = torch.from_numpy(np.stack(photos) / np.float32(255)).permute(0, 3, 1, 2)
    together = distort(batch, entry, 3, seed=11)
    assert together.shape == batch.shape
    for index, single in enumerate(photos):
        alone = distort(single, entry, 3, seed=11 + index).astype(np.float64)
        difference = np.abs(together[index].permute(1, 2, 0).numpy() * 255 - alone)
        # Rounding to 8 bits, and single values that rounding in another order pushes over a threshold.
        assert np.quantile(difference, 0.999) <= 0.51


@pytest.mark.parametrize("entry", ALL_TYPES)
@pytest.mark.parametrize("size", [(32, 32), (33, 47)])
def test_small_and_odd_sizes_stay_finite_and_within_the_range(entry, size, photo):
    image = photo[: size[0], : size[1]] / np.float64(255)
    result = distort(image, entry, 5, seed=1)
    assert result.shape == (*size, 3)
    assert result.dtype == np.float64
    assert result.min() >= 0
    assert result.max() <= 1


@pytest.mark.parametrize("entry", ALL_TYPES)
@pytest.mark.parametrize("value", [0, 127, 255])
def test_a_flat_photo_is_no_obstacle(entry, value):
    flat = np.full((40, 36, 3), value, dtype=np.uint8)
    assert distort(flat, entry, 2).shape == flat.shape


@pytest.mark.parametrize("entry", [case for case in ALL_TYPES if case.values[0].monotone])
def test_every_level_of_a_monotone_type_damages_at_least_as_much_as_the_one_before(entry, photo):
    errors = [mean_squared_error(distort(photo, entry, level, seed=2), photo) for level in LEVELS]
    assert errors[-1] > errors[0]
    assert all(later >= 0.97 * earlier for earlier, later in zip(errors, errors[1:], strict=False)), errors


def test_the_levels_of_one_seed_share_their_noise_field():
    grey = np.full((48, 48, 3), 0.5, dtype=np.float32)
    weak, strong = (distort(grey, "kadid10k:WN", level, seed=3) - 0.5 for level in (1, 2))
    np.testing.assert_allclose(strong, weak * np.sqrt(0.002 / 0.001), atol=1e-6)


def test_a_sequence_of_seeds_gives_each_image_of_a_batch_its_own():
    batch = torch.full((3, 3, 32, 40), 0.5)
    noisy = distort(batch, "tid2013:AGN", 3, seed=[5, 9, 5])
    assert torch.equal(noisy[0], noisy[2])
    assert not torch.equal(noisy[0], noisy[1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_float_array_keeps_its_precision(dtype, photo):
    assert distort((photo / 255).astype(dtype), "kadid10k:GB", 3).dtype == dtype


def test_a_tensor_keeps_its_precision_and_carries_no_gradient(photo):
    batch = torch.rand(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    result = distort(batch, "kadid10k:LB", 2)
    assert result.dtype == torch.float64
    assert not result.requires_grad


def test_a_view_with_negative_strides_is_read_as_it_looks(photo):
    flipped = photo[:, ::-1]
    np.testing.assert_array_equal(distort(flipped, "kadid10k:JPEG", 4), distort(flipped.copy(), "kadid10k:JPEG", 4))


def test_global_random_states_are_left_alone(photo):
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    for name in ("kadid10k:WN", "kadid10k:NEP", "tid2013:JGTE", "tid2013:SSR"):
        distort(photo, name, 3)
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)


def test_threads_do_not_disturb_each_other_nor_pillows_global_settings(photo):
    names = ["tid2013:JGTE", "tid2013:J2TE", "kadid10k:JP2K", "kadid10k:Denoise"] * 2
    expected = [distort(photo, name, 5, seed=index) for index, name in enumerate(names)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda job: distort(photo, job[1], 5, seed=job[0]), enumerate(names)))
    for result, single in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, single)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_stretching_gives_kadid_photos_their_full_range_and_leaves_tid_photos_alone(photo):
    dull = (photo // 4 + 80).astype(np.uint8)
    stretched = distort(dull, "kadid10k:GB", 1, stretch=True)
    assert (stretched.min(), stretched.max()) == (0, 255)
    own_range = distort(dull, "kadid10k:GB", 1)
    assert (own_range.min(), own_range.max()) == (dull.min(), dull.max())
    for stretch in (False, True):
        np.testing.assert_array_equal(distort(dull, "tid2013:QN", 2, stretch=stretch), distort(dull, "tid2013:QN", 2))


def test_stretching_turns_a_mean_shift_into_lost_highlights_over_unchanged_black():
    ramp = np.linspace(0, 1, 64)[None, :, None].repeat(32, 0).repeat(3, 2)
    expected = np.clip(ramp / 0.85, None, 1)  # (min(x + 0.15, 1) - 0.15) / 0.85
    np.testing.assert_allclose(distort(ramp, "kadid10k:MS", 1, stretch=True), expected, atol=1e-6)


@pytest.mark.parametrize("level", [0, 6, -1, 1.0, True, "3", None])
def test_a_level_outside_1_to_5_is_refused(level, photo):
    with pytest.raises(DistortionError, match=r"^Expected a level from 1 to 5, got .*\.$"):
        distort(photo, "kadid10k:GB", level)


def test_a_photo_smaller_than_a_block_is_refused():
    with pytest.raises(DistortionError, match="^Expected a photo of at least 32x32 pixels, got 90x31; choose a larger"):
        distort(np.zeros((SMALLEST_SIDE - 1, 90, 3), dtype=np.uint8), "kadid10k:GB", 1)


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros((40, 40), np.uint8), ValueError, r"^Expected an RGB array of shape \(H, W, 3\), got \(40, 40\)\.$"),
        (np.zeros((40, 40, 4), np.uint8), ValueError, r"shape \(H, W, 3\), got \(40, 40, 4\)\.$"),
        (
            np.zeros((40, 40, 3), np.int32),
            TypeError,
            r"^Expected an array of uint8 or floats in \[0, 1\], got int32\.$",
        ),
        (np.full((40, 40, 3), 200.0), ValueError, r"got 200 to 200; scale 8-bit values by 1/255\.$"),
        (np.full((40, 40, 3), np.nan), ValueError, r"^Expected values in \[0, 1\], got nan to nan"),
        (torch.zeros(3, 40, 40), ValueError, r"^Expected an RGB batch of shape \(B, 3, H, W\), got \(3, 40, 40\)\.$"),
        (torch.zeros(0, 3, 40, 40), ValueError, r"got \(0, 3, 40, 40\)\.$"),
        (torch.zeros(1, 3, 40, 40, dtype=torch.uint8), TypeError, r"got torch\.uint8\.$"),
        ([[0.0]], TypeError, r"^Expected a NumPy array or a torch tensor, got list\.$"),
    ],
)
def test_what_is_not_an_image_is_refused(image, error, message):
    with pytest.raises(error, match=message):
        distort(image, "kadid10k:GB", 1)


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ([1, 2, 3], r"^Expected one seed or 2 seeds for 2 images, got 3\.$"),
        (-1, r"^Expected seeds of at least 0, got -1\.$"),
        ([4, -2], r"^Expected seeds of at least 0, got -2\.$"),
    ],
)
def test_seeds_that_do_not_fit_are_refused(seed, message):
    with pytest.raises(ValueError, match=message):
        distort(torch.zeros(2, 3, 32, 32), "kadid10k:WN", 1, seed=seed)


def test_numpy_integers_serve_as_seed_and_level(photo):
    expected = distort(photo, "kadid10k:WN", 2, seed=6)
    np.testing.assert_array_equal(distort(photo, "kadid10k:WN", np.int64(2), seed=np.int64(6)), expected)


def test_the_recipes_run_on_the_device_of_the_batch():
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    batch = torch.rand(2, 3, 48, 64)
    for entry in CATALOGUE:
        on_gpu = distort(batch.cuda(), entry, 3)
        assert on_gpu.is_cuda
        assert float((on_gpu.cpu() - distort(batch, entry, 3)).abs().mean()) < 2e-3, entry.key


def test_the_package_exports_what_it_promises():
    package = import_module("metaiqa_core.distortions")
    assert all(hasattr(package, name) for name in package.__all__)
    assert package.find_distortion is find_distortion
