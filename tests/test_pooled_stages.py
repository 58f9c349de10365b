"""Networks that pool several stages by mean and standard deviation: the arithmetic, cuts, cards, and old models."""

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch
from tiny_fixtures import TINY_CONFIG, TINY_PREPROCESSING, spread_network

from metaiqa_core.errors import CheckpointError, TrainingError
from metaiqa_core.models.card import ModelCard, read_card
from metaiqa_core.models.checkpoints import load_checkpoint, save_checkpoint
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.models.spread import Spread
from metaiqa_core.progress import finish
from metaiqa_core.training.finetune import FineTuneConfig, fine_tune
from metaiqa_core.training.modes import freeze_stages, get_ready
from metaiqa_core.training.photos import predict

POOLED = RegressorConfig("mobilenet_v3_small", 8, pooled=(2, 4, 13))


@pytest.fixture(scope="module")
def network(tiny_photos):
    return spread_network(tiny_photos, POOLED)


@pytest.mark.parametrize(
    ("backbone", "pooled", "width"),
    [
        ("mobilenet_v3_small", (2, 4, 13), 2 * (16 + 24 + 576)),
        ("efficientnet_lite0", (2, 3, 4, 6, 9), 2 * (16 + 24 + 40 + 112 + 1280)),
        ("efficientnet_lite0", (6,), 2 * 112),
        ("efficientnet_lite0", (), 1280),
    ],
)
def test_the_head_sees_mean_and_deviation_of_every_channel_that_is_pooled(backbone, pooled, width):
    network = Regressor(RegressorConfig(backbone, 8, pooled=pooled)).eval()
    assert network.head[-3].in_features == width
    with torch.no_grad():
        maps = network.pooled_maps(network.features(torch.rand(2, 3, 70, 64), 0), 0)
        assert network.pool(maps).shape == (2, width)
        assert network(torch.rand(3, 3, 33, 47)).shape == (3,)


def test_the_score_is_that_of_numpys_means_and_deviations(network):
    images = torch.rand(2, 3, 64, 80, generator=torch.Generator().manual_seed(0))
    parts = []
    with torch.no_grad():
        for stages in POOLED.pooled:
            maps = network.features(images, stages).double().numpy()
            parts += [maps.mean((2, 3)), np.sqrt(maps.var((2, 3)) + 1e-6)]
        scores = network(images)
    _, first, _, last = (
        {name: weight.detach().double().numpy() for name, weight in layer.named_parameters()}
        for layer in list(network.head)[-4:]
    )
    hidden = np.maximum(np.concatenate(parts, 1) @ first["weight"].T + first["bias"], 0)
    expected = (hidden @ last["weight"].T + last["bias"])[:, 0]
    np.testing.assert_allclose(scores.numpy(), expected, atol=1e-5)


def test_frozen_stages_up_to_the_first_pooled_one_give_the_same_score(network):
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        scores = network(images)
        for stages in range(3):
            assert torch.equal(network.scores_from(network.features(images, stages), stages), scores)


def test_frozen_stages_beyond_the_first_pooled_one_are_refused(network):
    with pytest.raises(ValueError, match="^stages must be at most 2, the first stage that is pooled, got 3$"):
        network.scores_from(network.features(torch.rand(1, 3, 64, 64), 3), 3)
    with pytest.raises(TrainingError) as caught:
        freeze_stages(network, 3)
    assert str(caught.value) == (
        "With 3 frozen stages the maps of stage 2 would not be kept, which this network pools: "
        "give at most 2 with --frozen-stages."
    )


def test_stages_that_no_score_depends_on_do_not_learn():
    network = Regressor(RegressorConfig("mobilenet_v3_small", 8, pooled=(2, 4)))
    freeze_stages(network, 1)
    network(torch.rand(2, 3, 64, 64)).sum().backward()
    for number, stage in enumerate(network.backbone, start=1):
        learns = 1 < number <= 4
        assert all(weight.requires_grad == learns for weight in stage.parameters())
        assert all((weight.grad is not None) == learns for weight in stage.parameters())
    one = Regressor(RegressorConfig("mobilenet_v3_small", 8, pooled=(4,)))
    with pytest.raises(TrainingError, match=r"^With 4 frozen stages nothing of .* \(0 to 3\)\.$"):
        freeze_stages(one, 4)
    with pytest.raises(TrainingError, match=r"^5 stages cannot be frozen where mobilenet_v3_small has 4: give 0 to 4 "):
        freeze_stages(one, 5, head_alone=True)


def test_a_head_learns_alone_from_features_of_whole_photos_that_are_computed_once(tiny_photos, monkeypatch):
    network = spread_network(tiny_photos, POOLED)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    config = FineTuneConfig(epochs=2, batch_size=4, learning_rate=1e-3, frozen_stages=POOLED.pooled[-1], flip=False)
    seen = []
    read = type(tiny_photos).__getitem__
    monkeypatch.setattr(type(tiny_photos), "__getitem__", lambda self, index: seen.append(index) or read(self, index))
    finish(fine_tune(network, tiny_photos, list(range(8)), config, validation=[8, 9]))
    assert sorted(seen) == list(range(10))
    after = network.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in before if key.startswith("backbone."))
    assert not torch.equal(after["head.2.weight"], before["head.2.weight"])
    monkeypatch.undo()
    kept = predict(network, tiny_photos, [8, 9], POOLED.pooled[-1])
    np.testing.assert_allclose(kept, predict(network, tiny_photos, [8, 9]), atol=1e-5)


