"""The model that comes with the repository: whole, small, measured, and sensitive to what spoils a photo."""

import io
import math
import shlex

import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage import data

from metaiqa_core.assess import Assessor
from metaiqa_core.cli import build_parser
from metaiqa_core.commands.options.configuration import chosen
from metaiqa_core.experiments.start import start_from_model
from metaiqa_core.files import sha256_of
from metaiqa_core.models.batch_norm import idle_norms
from metaiqa_core.models.card import read_card
from metaiqa_core.models.model_files import DEFAULT_MODEL, SHIPPED_MODELS, list_models, list_priors
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS
from metaiqa_core.training.kernel_configuration import KernelConfig
from metaiqa_core.training.meta_configuration import META_PRESETS

WEIGHTS = SHIPPED_MODELS / f"{DEFAULT_MODEL}.safetensors"
FORMER = SHIPPED_MODELS / "mobilenet-metaiqa-livec.safetensors"
"""The default model before this one, which stays loadable by its name."""


@pytest.fixture(scope="module")
def assessor():
    return Assessor.load()


@pytest.fixture(scope="module")
def originals():
    """The colour photographs that scikit-image has without a download."""
    return [np.ascontiguousarray(photo) for photo in (data.astronaut(), data.chelsea(), data.coffee(), data.rocket())]


@pytest.fixture(scope="module")
def scores(assessor, originals):
    return [assessor.assess(photo).score for photo in originals]


def test_weights_are_at_most_25_megabytes_and_those_that_the_card_describes():
    assert WEIGHTS.stat().st_size <= 25 * 10**6
    assert read_card(WEIGHTS.with_suffix(".json")).sha256 == sha256_of(WEIGHTS)


def test_the_card_says_what_a_user_must_know():
    card = read_card(WEIGHTS.with_suffix(".json"))
    assert card.name == DEFAULT_MODEL
    assert len(card.sha256) == 64
    for field in ("summary", "training_data", "licence", "recipe", "accuracy", "created", "code_version"):
        assert getattr(card, field), field
    assert {"protocol", "seeds", "date", "srocc_mean", "plcc_mean", "splits"} <= set(card.accuracy)
    assert card.accuracy["srocc_mean"] == pytest.approx(np.mean(card.accuracy["srocc_by_split"]), abs=1e-3)


@pytest.mark.parametrize("name", ["mobilenet-prior", "mobilenet-prior-bn"])
def test_a_prior_is_a_start_for_fine_tuning_and_no_model_to_judge_with(name):
    weights = list_priors()[name]
    card = read_card(weights.with_suffix(".json"))
    assert card.name == name
    assert weights.stat().st_size <= 15 * 10**6
    assert card.sha256 == sha256_of(weights)
    assert card.recipe["method"] == "MetaIQA"
    assert "CC BY-SA" in card.licence
    assert card.accuracy["protocol"].startswith("zero-shot")
    assert name not in list_models()
    assert start_from_model(name, folded=True).make().config.backbone == "mobilenet_v2"


def test_all_shipped_weights_together_are_at_most_80_megabytes():
    assert sum(file.stat().st_size for file in [*SHIPPED_MODELS.iterdir(), *list_priors().values()]) <= 80 * 10**6


def test_the_former_default_model_stays_loadable_by_its_name():
    assert Assessor.load(FORMER.stem).card.name == FORMER.stem
    assert FORMER.stem != DEFAULT_MODEL


@pytest.mark.parametrize("weights", [WEIGHTS, FORMER, *list_priors().values()], ids=lambda path: path.stem)
def test_the_command_on_the_card_still_means_what_it_meant(weights):
    recipe = read_card(weights.with_suffix(".json")).recipe
    words = shlex.split(recipe["command"])[3:]
    arguments = build_parser(words[:1]).parse_args(words)
    presets = {"meta-train": META_PRESETS, "fine-tune": FINE_TUNE_PRESETS, "kernel-head": {"": KernelConfig()}}[
        words[0]
    ]
    now = chosen(presets[getattr(arguments, "preset", "")], arguments).to_dict()
    was = {name: value for name, value in recipe["configuration"].items() if name in now and name != "seed"}
    assert was == {name: now[name] for name in was}
    assert len(was) >= len(now) - 1


def test_a_prior_that_learned_with_the_batchs_statistics_can_go_on_so():
    network = start_from_model("mobilenet-prior-bn", folded=False).make()
    assert not idle_norms(network.backbone[7:])


def test_the_interval_was_measured_to_hold_its_promise():
    calibration = read_card(WEIGHTS.with_suffix(".json")).calibration
    assert calibration.level == 0.9
    assert 0.88 <= calibration.measured_coverage <= 0.92
    assert 0 < calibration.half_width < 40
    assert list(calibration.population_quantiles) == sorted(calibration.population_quantiles)
    assert 0 <= calibration.population_quantiles[0] < calibration.population_quantiles[-1] <= 100


def test_ordinary_photos_get_finite_scores_that_differ(scores):
    assert all(math.isfinite(score) and 0 <= score <= 100 for score in scores)
    assert np.ptp(scores) > 1


def blurred(pixels):
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(min(pixels.shape[:2]) / 80)))


def compressed(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=4)
    return np.asarray(Image.open(buffer))


def noisy(pixels):
    noise = np.random.default_rng(0).normal(0, 60, pixels.shape)
    return (pixels + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("damage", [blurred, compressed, noisy])
def test_heavily_damaged_photos_score_lower_than_their_originals(assessor, originals, scores, damage):
    damaged = [assessor.assess(damage(photo)).score for photo in originals]
    lower = sum(after < before for before, after in zip(scores, damaged, strict=True))
    assert lower > len(originals) / 2
    assert np.mean(damaged) < np.mean(scores)
