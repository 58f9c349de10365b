"""Tones: soft histograms of light and colour, in the network, its graph, in training and in the kernel regression."""

import numpy as np
import pytest
import torch

from metaiqa_core.engine.graph import export_graph
from metaiqa_core.engine.graph_check import largest_difference
from metaiqa_core.errors import TrainingError
from metaiqa_core.models.checkpoints import load_checkpoint
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.models.regressor_config import RegressorConfig
from metaiqa_core.models.tones import ToneMaps, Tones, tone_features
from metaiqa_core.training.kernel_configuration import KernelConfig
from metaiqa_core.training.kernel_regression import StudyScores, fit_kernel_head
from metaiqa_core.training.modes import freeze_stages

SEEN = RegressorConfig("mobilenet_v3_small", 8, pooled=(1, 2), centres=5, studies=2, tones=4, tone_centres=3)


def network_of(config=SEEN):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Regressor(config).eval()
        for kind in network.head[3].children():
            kind.centres.normal_(std=0.3)
        torch.nn.init.normal_(network.head[4].weight)
    return network


def test_the_tones_of_a_place_add_up_to_one_and_say_how_light_it_is():
    images = torch.rand(2, 3, 40, 48)
    maps = ToneMaps(5)(images).view(2, 4, 5, 10, 12)
    torch.testing.assert_close(maps.sum(2), torch.ones(2, 4, 10, 12))
    levels = torch.linspace(0, 1, 5).view(1, 1, 5, 1, 1)
    small = torch.nn.functional.avg_pool2d(images, 4)
    torch.testing.assert_close((maps * levels).sum(2)[:, :3], small, atol=1e-5, rtol=0)
    torch.testing.assert_close((maps * levels).sum(2)[:, 3], small.mean(1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("grey", [0.0, 0.25, 0.6, 1.0])
def test_an_even_photo_has_one_tone_or_two_neighbours_and_no_deviation(grey):
    statistics = Tones(5)(torch.full((1, 3, 32, 32), grey)).view(2, 4, 5)
    expected = np.maximum(0, 1 - np.abs(grey - np.linspace(0, 1, 5)) * 4)
    np.testing.assert_allclose(statistics[0, 3], expected, atol=1e-6)
    np.testing.assert_allclose(statistics[1], 1e-3, atol=1e-6)
    assert statistics.numel() == tone_features(5)


@pytest.mark.parametrize("size", [(32, 32), (67, 41), (64, 96)])
def test_the_head_sees_tones_after_what_is_pooled_and_a_graph_gives_the_same_scores(size):
    network, images = network_of(), torch.rand(1, 3, *size)
    seen = network.head_input(images)
    torch.testing.assert_close(seen[:, -tone_features(4) :], network.tones(images))
    assert seen.shape[1] == network.head[2].in_features
    assert torch.equal(network.scores_from(seen, network.stages_used), network(images))
    assert largest_difference(network, export_graph(network)) < 1e-4


def test_a_score_is_a_function_of_the_features_plus_a_function_of_the_tones():
    network = network_of(RegressorConfig("mobilenet_v3_small", 8, pooled=(1, 2), centres=5, tones=4, tone_centres=3))
    seen = torch.rand(2, network.head[2].in_features)
    network.head[2].weight.data[:8, -tone_features(4) :] = 0  # as a fitted projection has it
    network.head[2].weight.data[8:, : -tone_features(4)] = 0
    mixed = seen.clone()
    mixed[:, -tone_features(4) :] = seen.flip(0)[:, -tone_features(4) :]
    score = lambda rows: network.head(rows).squeeze(1).detach()  # noqa: E731
    torch.testing.assert_close(score(seen).sum(), score(mixed).sum())
    assert (score(seen) - score(mixed)).abs().max() > 1e-4


def test_stages_before_the_head_can_be_frozen_all_or_not_at_all():
    network = network_of()
    images = torch.rand(2, 3, 48, 48)
    torch.testing.assert_close(network.scores_from(network.features(images, 0), 0), network(images), atol=1e-5, rtol=0)
    with pytest.raises(TrainingError, match=r"tones of the photos would not be kept.* give 0 .* or all 2: then only"):
        freeze_stages(network, 1, head_alone=True)
    freeze_stages(network, 2, head_alone=True)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tones": 1, "tone_centres": 3}, "tones must be 0 or from 2 to 64, got 1"),
        ({"tones": 65, "tone_centres": 3}, "tones must be 0 or from 2 to 64, got 65"),
        ({"tones": 4}, "give the numbers of centres and of tone_centres too"),
        ({"tones": 4, "tone_centres": 3, "centres": 0}, "give the numbers of centres and of tone_centres too"),
        ({"tone_centres": 3}, "give the numbers of centres and of tone_centres too"),
        ({"tones": 4, "tone_centres": -1}, "tone_centres must be from 0 to"),
    ],
)
def test_a_configuration_with_impossible_tones_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        RegressorConfig(**{"backbone": "mobilenet_v3_small", "pooled": (1,), "centres": 5} | fields)