def test_the_inputs_of_a_new_head_are_standardised_by_the_photos_it_learns_from(tiny_photos):
    network = Regressor(POOLED).eval()
    config = FineTuneConfig(frozen_stages=POOLED.pooled[-1])
    features = tiny_photos.frozen_features(network, config.frozen_stages)
    get_ready(network, features, range(8), config)
    inputs = network.head[0](torch.cat([features.whole(position) for position in range(8)]))
    varies = inputs.std(0, correction=0) > 0.5
    assert varies.sum() > 8
    torch.testing.assert_close(inputs.mean(0), torch.zeros(inputs.shape[1]), atol=1e-4, rtol=0)
    torch.testing.assert_close(inputs[:, varies].std(0, correction=0), torch.ones(int(varies.sum())), atol=1e-3, rtol=0)
    fitted = network.head[0].mean.clone()
    get_ready(network, features, [8], config)
    assert torch.equal(network.head[0].mean, fitted)


def test_mirrored_photos_have_inputs_of_their_own(tiny_photos):
    features = tiny_photos.frozen_features(Regressor(POOLED).eval(), POOLED.pooled[-1])
    drawn = features.batch([3] * 20, 32, True, np.random.default_rng(0))
    assert len(drawn.unique(dim=0)) == 2
    assert torch.equal(features.batch([3], 32, False, np.random.default_rng(0)), features.whole(3))


def test_frozen_stages_leave_no_fusion_behind_that_rests():
    with pytest.raises(TrainingError, match=r"^With all 4 stages frozen the fusion of their maps would not learn"):
        freeze_stages(Regressor(RegressorConfig("mobilenet_v3_small", 8, pooled=(2, 4), fused=8)), 4, head_alone=True)


def test_a_pooled_network_learns_from_kept_features_of_its_frozen_stages(tiny_photos):
    network = spread_network(tiny_photos, POOLED)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    config = FineTuneConfig(epochs=1, batch_size=4, learning_rate=1e-3, crop=48, frozen_stages=2)
    finish(fine_tune(network, tiny_photos, list(range(8)), config))
    after = network.state_dict()
    for key, value in before.items():
        if key.startswith(("backbone.0.", "backbone.1.")):
            assert torch.equal(after[key], value)
    assert not torch.equal(after["backbone.2.block.0.0.weight"], before["backbone.2.block.0.0.weight"])
    assert not torch.equal(after["head.2.weight"], before["head.2.weight"])


def test_the_deviation_of_an_even_map_has_a_finite_gradient():
    for maps in (torch.ones(1, 2, 4, 4, requires_grad=True), torch.ones(1, 2, 1, 1, requires_grad=True)):
        spread = Spread()(maps)
        spread.sum().backward()
        torch.testing.assert_close(spread, torch.full((1, 2), 1e-3))
        assert maps.grad.isfinite().all()


def card_of(config):
    return ModelCard("pooled", "For tests.", "regressor", config, TINY_PREPROCESSING, "none", "MIT")


def test_a_card_keeps_the_pooled_stages(network, tmp_path):
    save_checkpoint(network, card_of(POOLED), tmp_path / "pooled.safetensors")
    loaded = load_checkpoint(tmp_path / "pooled.safetensors")
    assert json.loads((tmp_path / "pooled.json").read_text())["regressor"]["pooled"] == [2, 4, 13]
    assert loaded.card.regressor == POOLED
    assert loaded.card.regressor.pooled == (2, 4, 13)
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded.network(images), network(images))


def test_models_and_cards_from_before_stages_could_be_pooled_load(tiny_checkpoint, tmp_path):
    card = json.loads(tiny_checkpoint.with_suffix(".json").read_text())
    del card["regressor"]["pooled"]
    (tmp_path / "old.json").write_text(json.dumps(card))
    (tmp_path / "old.safetensors").write_bytes(tiny_checkpoint.read_bytes())
    assert read_card(tmp_path / "old.json").regressor == TINY_CONFIG
    network = load_checkpoint(tmp_path / "old.safetensors").network
    assert network.config.pooled == ()
    assert set(network.state_dict()) == set(load_checkpoint(tiny_checkpoint).network.state_dict())


@pytest.mark.parametrize(
    ("pooled", "sentence"),
    [
        ([2, 40], "pooled must name stages of mobilenet_v3_small, 1 to 13, got 40"),
        ([4, 2], r"pooled must be ascending numbers of stages from 1, got \[4, 2\]"),
    ],
)
def test_a_card_with_impossible_stages_is_refused(pooled, sentence, tiny_checkpoint, tmp_path):
    card = json.loads(tiny_checkpoint.with_suffix(".json").read_text())
    card["regressor"]["pooled"] = pooled
    (tmp_path / "wrong.json").write_text(json.dumps(card))
    (tmp_path / "wrong.safetensors").write_bytes(tiny_checkpoint.read_bytes())
    with pytest.raises(
        CheckpointError, match=rf"^The model card wrong\.json is not valid: {sentence}\. Restore the file"
    ):
        load_checkpoint(tmp_path / "wrong.safetensors")


@pytest.mark.parametrize("pooled", [(0,), (2, 2), (3, 1), (1.5,), "12"])
def test_impossible_stages_are_refused(pooled):
    with pytest.raises(ValueError, match="^pooled must be ascending numbers of stages from 1, got "):
        RegressorConfig(pooled=pooled)


def test_folding_and_unfolding_keep_the_pooled_stages_and_the_function(network):
    folded = copy.deepcopy(network).double()
    images = torch.rand(1, 3, 64, 64, dtype=torch.double)
    with torch.no_grad():
        expected = folded(images)
        folded.fold()
        assert folded.config == dataclasses.replace(POOLED, folded=True)
        torch.testing.assert_close(folded(images), expected, rtol=0, atol=1e-6)
        folded.unfold()
        assert folded.config == POOLED
