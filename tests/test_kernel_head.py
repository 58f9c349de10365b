"""The kernel head: a regression that is compared with the dense solution, and the experiment around it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from metaiqa_core.engine.graph import export_graph
from metaiqa_core.engine.graph_check import largest_difference
from metaiqa_core.errors import TrainingError
from metaiqa_core.experiments.kernel_copies import COPY_KINDS, DARKENED_KINDS
from metaiqa_core.images import decode
from metaiqa_core.models.checkpoints import load_checkpoint
from metaiqa_core.models.kernel_head import Gaussians, Mixture
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.training import kept_features as features_module
from metaiqa_core.training.kernel_configuration import KernelConfig
from metaiqa_core.training.kernel_differences import Differences
from metaiqa_core.training.kernel_regression import StudyScores, fit_kernel_head


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    config = RegressorConfig(backbone="mobilenet_v3_small", hidden=8, pooled=(1, 2))
    network = Regressor(config).eval()
    network.head[0].fit(torch.randn(50, network.head[2].in_features))
    return network


@pytest.fixture(scope="module")
def studies(network):
    draws = np.random.default_rng(3)
    width = network.head[2].in_features
    direction = draws.normal(size=width) / 8

    def study(name, count, offset, gain):
        features = draws.normal(size=(count, width)).astype(np.float32)
        latent = np.tanh(features @ direction)
        return StudyScores(name, features, offset + gain * (latent + 0.1 * draws.normal(size=count)))

    return [study("first", 40, 0.5, 0.1), study("second", 30, 0.4, 0.2)]


def answers(network, study):
    with torch.inference_mode():
        return network.head(torch.from_numpy(study.features)).squeeze(1).numpy()


def test_the_likeness_is_a_gaussian_of_the_distance():
    layer = Gaussians(3, 2)
    layer.centres.copy_(torch.tensor([[0.0, 0, 0], [1, 2, 2]]))
    layer.width.fill_(1.5)
    expected = [[1.0, np.exp(-9 / 4.5)]]
    torch.testing.assert_close(layer(torch.zeros(1, 3)), torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize("common", [0.0, 0.4, 0.8])
def test_with_every_image_a_centre_it_is_the_dense_solution_of_the_joint_regression(network, studies, common):
    config = KernelConfig(dimensions=1000, centres=1000, width=0.9, penalty=0.3, common=common)
    fitted = fit_kernel_head(network, studies, ["first"], config)
    with torch.inference_mode():
        points = network.head[0](torch.from_numpy(np.concatenate([study.features for study in studies]))).double()
    squares = torch.cdist(points, points).square().numpy()
    kernel = np.exp(-squares / (2 * 0.9**2 * np.median(squares)))
    of = np.repeat([0, 1], [40, 30])
    covariance = kernel * (common + (1 - common) * (of[:, None] == of))
    scores = np.concatenate([(s.unit_scores - s.unit_scores.mean()) / s.unit_scores.std() for s in studies])
    dual = np.linalg.solve(covariance + 0.3 * np.eye(70), scores)
    as_first = kernel[:40] @ (dual * np.where(of == 0, 1, common))
    expected = studies[0].unit_scores.mean() + studies[0].unit_scores.std() * as_first
    np.testing.assert_allclose(answers(fitted.network, studies[0]), expected, atol=2e-3 * studies[0].unit_scores.std())


def test_it_ranks_images_that_it_was_not_fitted_on_and_one_study_helps_the_other(network, studies):
    few = StudyScores("first", studies[0].features[:8], studies[0].unit_scores[:8])
    rest = StudyScores("first", studies[0].features[8:], studies[0].unit_scores[8:])
    alone = fit_kernel_head(network, [few], ["first"], KernelConfig())
    together = fit_kernel_head(network, [few, studies[1]], ["first"], KernelConfig(common=0.8))
    of = {name: np.corrcoef(answers(one.network, rest), rest.unit_scores)[0, 1] for name, one in
          {"alone": alone, "together": together}.items()}  # fmt: skip
    assert of["together"] > of["alone"] + 0.05


def test_the_mixture_weighs_the_answers_by_a_softmax_of_the_evidence():
    parts = torch.tensor([[0.2, 0.8, 1.0, 1.0], [0.2, 0.8, 0.0, float(np.log(3))]])
    torch.testing.assert_close(Mixture(2)(parts), torch.tensor([[0.5], [0.25 * 0.2 + 0.75 * 0.8]]))


def test_studies_that_contradict_each_other_are_each_answered_like_where_a_photo_is_like_theirs(network):
    draws = np.random.default_rng(5)
    width = network.head[2].in_features
    direction, place = draws.normal(size=(2, width))

    def study(name, side, sign):
        features = draws.normal(size=(80, width)) + 2 * side * place
        values = 0.5 + 0.1 * sign * np.tanh(features @ direction / 8)
        return StudyScores(name, features.astype(np.float32), values)

    fitting, fresh = ([study("first", -1, 1), study("second", 1, -1)] for _ in range(2))
    config = KernelConfig(common=0.2, softness=0.1)
    mixed = fit_kernel_head(network, fitting, ["first", "second"], config).network
    assert mixed.config.studies == 2
    alone = fit_kernel_head(network, fitting, ["first"], config).network
    for one in fresh:
        assert np.corrcoef(answers(mixed, one), one.unit_scores)[0, 1] > 0.5
    assert np.corrcoef(answers(alone, fresh[1]), fresh[1].unit_scores)[0, 1] < 0.2


@pytest.mark.parametrize("shown", [["first"], ["first", "second"]])
def test_it_learns_by_how_much_an_image_is_worse_than_another_of_its_content(network, studies, shown):
    draws = np.random.default_rng(9)
    damage = draws.normal(size=studies[0].features.shape[1]).astype(np.float32)

    def pairs(count):
        better = draws.normal(size=(count, len(damage))).astype(np.float32)
        return Differences(better, better + damage, np.full(count, 0.15), weight=1.0, are_copies=True)

    learned, fresh = pairs(60), pairs(40)
    config = KernelConfig(common=0.4)
    told = fit_kernel_head(network, studies, shown, config, differences=[learned]).network
    untold = fit_kernel_head(network, studies, shown, config).network

    def fall(fitted, one):
        with torch.inference_mode():
            scores = [fitted.head(torch.from_numpy(side)).squeeze(1).numpy() for side in (one.better, one.worse)]
        return float(np.mean(scores[0] - scores[1]))

    assert fall(told, learned) == pytest.approx(0.15, abs=0.05)
    assert fall(told, fresh) > fall(untold, fresh) + 0.03


def test_scores_of_another_study_are_brought_to_the_scale_that_is_shown(network, studies):
    offset, gain = fit_kernel_head(network, studies, ["first"], KernelConfig()).to_shown["second"]
    brought = offset + gain * studies[1].unit_scores
    assert (brought.mean(), brought.std()) == pytest.approx(
        (studies[0].unit_scores.mean(), studies[0].unit_scores.std())
    )


def test_the_same_seed_gives_the_same_bits_and_no_generator_moves(network, studies):
    state = torch.get_rng_state()
    one, other = (fit_kernel_head(network, studies, ["first"], KernelConfig(centres=10)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in one.network.state_dict().items():
        assert torch.equal(value, other.network.state_dict()[name]), name


def test_gradients_flow_through_it_to_the_photo(network, studies):
    fitted = fit_kernel_head(network, studies, ["first"], KernelConfig()).network
    images = torch.rand(1, 3, 64, 64, requires_grad=True)
    fitted(images).sum().backward()
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("studies", [0, 3])
def test_its_graph_gives_its_scores(studies):
    config = RegressorConfig(backbone="mobilenet_v3_small", hidden=8, pooled=(1, 2), centres=5, studies=studies)
    network = Regressor(config)
    assert largest_difference(network, export_graph(network)) < 1e-4


def test_what_cannot_be_fitted_is_said(network, studies):
    with pytest.raises(TrainingError, match=r"answer like third: expected one of first, second\."):
        fit_kernel_head(network, studies, ["third"], KernelConfig())
    flat = StudyScores("flat", studies[0].features, np.full(40, 0.5))
    with pytest.raises(TrainingError, match=r"flat has no two photos with different scores"):
        fit_kernel_head(network, [flat], ["flat"], KernelConfig())
    with pytest.raises(TrainingError, match=r"needs a network that pools several stages"):
        fit_kernel_head(Regressor(RegressorConfig(backbone="mobilenet_v3_small", hidden=8)), studies, ["first"],
                        KernelConfig())  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"), [("width", 0.0), ("penalty", float("nan")), ("common", 1.0), ("centres", 0), ("softness", 0.0)]
)
def test_settings_out_of_range_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=field):
        KernelConfig(**{field: value})


@pytest.fixture
def pooled_model(tiny_csv, tmp_path, run):
    small = ("--backbone", "mobilenet_v3_small", "--initial-weights", "random", "--short-side", "64", "--crop", "48")
    words = ("--pooled", "2", "4", "--steps", "2", "--batch-size", "4", "--head-crops", "8", "--frozen-stages", "0")
    status, _, err = run("joint-train", "--database", tiny_csv, *small, *words, "--run-dir", tmp_path / "first")
    assert status == 0, err
    return tmp_path / "first" / "first.safetensors"


def test_the_command_measures_splits_and_makes_a_model_from_kept_features(
    pooled_model, tiny_csv, tmp_path, run, monkeypatch
):
    other = tmp_path / "other"
    other.mkdir()
    for file in [tiny_csv, *tiny_csv.parent.glob("photo-*.png")]:
        shutil.copy(file, other)
    for photo in other.glob("*.png"):  # other photos: two databases must not share any
        photo.write_bytes(b"")
        from PIL import Image
        from tiny_fixtures import photo_pixels

        Image.fromarray(photo_pixels(100 + int(photo.stem[-2:]), 9.0, (96, 72))).save(photo)
    (other / "database.json").write_text(json.dumps({"format": 1, "name": "other"}))
    (tmp_path / "held.txt").write_text("photo-03.png\nphoto-05.png\n")
    words = [
        "kernel-head", "--model", pooled_model, "--database", tiny_csv, other, "--shown", "tiny", "other",
        "--share", "other=0.3",
        "--most", "other=12", "--held-out", tmp_path / "held.txt", "--repeats", "2", "--run-dir", tmp_path / "head",
        "--dimensions", "8", "--copies", "0.1", "--darkened", "0.05", "--copied", "5", "--tones", "4",
    ]  # fmt: skip
    status, _, err = run(*words)
    assert status == 0, err
    card = load_checkpoint(tmp_path / "head" / "head.safetensors").card
    assert card.regressor.centres == 22 + 12
    assert card.recipe["images"] == {"tiny": 22, "other": 12}
    assert (card.recipe["copies"], card.recipe["darkened"], card.recipe["copied"]) == (0.1, 0.05, 5)
    assert len(card.accuracy["srocc_by_split"]) == 2
    before = (tmp_path / "head" / "head.safetensors").read_bytes()

    def computed_again(*arguments):
        raise AssertionError("the features were kept")

    monkeypatch.setattr(features_module.OnnxEngine, "output", computed_again)
    assert run(*words)[0] == 0
    assert (tmp_path / "head" / "head.safetensors").read_bytes() == before


def test_a_split_is_judged_on_photos_that_are_held_out_of_learning_too(pooled_model, tiny_csv, tmp_path, run):
    (tmp_path / "held.txt").write_text("".join(f"photo-{number:02}.png\n" for number in range(12)))
    status, _, err = run(
        "kernel-head", "--model", pooled_model, "--database", tiny_csv, "--held-out", tmp_path / "held.txt",
        "--repeats", "2", "--only-measure", "--run-dir", tmp_path / "head", "--dimensions", "8",
    )  # fmt: skip
    assert status == 0, err
    splits = [json.loads(file.read_text()) for file in (tmp_path / "head" / "splits").glob("split-*.json")]
    assert len(splits) == 2


def test_pairs_of_levels_are_learned_from_databases_that_have_levels(pooled_model, tiny_csv, distorted, tmp_path, run):
    words = ["kernel-head", "--model", pooled_model, "--database", tiny_csv, distorted, "--dimensions", "8"]
    for name, weight in (("with", "3"), ("without", "0")):
        status, _, err = run(*words, "--levels", weight, "--run-dir", tmp_path / name)
        assert status == 0, err
    told, untold = (load_checkpoint(tmp_path / name / f"{name}.safetensors") for name in ("with", "without"))
    assert told.card.recipe["levels"] == 3
    assert "levels" not in untold.card.recipe
    assert not torch.equal(told.network.head[4].weight, untold.network.head[4].weight)


def test_copies_are_as_strong_as_their_number_says_and_lose_the_more():
    photo = decode(np.random.default_rng(0).integers(0, 256, (96, 80, 3), dtype=np.uint8))
    for kind in (*COPY_KINDS, *DARKENED_KINDS):
        assert np.array_equal(kind.copy(photo, 3), kind.copy(photo, 3)), kind.name
        assert min(kind.falls) <= kind.fall(3) <= max(kind.falls), kind.name
    assert len({kind.fall(number) for number in range(9) for kind in COPY_KINDS[1:]}) == 9 * 6


def test_an_underexposed_copy_has_a_power_of_two_less_light():
    greys = np.tile(np.arange(256, dtype=np.uint8)[:, None], (16, 1, 3))
    linear = lambda values: ((values / 255 + 0.055) / 1.055) ** 2.4  # noqa: E731
    kind = replace(DARKENED_KINDS[1], weakest=2.0, strongest=2.0)
    darker = kind.copy(decode(greys), 0)[0, :, 0]
    np.testing.assert_allclose(linear(darker[100:].astype(float)), linear(np.arange(100, 256.0)) / 4, atol=0.003)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--share", "tiny"), "--share takes NAME=NUMBER with a number above 0, got 'tiny'."),
        (("--most", "other=none"), "--most takes NAME=N with a whole number above 0, got 'other=none'."),
        (("--shown", "nobody"), "There is no database nobody among those to learn from: tiny."),
        (("--levels", "-1"), "the weight of levels must be a finite number of at least 0, got -1."),
        (("--levels", "1"), "Pairs of levels need a database with references, distortion types and levels."),
        (("--copies", "1"), "Copies need a database of authentic photos besides the one that is judged."),
        (("--most", "tiny=5"), "The splits divide all of tiny: name no number of images for it."),
    ],
)
def test_options_that_make_no_sense_get_one_sentence(pooled_model, tiny_csv, tmp_path, run, words, expected):
    status, _, err = run(
        "kernel-head", "--model", pooled_model, "--database", tiny_csv, "--run-dir", tmp_path / "head", *words
    )
    assert (status, expected in err, len(err.strip().splitlines())) == (2, True, 1), err
