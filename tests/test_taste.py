"""A taste is inferred as the formulas say, shrinks to the general model, and is judged by what it has not seen."""

import numpy as np
import pytest
from scipy import optimize, stats
from taste_fixtures import LAYOUT, draw_seen, names_of, stars_of, taste_of

from metaiqa_core.errors import TasteError
from metaiqa_core.taste import judgement as judging
from metaiqa_core.taste.inference import Evidence, infer
from metaiqa_core.taste.judgement import Judgement, Verdict, judge
from metaiqa_core.taste.prior import Prior
from metaiqa_core.taste.questions import information, next_pairs, next_photos
from metaiqa_core.taste.ratings import Choice, Ratings, Star
from metaiqa_core.taste.space import TasteSpace
from metaiqa_core.taste.taste import Taste, evidence_of, require_teachable

NOBODY = np.array([], np.intp)


def random_prior(count, seed=0):
    draws = np.random.default_rng(seed)
    root = draws.normal(size=(count, count))
    return draws.normal(size=count), root @ root.T / count + np.eye(count)


def test_stars_are_inferred_exactly():
    mean, covariance = random_prior(7)
    rated, opinions, noise = np.array([0, 2, 5]), np.array([1.0, -0.5, 0.3]), 0.4
    found = infer(mean, covariance, noise, Evidence(rated, opinions, NOBODY, NOBODY))
    marginal = covariance[np.ix_(rated, rated)] + noise * np.eye(3)
    expected = mean + covariance[:, rated] @ np.linalg.solve(marginal, opinions - mean[rated])
    assert found.opinions == pytest.approx(expected)
    assert found.log_evidence == pytest.approx(stats.multivariate_normal.logpdf(opinions, mean[rated], marginal))
    narrowed = covariance - covariance[:, rated] @ np.linalg.solve(marginal, covariance[rated])
    assert found.covariance(covariance) == pytest.approx(narrowed)


def test_choices_are_inferred_at_the_most_probable_opinions():
    mean, covariance = random_prior(5)
    better, worse, noise = np.array([0, 1, 3, 0]), np.array([1, 2, 2, 4]), 0.3
    found = infer(mean, covariance, noise, Evidence(np.array([2]), np.array([0.7]), better, worse))
    precision = np.linalg.inv(covariance)

    def loss(opinions):
        likelihood = stats.norm.logcdf((opinions[better] - opinions[worse]) / np.sqrt(2 * noise)).sum()
        likelihood += stats.norm.logpdf(0.7, opinions[2], np.sqrt(noise))
        away = opinions - mean
        return away @ precision @ away / 2 - likelihood

    assert found.opinions == pytest.approx(optimize.minimize(loss, mean, tol=1e-10).x, abs=1e-4)


def test_the_evidence_of_choices_is_close_to_the_true_one():
    mean, covariance, noise = np.zeros(2), np.array([[1.0, 0.2], [0.2, 0.8]]), 0.5
    found = infer(mean, covariance, noise, Evidence(NOBODY, np.array([]), np.array([0]), np.array([1])))
    assert np.exp(found.log_evidence) == pytest.approx(0.5, abs=0.02)  # either photo may win


def test_contradicting_choices_leave_two_photos_level():
    mean, covariance = np.zeros(2), np.eye(2)
    found = infer(mean, covariance, 0.5, Evidence(NOBODY, np.array([]), np.array([0, 1]), np.array([1, 0])))
    assert found.opinions == pytest.approx(np.zeros(2), abs=1e-6)


def test_the_probabilities_of_the_prior_add_up_to_one():
    assert sum(one.probability for one in Prior().hypotheses()) == pytest.approx(1)


def test_a_person_like_everybody_keeps_the_general_order():
    seen = draw_seen(60)
    general = stats.zscore(seen[:, 0])
    opinions = general + 0.4 * np.random.default_rng(1).normal(size=60)
    taste = taste_of(seen, stars_of(opinions, range(20)))
    assert taste.like_everybody > 0.5
    assert stats.spearmanr(taste.opinions[20:], general[20:])[0] > 0.95


def test_a_person_with_a_taste_of_their_own_is_learned():
    seen = draw_seen(200)
    wanted = stats.zscore(seen[:, 1]) + 0.3 * np.random.default_rng(1).normal(size=200)
    taste = taste_of(seen, stars_of(wanted, range(30)))
    before = stats.spearmanr(seen[30:, 0], wanted[30:])[0]
    assert stats.spearmanr(taste.opinions[30:], wanted[30:])[0] > before + 0.4
    assert taste.like_everybody < 0.5


def test_choices_teach_as_stars_do():
    seen = draw_seen(60)
    wanted = stats.zscore(seen[:, 1])
    names, draws = names_of(60), np.random.default_rng(0)
    pairs = [draws.choice(40, 2, replace=False) for _ in range(60)]
    choices = [
        Choice(names[one], names[other]) if wanted[one] > wanted[other] else Choice(names[other], names[one])
        for one, other in pairs
    ]
    taste = taste_of(seen, Ratings.of(choices))
    assert stats.spearmanr(taste.opinions[40:], wanted[40:])[0] > 0.5


