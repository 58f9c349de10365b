"""The criteria of agreement: against SciPy, against values worked out by hand, and by their invariances."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.criteria import (
    bootstrap_interval,
    evaluate,
    fit_logistic,
    krocc,
    plcc,
    rmse,
    srocc,
)
from metaiqa_core.results.storage import SHIPPED_RUNS, read_predictions, read_run

PREDICTED = [0.1, 0.4, 0.35, 0.8, 0.7]
OPINION = [1.0, 2.0, 3.0, 4.0, 5.0]

some_pairs = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=30)


def columns(pairs):
    first, second = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    assume(np.ptp(first) > 0 and np.ptp(second) > 0)
    return first, second


def test_values_worked_out_by_hand():
    # Ranks 1 3 2 5 4 against 1 2 3 4 5: four differences of one place; 8 of 10 pairs agree.
    assert srocc(PREDICTED, OPINION) == pytest.approx(1 - 6 * 4 / (5 * 24))
    assert krocc(PREDICTED, OPINION) == pytest.approx((8 - 2) / 10)
    assert plcc([1, 2, 3], [1, 2, 4]) == pytest.approx(3 / math.sqrt(2 * 14 / 3))
    assert rmse([0.1, 0.2, 0.3], [0.1, 0.6, 0.0]) == pytest.approx(math.sqrt((0.16 + 0.09) / 3))


def test_equation_12_is_the_case_without_ties():
    generator = np.random.default_rng(0)
    predicted, opinion = generator.permutation(40), generator.permutation(40)
    differences = predicted - opinion  # permutations of 0..39 are their own ranks
    assert srocc(predicted, opinion) == pytest.approx(1 - 6 * np.sum(differences**2) / (40 * (40**2 - 1)))


def test_ties_share_their_average_rank():
    predicted, opinion = [1, 2, 2, 3], [1, 2, 3, 4]
    assert srocc(predicted, opinion) == pytest.approx(np.corrcoef([1, 2.5, 2.5, 4], opinion)[0, 1])
    equation_12 = 1 - 6 * (0.5**2 + 0.5**2) / (4 * 15)
    assert srocc(predicted, opinion) != pytest.approx(equation_12, abs=1e-3)


def test_kendalls_tau_counts_ties_as_tau_b():
    # Five of the six pairs agree and one is tied on one side: 5 / sqrt(5 * 6).
    assert krocc([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(5 / math.sqrt(30))


@given(some_pairs)
@settings(max_examples=25, deadline=None)
def test_criteria_are_scipys(pairs):
    predicted, opinion = columns(pairs)
    assert srocc(predicted, opinion) == pytest.approx(stats.spearmanr(predicted, opinion)[0], abs=1e-12)
    assert krocc(predicted, opinion) == pytest.approx(stats.kendalltau(predicted, opinion)[0], abs=1e-12)
    assert plcc(predicted, opinion) == pytest.approx(np.corrcoef(predicted, opinion)[0, 1], abs=1e-9)


@given(some_pairs, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_images_and_the_sides_do_not_matter(pairs, random):
    predicted, opinion = columns(pairs)
    order = random.sample(range(len(pairs)), len(pairs))
    for criterion in (srocc, krocc, plcc, rmse):
        value = criterion(predicted, opinion)
        assert criterion(predicted[order], opinion[order]) == pytest.approx(value, abs=1e-9)
        assert criterion(opinion, predicted) == pytest.approx(value, abs=1e-9)


@given(some_pairs, st.floats(0.1, 10), st.floats(-100, 100))
@settings(max_examples=25, deadline=None)
def test_rank_correlations_ignore_increasing_maps_and_plcc_ignores_scales(pairs, slope, shift):
    predicted, opinion = columns(pairs)
    mapped = slope * predicted + shift
    for criterion in (srocc, krocc):
        assert criterion(np.exp(predicted / 20), opinion) == pytest.approx(criterion(predicted, opinion), abs=1e-9)
    assert plcc(mapped, opinion) == pytest.approx(plcc(predicted, opinion), abs=1e-6)
    assert plcc(-predicted, opinion) == pytest.approx(-plcc(predicted, opinion), abs=1e-9)


@pytest.mark.parametrize("criterion", [srocc, krocc, plcc])
def test_perfect_agreement_is_one_and_reversal_minus_one(criterion):
    assert criterion(OPINION, OPINION) == pytest.approx(1)
    assert criterion(OPINION[::-1], OPINION) == pytest.approx(-1)


@pytest.mark.parametrize("criterion", [srocc, krocc, plcc, rmse, evaluate, fit_logistic])
def test_what_cannot_be_judged_is_refused_in_a_sentence(criterion):
    with pytest.raises(
        EvaluationError, match=r"^All 5 predicted scores are 0\.5: a constant has no rank correlation\.$"
    ):
        criterion([0.5] * 5, OPINION)
    with pytest.raises(EvaluationError, match=r"^All 5 opinion scores are 3: a constant has no rank correlation\.$"):
        criterion(PREDICTED, [3.0] * 5)
    with pytest.raises(EvaluationError, match=r"^2 predicted scores are not finite; leave them out or repair them\.$"):
        criterion([0.1, math.nan, 0.3, math.inf, 0.5], OPINION)
    with pytest.raises(EvaluationError, match=r"^A correlation needs at least 3 images, got 2\.$"):
        criterion([0.1, 0.2], [1, 2])
    with pytest.raises(
        ValueError, match=r"^predicted and opinion must be 1-D and equally long, got \(5,\) and \(4,\)$"
    ):
        criterion(PREDICTED, OPINION[:4])


def test_a_known_logistic_is_recovered():
    x = np.linspace(0, 1, 60)
    y = 10 + (90 - 10) / (1 + np.exp(-(x - 0.4) / 0.1))
    assert fit_logistic(x, y) == pytest.approx(y, abs=1e-3)
    assert evaluate(x, y, resamples=20).plcc_logistic == pytest.approx(1, abs=1e-6)
    assert plcc(x, y) < 0.97


def free_fit(predicted, opinion):
    """The logistic without a direction, in other parameters than the code's."""
    x = stats.zscore(predicted)
    start = (opinion.min(), np.ptp(opinion), 1.0, 0.0)

    def curve(x, low, rise, steepness, shift):
        return low + rise * special.expit(steepness * x - shift)

    found, _ = optimize.curve_fit(curve, x, opinion, p0=start, maxfev=50_000, ftol=1e-12, xtol=1e-12)
    return curve(x, *found)


