"""Intervals that hold what they promise, measured where they were not chosen."""

import numpy as np
import pytest
from scipy.stats import norm

from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.calibration import calibrate, calibrate_on_several, conformal_quantile
from metaiqa_core.evaluation.protocols import Split


def simulated_splits(images=300, splits=10, seed=0, noise=0.08):
    """Random splits of photos whose scores are predicted with the same error distribution everywhere."""
    generator = np.random.default_rng(seed)
    opinion = generator.uniform(0.3, 0.7, images)
    made = []
    for number in range(splits):
        test = np.sort(generator.permutation(images)[: images // 5])
        predicted = opinion[test] + generator.normal(0, noise, len(test))
        made.append(Split(number, tuple(test.tolist()), tuple(predicted.tolist()), tuple(opinion[test].tolist())))
    return made


def test_the_conformal_quantile_is_one_of_the_residuals_counted_by_hand():
    residuals = np.array([7.0, 1.0, 9.0, 3.0, 5.0, 2.0, 8.0, 4.0, 6.0])
    assert conformal_quantile(residuals, 0.9) == 9  # ceil(10 * 0.9) = 9th of nine
    assert conformal_quantile(residuals, 0.5) == 5  # ceil(10 * 0.5) = 5th
    assert conformal_quantile(residuals, 0.51) == 6
    assert conformal_quantile(residuals[:3], 0.9) == 9  # too few to promise 90 %: the largest


def test_a_new_residual_is_covered_at_the_nominal_rate():
    generator = np.random.default_rng(1)
    hits = [generator.exponential() <= conformal_quantile(generator.exponential(size=49), 0.9) for _ in range(3000)]
    assert 0.88 <= np.mean(hits) <= 0.92


def test_exchangeable_predictions_are_covered_at_88_to_92_percent():
    calibration = calibrate(simulated_splits(), "simulated photos")
    assert calibration.level == 0.9
    assert 0.88 <= calibration.measured_coverage <= 0.92
    assert calibration.half_width == pytest.approx(100 * 0.08 * 1.645, rel=0.1)  # 90 % of a normal distribution


def test_coverage_is_measured_without_the_splits_own_images():
    # Photo 0 is far off in every split, the others are exact. A quantile that had seen it would cover it.
    opinion = (0.5, 0.4, 0.6)
    splits = [
        Split(0, (0, 1, 2), (0.9, 0.4, 0.6), opinion),
        Split(1, (0, 3, 4), (0.9, 0.4, 0.6), opinion),
    ]
    assert calibrate(splits, "photos").measured_coverage == pytest.approx(4 / 6)


def test_the_population_is_each_photos_mean_held_out_score():
    splits = [
        Split(0, (0, 1), (0.2, 1.4), (0.5, 0.5)),  # a prediction above the scale counts as its end
        Split(1, (0, 2), (0.4, 0.6), (0.5, 0.5)),
    ]
    calibration = calibrate(splits, "three photos")
    assert (calibration.population, calibration.population_size) == ("three photos", 3)
    quantiles = calibration.population_quantiles
    assert len(quantiles) == 101
    assert (quantiles[0], quantiles[50], quantiles[100]) == pytest.approx((30, 60, 100))
    assert list(quantiles) == sorted(quantiles)


def test_one_split_is_too_few():
    with pytest.raises(EvaluationError, match=r"^A calibration needs at least two splits, got 1: raise --repeats\.$"):
        calibrate(simulated_splits(splits=1), "photos")


def test_splits_that_tested_the_same_photos_measure_no_coverage():
    split = Split(0, (0, 1), (0.2, 0.4), (0.5, 0.5))
    with pytest.raises(EvaluationError) as caught:
        calibrate([split, Split(1, (0, 1), (0.3, 0.4), (0.5, 0.5))], "photos")
    assert str(caught.value) == (
        "The splits held out the same images, which leaves none to measure the coverage on: raise --repeats."
    )


def test_two_databases_weigh_the_same_whatever_their_sizes():
    splits, generator = simulated_splits(noise=0.04), np.random.default_rng(3)
    opinion = generator.uniform(0.3, 0.7, 5000)
    other = {"larger errors": (opinion + generator.normal(0, 0.12, 5000), opinion)}
    calibration, coverage = calibrate_on_several(splits, other, "simulated photos")
    # Half of the mixture has a deviation of 4 points and half of 12: 90 % of it lie within this.
    widths = np.linspace(1, 40, 4000)
    shares = np.array([np.mean([2 * norm.cdf(width / 4) - 1, 2 * norm.cdf(width / 12) - 1]) for width in widths])
    assert calibration.half_width == pytest.approx(widths[np.searchsorted(shares, 0.9)], rel=0.08)
    assert coverage["simulated photos"] > 0.99
    assert 0.77 < coverage["larger errors"] < 0.83
    assert calibration.measured_coverage == pytest.approx(np.mean(list(coverage.values())))


@pytest.mark.parametrize("photos", [1, 2, 3])
def test_a_few_photos_of_another_database_are_enough(photos):
    others = {"few": (np.full(photos, 0.5), np.full(photos, 0.6))}
    calibration, coverage = calibrate_on_several(simulated_splits(), others, "simulated photos")
    assert 0 < calibration.half_width < 100
    assert set(coverage) == {"few", "simulated photos"}


def test_without_another_database_the_interval_is_that_of_the_splits():
    one, coverage = calibrate_on_several(simulated_splits(), {}, "simulated photos")
    assert one.half_width == pytest.approx(calibrate(simulated_splits(), "simulated photos").half_width, rel=0.01)
    assert 0.88 <= coverage["simulated photos"] <= 0.92
