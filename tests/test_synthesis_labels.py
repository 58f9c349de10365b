"""Labels refined by a metric: the metric against its definition, the map and what it does to the means."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d
from scipy.stats import spearmanr
from synthesis_fixtures import pristine_pixels, write_photos

from metaiqa_core.distortions import distort
from metaiqa_core.progress import finish
from metaiqa_core.synthesis import SynthesisConfig, find_photos, select_references, synthesise
from metaiqa_core.synthesis.gmsd import gmsd
from metaiqa_core.synthesis.refinement import WEIGHT, interpolate, monotone_map, refine


def defined_gmsd(image, reference):
    """Eqs. 1, 2, 4 and 6 of the paper, written down anew: Prewitt filters after averaging and halving."""
    kernel = np.array([[1, 0, -1]] * 3) / 3
    magnitudes = []
    for pixels in (image, reference):
        luma = 0.299 * pixels[..., 0] + 0.587 * pixels[..., 1] + 0.114 * pixels[..., 2]
        half = convolve2d(luma, np.full((2, 2), 0.25), mode="valid")[::2, ::2]
        across, down = (convolve2d(half, k, mode="same") for k in (kernel, kernel.T))
        magnitudes.append(np.sqrt(across**2 + down**2))
    first, second = magnitudes
    return np.std((2 * first * second + 170) / (first**2 + second**2 + 170))


@pytest.mark.parametrize("key", ["kadid10k:GB", "kadid10k:WN", "kadid10k:JPEG"])
def test_gmsd_is_what_the_paper_defines_and_grows_with_the_damage(key):
    photo = pristine_pixels(5)
    damaged = [distort(photo, key, level) for level in (2, 4, 5)]
    values = [gmsd(image, photo) for image in damaged]
    assert values == pytest.approx([defined_gmsd(image.astype(float), photo.astype(float)) for image in damaged])
    assert 0 < values[0] < values[1] < values[2] < 0.5


def test_gmsd_leaves_an_odd_row_and_column_out():
    photo = pristine_pixels(6)[:95, :127]
    damaged = distort(photo, "kadid10k:JPEG", 4)
    assert gmsd(damaged, photo) == pytest.approx(defined_gmsd(damaged.astype(float), photo.astype(float)))


def test_gmsd_of_equal_images_is_zero_and_of_different_shapes_an_error():
    photo = pristine_pixels(7)
    assert gmsd(photo, photo) == 0
    with pytest.raises(ValueError, match=r"one shape, got \(96, 128, 3\) and \(90, 128, 3\)$"):
        gmsd(photo, photo[:90])


scores = st.floats(0, 1).map(lambda value: round(value, 2))
pairs = st.lists(st.tuples(scores, st.sampled_from([0.2, 0.4, 0.5, 0.7, 0.9])), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_the_map_never_falls_and_stays_between_the_scores(points):
    metric, score = (np.array(values) for values in zip(*points, strict=True))
    knots, levels = monotone_map(metric, score)
    assert (np.diff(knots) >= 0).all()
    assert (np.diff(levels) > 0).all()
    read = interpolate((knots, levels), np.linspace(-1, 2, 50))
    assert (np.diff(read) >= 0).all()
    assert score.min() - 1e-12 <= read.min() <= read.max() <= score.max() + 1e-12


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_refining_keeps_the_mean_of_every_level_and_the_order_of_the_metric_within_it(points):
    metric, means = (np.array(values) for values in zip(*points, strict=True))
    refined = refine(metric, means)
    for mean in np.unique(means):
        own = means == mean
        assert refined[own].mean() == pytest.approx(mean)
        order = np.argsort(metric[own])
        assert (np.diff(refined[own][order]) >= -1e-12).all()
    assert np.array_equal(refine(metric, means, weight=0), means)


def test_refining_finds_what_the_means_cannot_know():
    generator = np.random.default_rng(0)
    level = np.repeat(np.arange(5), 40)
    hidden = generator.normal(0, 0.5, 200)  # how far a photo hides the damage
    metric = 1 - 0.2 * (level - hidden)
    means = 0.9 - 0.15 * level
    truth = 0.9 - 0.15 * (level - hidden * WEIGHT)
    assert spearmanr(refine(metric, means), truth).statistic > spearmanr(means, truth).statistic + 0.01
    assert np.std(refine(metric, means) - truth) < 0.5 * np.std(means - truth)


def test_a_metric_that_sees_nothing_changes_nothing():
    means = np.repeat([0.9, 0.5, 0.1], 4)
    assert refine(np.full(12, 0.7), means) == pytest.approx(means)


def test_refined_labels_keep_the_means_of_the_levels_and_can_replace_other_labels_without_new_images(tmp_path):
    photos = write_photos(tmp_path / "photos", count=3)
    config = SynthesisConfig(
        "kadid10k", types=("kadid10k:WN",), levels=(1, 3, 5), size=(128, 96), smallest_size=(128, 96)
    )
    selection = finish(select_references(find_photos([photos]), config))
    tables = {}
    for labels, made in (("means", 9), ("refined", 0)):
        done = finish(synthesise(config, selection, tmp_path / "database", labels=labels))
        assert done.made == made
        text = (tmp_path / "database" / "scores.csv").read_text(encoding="utf-8")
        tables[labels] = np.array([line.split(",")[3:5] for line in text.splitlines()[1:]], dtype=float)
        assert {line.rsplit(",", 1)[1] for line in text.splitlines()[1:]} == {labels}
        assert json.loads((tmp_path / "database" / "database.json").read_text())["labels"] == labels
    means, refined = tables["means"], tables["refined"]
    assert not np.allclose(means, refined)
    for level in (1, 3, 5):
        own = means[:, 0] == level
        assert refined[own, 1].mean() == pytest.approx(means[own, 1].mean(), abs=1e-5)