def test_predictions_that_run_the_wrong_way_keep_their_negative_correlation():
    generator = np.random.default_rng(0)
    opinion = generator.uniform(0, 1, 200)
    predicted = 1 - opinion + generator.normal(0, 0.02, 200)
    assert plcc(free_fit(predicted, opinion), opinion) > 0.99  # what a curve that may fall makes of them
    criteria = evaluate(predicted, opinion, resamples=50)
    assert criteria.plcc_logistic == pytest.approx(criteria.plcc)
    assert criteria.plcc_logistic < -0.99
    assert criteria.plcc_logistic_interval[1] < -0.99


@pytest.mark.parametrize("n", [3, 4, 5])
def test_a_few_predictions_that_run_the_wrong_way_keep_it_too(n):
    assert evaluate([-score for score in OPINION[:n]], OPINION[:n], resamples=20).plcc_logistic == pytest.approx(-1)


@given(some_pairs)
@settings(max_examples=50, deadline=None)
def test_the_fit_never_falls_where_the_predictions_rise(pairs):
    predicted, opinion = columns(pairs)
    fitted = fit_logistic(predicted, opinion)
    assert np.diff(fitted[np.argsort(predicted)]).min() >= -1e-9


def test_the_shipped_runs_predictions_get_the_correlation_of_the_free_fit():
    run = read_run(SHIPPED_RUNS / "ablation-livec")
    for name in run.predictions:
        frame = read_predictions(run, name)
        predicted, opinion = frame["predicted_score"].to_numpy(), frame["opinion_score"].to_numpy()
        expected = plcc(free_fit(predicted, opinion), opinion)
        assert plcc(fit_logistic(predicted, opinion), opinion) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("agreement", [0.6, 0.9])
