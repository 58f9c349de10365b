"""Overlays, worst regions and files: what people see and take away."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter

from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.map_files import metadata_of, save_map
from metaiqa_core.explain.overlay import legend, overlay
from metaiqa_core.explain.regions import Region, energy_ratio, harm_energy, regions_that_matter, worst_regions
from metaiqa_core.images import decode


def pixels_of(height=60, width=90):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def result_of(values, method="grad-cam"):
    height, width = values.shape
    return GradientMap(values, method, "tiny", {}, (width, height), (width, height), 0.5, 0.1, {"seed": 0}, None)


def test_an_overlay_without_opacity_is_the_photo():
    np.testing.assert_array_equal(overlay(pixels_of(), np.ones((60, 90)), opacity=0), pixels_of())


def test_an_overlay_leaves_the_photo_grey_where_the_map_says_nothing():
    values = np.zeros((60, 90))
    values[20:30, 20:30] = -1
    picture = overlay(pixels_of(), values, opacity=1, mode="signed")
    assert np.ptp(picture[40:].astype(int), axis=2).max() <= 1
    np.testing.assert_allclose(picture[25, 25], legend("signed")[0], atol=2)


def test_harm_and_help_get_the_two_ends_of_the_legend():
    values = np.zeros((60, 90))
    values[:30], values[30:] = -1, 1
    picture = overlay(pixels_of(), values, opacity=1, mode="signed")
    np.testing.assert_allclose(picture[0, 0], legend("signed")[0], atol=2)
    np.testing.assert_allclose(picture[-1, 0], legend("signed")[-1], atol=2)


def test_the_legend_of_magnitudes_grows_lighter_from_end_to_end_and_the_signed_one_towards_its_middle():
    def lightness(mode):
        return legend(mode) @ np.array([0.2126, 0.7152, 0.0722])

    assert np.all(np.diff(lightness("magnitude")) > -0.5)
    signed = lightness("signed")
    assert np.argmax(signed) in range(126, 130)
    assert np.all(np.diff(signed[:127]) > -0.5)


def test_a_constant_map_and_an_empty_one_are_drawn_without_a_warning(recwarn):
    for values in (np.zeros((60, 90)), np.full((60, 90), 3.0)):
        for mode in ("magnitude", "signed"):
            assert overlay(pixels_of(), values, mode=mode).shape == (60, 90, 3)
    assert not recwarn.list


def test_an_overlay_of_a_large_photo_is_quick():
    pixels, values = pixels_of(960, 1280), np.random.default_rng(1).normal(size=(960, 1280)).astype(np.float32)
    times = []
    for _ in range(3):
        start = time.process_time()
        overlay(pixels, values, mode="signed")
        times.append(time.process_time() - start)
    assert min(times) < 0.5  # 0.1 s on a machine with nothing else to do


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"opacity": 2}, r"opacity must be in \[0, 1\], got 2"),
        ({"mode": "rainbow"}, "mode must be magnitude or signed, got 'rainbow'"),
        ({"values": np.zeros((3, 3))}, r"the map is \(3, 3\), the photo \(60, 90\): they must have the same size"),
    ],
)
def test_an_impossible_overlay_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        overlay(**{"pixels_uint8": pixels_of(), "values": np.zeros((60, 90)), **options})


def test_the_worst_region_is_the_one_that_hurts():
    values = np.zeros((100, 150))
    values[40:60, 90:110] = -1
    values[5:25, 5:25] = 5  # helps: no harm
    worst = worst_regions(values)
    assert worst == (Region(40, 90, 60, 110, 1.0),)
    assert worst_regions(values, signed=False)[0].top == 5


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(16, 60), st.integers(16, 60), st.integers(1, 6), st.floats(0.05, 0.5))
def test_worst_regions_lie_inside_do_not_overlap_and_come_in_order(seed, height, width, count, side_share):
    values = np.random.default_rng(seed).normal(size=(height, width))
    regions = worst_regions(values, count=count, side_share=side_share)
    covered = np.zeros((height, width), dtype=int)
    for region in regions:
        assert region.top >= 0
        assert region.left >= 0
        covered[region.top : region.bottom, region.left : region.right] += 1
        energy = harm_energy(values, signed=True)
        inside = energy[region.top : region.bottom, region.left : region.right].sum() / energy.sum()
        assert region.share == pytest.approx(inside, abs=1e-6)
    assert covered.max() == 1
    assert covered.sum() == sum(region.area for region in regions)
    assert [region.share for region in regions] == sorted((region.share for region in regions), reverse=True)


@pytest.mark.parametrize("signed", [True, False])
def test_of_a_map_of_noise_nothing_matters(signed):
    noise = np.random.default_rng(3).normal(size=(256, 384))
    values = gaussian_filter(noise, 0.02 * 256)
    if not signed:
        values = np.sqrt(gaussian_filter(values**2, 0.02 * 256))
    assert worst_regions(values, signed=signed)
    assert regions_that_matter(values, signed=signed) == ()


def test_what_hurts_matters_by_its_share_of_all_that_hurts_and_helps():
    values = np.zeros((100, 150))
    values[40:60, 90:110] = -1
    assert regions_that_matter(values, signed=True) == (Region(40, 90, 60, 110, 1.0),)
    values[5:25, 5:25] = 1  # helps as much
    assert regions_that_matter(values, signed=True) == (Region(40, 90, 60, 110, 0.5),)
    values[5:25, 5:25] = 3  # helps nine times as much in energy: a tenth is left
    assert regions_that_matter(values, signed=True) == ()
    assert regions_that_matter(np.zeros((40, 40)), signed=True) == ()


def test_a_map_without_harm_has_no_worst_region_and_no_ratio():
    assert worst_regions(np.ones((40, 40))) == ()
    assert energy_ratio(np.ones((40, 40)), Region(0, 0, 10, 10), signed=True) == 0


def test_an_even_map_is_at_chance_and_one_inside_the_region_alone_at_the_most_there_is():
    region = Region(10, 10, 20, 30)
    assert energy_ratio(np.full((40, 50), -2.0), region, signed=True) == pytest.approx(1)
    inside = np.zeros((40, 50))
    inside[10:20, 10:30] = -1
    assert energy_ratio(inside, region, signed=True) == pytest.approx(40 * 50 / 200)


def test_a_saved_map_comes_back_with_all_that_belongs_to_it(tmp_path):
    result = result_of(np.random.default_rng(0).normal(size=(60, 90)).astype(np.float32))
    photo = decode(pixels_of())
    save_map(result, tmp_path / "map.npz", photo)
    with np.load(tmp_path / "map.npz", allow_pickle=False) as content:
        np.testing.assert_array_equal(content["values"], result.at(photo))
        assert json.loads(str(content["metadata"])) == metadata_of(result)
    save_map(result, tmp_path / "map.png", photo, opacity=0.4)
    with Image.open(tmp_path / "map.png") as image:
        np.testing.assert_array_equal(
            np.asarray(image), overlay(pixels_of(), result.at(photo), opacity=0.4, mode="signed")
        )
        assert json.loads(image.text["metaiqa"])["method"] == "grad-cam"


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path):
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(ExplanationError, match=r"The map cannot be written to .*: .*\. Make room or choose another"):
        save_map(result_of(np.zeros((60, 90), dtype=np.float32)), tmp_path / "folder.npz", decode(pixels_of()))
    assert [path.name for path in tmp_path.iterdir()] == ["folder.npz"]
    with pytest.raises(ExplanationError, match=r"A map is written as \.png or \.npz, got 'map\.gif': choose one"):
        save_map(result_of(np.zeros((60, 90), dtype=np.float32)), tmp_path / "map.gif", decode(pixels_of()))