def test_the_correction_gives_the_opinions_of_any_photo():
    seen = draw_seen(40)
    taste = taste_of(seen, stars_of(stats.zscore(seen[:, 1]), range(15)))
    correction = taste.correction()
    assert seen @ correction.weights + correction.constant == pytest.approx(taste.opinions)


def test_leaving_out_pairs_in_closed_form_equals_teaching_without_them(monkeypatch):
    monkeypatch.setattr(judging, "_NEGLIGIBLE", -1.0)  # every hypothesis counts
    seen = draw_seen(14)
    taste = taste_of(seen, stars_of(stats.zscore(seen[:, 1]), range(12)))
    better, worse, margins = judging._closed_form(taste)
    assert len(margins) > 20
    assert judging._refitted(taste, better, worse) == pytest.approx(margins)


def test_a_rating_has_no_say_in_its_own_judgement():
    seen = draw_seen(30)
    ratings = stars_of(np.random.default_rng(5).normal(size=30), range(30))  # nothing to be learned
    judgement = judge(taste_of(seen, ratings))
    assert judgement.verdict is not Verdict.BETTER
    assert abs(judgement.after - 0.5) < 0.12


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.01, 0.2, Verdict.BETTER), (-0.05, 0.2, Verdict.UNCERTAIN), (-0.1, 0.02, Verdict.NO_HELP)],
)
def test_there_are_three_answers(low, high, verdict):
    assert Judgement(40, 12, 0.6, 0.7, low, high).verdict is verdict


def test_a_learned_taste_is_judged_better_and_one_like_everybody_is_not():
    seen = draw_seen(40)
    noise = 0.3 * np.random.default_rng(2).normal(size=40)
    own = judge(taste_of(seen, stars_of(stats.zscore(seen[:, 1]) + noise, range(40))))
    assert (own.verdict, own.photos) == (Verdict.BETTER, 40)
    assert own.after > own.before + 0.2
    usual = judge(taste_of(seen, stars_of(stats.zscore(seen[:, 0]) + noise, range(40))))
    assert usual.verdict is Verdict.NO_HELP


def test_the_next_photo_is_a_new_one_until_all_were_asked():
    seen = draw_seen(6)
    asked = []
    while found := next_photos(taste_of(seen, stars_of(np.zeros(6), asked)), asked, 2):
        asked += found
    assert sorted(asked) == list(range(6))


def kinds_of_photos(kinds, each):
    """Photos of a few kinds: those of a kind look almost the same."""
    return np.repeat(draw_seen(kinds), each, axis=0) + 0.02 * draw_seen(kinds * each, seed=1)


def test_photos_asked_about_in_a_row_are_of_different_kinds():
    found = next_photos(taste_of(kinds_of_photos(6, 5), Ratings()), [], 6)
    assert len({place // 5 for place in found}) >= 5


def test_the_next_pair_is_open_and_not_asked_twice():
    seen = draw_seen(5)
    taste, asked = taste_of(seen, Ratings()), set()
    while found := next_pairs(taste, asked, count=2):
        assert all(pair[0] != pair[1] for pair in found)
        asked.update(map(frozenset, found))
    assert len(asked) == 10


def test_an_answer_that_is_certain_teaches_nothing():
    certain, open_, noisy = information(np.array([50.0, 0.0, 0.0]), np.array([1.0, 1.0, 1e-9]), 0.5)
    assert certain == pytest.approx(0, abs=1e-6)
    assert noisy == pytest.approx(0, abs=1e-6)
    assert open_ > 0.2


def test_active_questions_leave_less_uncertainty_than_random_ones():
    taste = taste_of(kinds_of_photos(8, 6), Ratings())
    covariance = taste.covariance - taste.covariance.mean(0)
    covariance -= covariance.mean(1, keepdims=True)

    def uncertainty(photos):
        among = covariance[np.ix_(photos, photos)] + taste.noise * np.eye(len(photos))
        return np.trace(covariance - covariance[:, photos] @ np.linalg.solve(among, covariance[photos]))

    draws = np.random.default_rng(0)
    at_random = [uncertainty(draws.choice(48, 8, replace=False)) for _ in range(8)]
    assert uncertainty(next_photos(taste, [], 8)) < min(at_random)


def test_too_few_or_equal_ratings_are_refused():
    names = names_of(12)
    with pytest.raises(TasteError, match="At least 10 ratings are needed to learn from, and there are 3"):
        require_teachable(Ratings.of(Star(name, 3) for name in names[:3]))
    with pytest.raises(TasteError, match="All photos have the same number of stars"):
        require_teachable(Ratings.of(Star(name, 3) for name in names))


def test_ratings_of_photos_that_are_not_there_are_left_out():
    evidence = evidence_of(Ratings.of([Star("a", 1), Star("gone", 5), Choice("a", "gone"), Star("b", 3)]), ["a", "b"])
    assert (evidence.rated.tolist(), len(evidence.better)) == ([0, 1], 0)


def test_photos_that_all_look_the_same_are_no_error():
    seen = np.tile(draw_seen(1), (12, 1))
    taste = Taste(TasteSpace(seen, LAYOUT), evidence_of(stars_of(np.arange(12.0) - 6, range(12)), names_of(12)))
    assert np.isfinite(taste.opinions).all()
    assert judge(taste).verdict is not Verdict.BETTER