def test_predictions_that_run_the_right_way_get_the_correlation_of_the_free_fit(agreement):
    for seed in range(5):
        generator = np.random.default_rng(seed)
        opinion = generator.uniform(0, 1, 200)
        predicted = np.exp(2 * (agreement * opinion + (1 - agreement) * generator.uniform(0, 1, 200)))
        expected = plcc(free_fit(predicted, opinion), opinion)
        assert plcc(fit_logistic(predicted, opinion), opinion) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("n", [3, 4, 5])
def test_the_fewest_images_are_enough_for_every_criterion(n):
    criteria = evaluate(PREDICTED[:n], OPINION[:n], resamples=50)
    assert criteria.n == n
    assert -1 <= criteria.plcc_logistic <= 1
    assert all(np.isfinite(value).all() for value in criteria.to_dict().values())


def test_predictions_without_any_linear_trend_are_judged_too():
    criteria = evaluate([-1.0, 0.0, 1.0], [0.0, 1.0, 0.0], resamples=50)
    assert criteria.srocc == pytest.approx(0)
    assert np.isfinite(criteria.plcc_logistic)


def test_the_fitted_correlation_has_an_interval_around_it():
    generator = np.random.default_rng(4)
    opinion = generator.uniform(0, 1, 80)
    criteria = evaluate(np.exp(3 * opinion) + generator.normal(0, 1, 80), opinion, resamples=200)
    low, high = criteria.plcc_logistic_interval
    assert low < criteria.plcc_logistic < high


def test_evaluate_gathers_the_criteria_and_their_intervals():
    generator = np.random.default_rng(3)
    opinion = generator.uniform(0, 1, 60)
    predicted = opinion + generator.normal(0, 0.2, 60)
    criteria = evaluate(predicted, opinion, resamples=100)
    for name, criterion in {"srocc": srocc, "plcc": plcc, "krocc": krocc, "rmse": rmse}.items():
        value = criterion(predicted, opinion)
        assert getattr(criteria, name) == value
        low, high = getattr(criteria, f"{name}_interval")
        assert low < value < high
    assert criteria == evaluate(predicted, opinion, resamples=100)
    assert criteria != evaluate(predicted, opinion, resamples=100, seed=1)
    assert criteria.to_dict()["srocc_interval"] == list(criteria.srocc_interval)


@pytest.mark.parametrize("criterion", [srocc, plcc])
def test_the_interval_of_a_correlation_of_few_images_stays_within_its_limits(criterion):
    generator = np.random.default_rng(0)
    for _ in range(5):
        low, high = bootstrap_interval(criterion, 0.4 + 1e-3 * generator.random(3), generator.random(3))
        assert -1 <= low <= high <= 1


def test_the_bootstrap_interval_covers_the_truth_at_about_its_level():
    generator = np.random.default_rng(0)
    truth, hits, rounds = 0.8, 0, 100
    for seed in range(rounds):
        x = generator.normal(size=60)
        y = truth * x + math.sqrt(1 - truth**2) * generator.normal(size=60)
        low, high = bootstrap_interval(lambda a, b: np.corrcoef(a, b)[0, 1], x, y, level=0.9, resamples=100, seed=seed)
        hits += low <= truth <= high
    assert 0.82 <= hits / rounds <= 0.97


def test_a_wider_level_gives_a_wider_interval():
    generator = np.random.default_rng(1)
    x = generator.normal(size=40)
    y = x + generator.normal(size=40)
    narrow, wide = (bootstrap_interval(rmse, x, y, level=level, resamples=100) for level in (0.5, 0.95))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize("criterion", [srocc, plcc, rmse])
def test_intervals_of_many_resamples_at_once_are_those_of_one_at_a_time(criterion):
    generator = np.random.default_rng(3)
    predicted, opinion = generator.random((2, 25)).round(1)  # with ties
    at_once = bootstrap_interval(criterion, predicted, opinion, resamples=100, seed=5)
    one_by_one = bootstrap_interval(lambda *scores: criterion(*scores), predicted, opinion, resamples=100, seed=5)
    assert at_once == pytest.approx(one_by_one, abs=1e-12)
