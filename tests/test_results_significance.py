"""The paired bootstrap: right about what it says, and silent where nothing can be said."""

import numpy as np
import pytest
from results_fixtures import predictions
from scipy import stats

from metaiqa_core.errors import ResultsError
from metaiqa_core.results.significance import compare


def test_the_point_estimates_are_scipys():
    first, second = predictions(agreement=0.8), predictions(agreement=0.3)
    result = compare(first, second, resamples=50)
    for value, frame in ((result.first, first), (result.second, second)):
        assert value == pytest.approx(stats.spearmanr(frame["predicted_score"], frame["opinion_score"]).statistic)
    assert (result.images, result.groups) == (125, 25)


def test_a_clear_difference_is_significant_and_a_method_against_itself_is_not():
    good, bad = predictions(agreement=0.9), predictions(agreement=0.1)
    assert compare(good, bad, resamples=200).interval[0] > 0
    assert compare(bad, good, resamples=200).interval[1] < 0
    same = compare(good, good, resamples=50)
    assert same.interval == (0, 0)


def test_images_are_paired_by_name_whatever_their_order():
    first, second = predictions(agreement=0.8), predictions(agreement=0.5)
    shuffled = second.sample(frac=1, random_state=0)
    assert compare(first, shuffled, resamples=100) == compare(first, second, resamples=100)


def test_only_shared_images_count():
    result = compare(predictions().head(100), predictions(agreement=0.5), resamples=20)
    assert (result.images, result.groups) == (100, 20)


def test_drawing_whole_references_is_more_careful_than_drawing_images():
    # Errors that a reference photo shares: 25 independent contents, not 125 independent images.
    generator = np.random.default_rng(3)
    first, second = predictions(agreement=1.0), predictions(agreement=1.0)
    shared = np.repeat(generator.normal(0, 0.3, 25), 5)
    second["predicted_score"] = second["opinion_score"] + shared
    by_reference = compare(first, second).interval
    by_image = compare(first.assign(reference=""), second.assign(reference="")).interval
    assert np.ptp(by_reference) > 1.2 * np.ptp(by_image)


def test_too_few_shared_images_or_references_and_other_labels_are_refused():
    with pytest.raises(ResultsError, match="needs the same images on both sides; only 0 are shared"):
        compare(predictions(), predictions().assign(image=lambda f: "other-" + f["image"]))
    with pytest.raises(ResultsError, match="A bootstrap needs at least 5 independent references, got 2."):
        compare(predictions().head(10), predictions(agreement=0.5).head(10))
    with pytest.raises(ResultsError, match="disagree about the opinion scores of the same images"):
        compare(predictions(), predictions().assign(opinion_score=lambda f: f["opinion_score"] * 0.5))
    twice = predictions()
    twice.loc[1, "image"] = twice.loc[0, "image"]
    with pytest.raises(ResultsError, match="Predictions name the same image twice; compare one seed with one seed."):
        compare(twice, predictions())


def test_impossible_arguments_are_the_programmers_mistake():
    with pytest.raises(ValueError, match=r"level must be in \(0, 1\) and resamples positive, got 95 and 10"):
        compare(predictions(), predictions(), level=95, resamples=10)