def test_a_card_says_nothing_of_tones_where_there_are_none():
    assert "tones" not in RegressorConfig().to_dict()
    assert SEEN.to_dict()["tones"] == 4


def test_a_head_with_tones_learns_from_light_what_the_features_do_not_show():
    start = Regressor(RegressorConfig("mobilenet_v3_small", 8, pooled=(1, 2))).eval()
    width = start.head[2].in_features
    start.head[0].fit(torch.randn(50, width))

    def study(seed, tones):
        draws = np.random.default_rng(seed)
        light = draws.random((80, tone_features(4)))
        scores = 0.5 + 0.2 * (light[:, 0] - 0.5)
        return StudyScores("study", np.concatenate([draws.normal(size=(80, width)), light], 1).astype(np.float32)
                           [:, : None if tones else width], scores)  # fmt: skip

    def agreement(tones):
        config = KernelConfig(tones=tones, centres=80, penalty=0.05)
        fitted = fit_kernel_head(start, [study(1, tones)], ["study"], config).network
        asked = study(2, tones)
        with torch.inference_mode():
            answered = fitted.head(torch.from_numpy(asked.features)).squeeze(1).numpy()
        return fitted, np.corrcoef(answered, asked.unit_scores)[0, 1]

    seeing, with_tones = agreement(4)
    _, without = agreement(0)
    assert seeing.config.tones == 4
    assert seeing.config.tone_centres == 80
    assert with_tones > 0.5 > without


def test_the_command_makes_a_model_with_tones_that_scores_and_is_refitted_with_as_many(tiny_csv, tmp_path, run):
    small = ("--backbone", "mobilenet_v3_small", "--initial-weights", "random", "--short-side", "64", "--crop", "48")
    words = ("--pooled", "2", "4", "--steps", "2", "--batch-size", "4", "--head-crops", "8", "--frozen-stages", "0")
    assert run("joint-train", "--database", tiny_csv, *small, *words, "--run-dir", tmp_path / "first")[0] == 0
    fit = ("kernel-head", "--database", tiny_csv, "--dimensions", "8", "--tone-centres", "6")
    first = tmp_path / "first" / "first.safetensors"
    status, _, err = run(*fit, "--tones", "4", "--model", first, "--run-dir", tmp_path / "seeing")
    assert status == 0, err
    file = tmp_path / "seeing" / "seeing.safetensors"
    checkpoint = load_checkpoint(file)
    assert (checkpoint.card.regressor.tones, checkpoint.card.regressor.tone_centres) == (4, 6)
    assert checkpoint.card.recipe["configuration"]["tones"] == 4
    status, out, err = run("score", tiny_csv.parent / "photo-01.png", "--model", file, "--format", "csv")
    assert (status, "photo-01.png" in out) == (0, True), err
    assert run(*fit, "--tones", "4", "--model", file, "--run-dir", tmp_path / "again")[0] == 0
    status, _, err = run(*fit, "--tones", "5", "--model", file, "--run-dir", tmp_path / "other")
    assert (status, "seeing sees 4 tones: give as many with --tones, got 5." in err) == (2, True), err
