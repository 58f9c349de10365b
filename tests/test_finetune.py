"""Fine-tuning: its arithmetic on a toy, its promises on a tiny database."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_fixtures import TINY_PREPROCESSING, spread_network
from torch import nn

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.errors import DatabaseError, TrainingError
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.progress import finish
from metaiqa_core.training import tensor_cache
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS, FineTuneConfig
from metaiqa_core.training.finetune import fine_tune
from metaiqa_core.training.frozen_features import FrozenFeatures
from metaiqa_core.training.photos import TrainingPhotos, predict

NETWORK = RegressorConfig(backbone="mobilenet_v3_small", hidden=8, dropout=0.3)
QUICK = FineTuneConfig(
    epochs=2,
    batch_size=4,
    learning_rate=1e-3,
    schedule="one-cycle",
    crop=48,
    flip=True,
    frozen_stages=9,
    batch_norm="frozen",
    averaging=0.9,
    correlation_weight=0.5,
    gradient_norm=1.0,
)
TRAINING = list(range(12))


class Toy(nn.Module):
    """The smallest network with the regressor's shape: one 1x1 convolution, and one linear layer as its head."""

    def __init__(self):
        super().__init__()
        self.config = RegressorConfig()
        self.backbone = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False))
        self.stages_used = 1
        self.head = nn.Sequential(nn.Linear(1, 1))
        self.mean, self.std = torch.zeros(1), torch.ones(1)
        nn.init.constant_(self.backbone[0].weight, 0.5)
        nn.init.constant_(self.head[0].weight, 0.8)
        nn.init.constant_(self.head[0].bias, 0.1)

    def forward(self, images):
        return self.scores_from(self.features(images, 0), 0)

    def features(self, images, stages):
        return self.backbone[:stages](images)

    def scores_from(self, features, stages):
        return self.head(self.backbone[stages:](features).mean((2, 3))).squeeze(1)


class GreyPhotos(TrainingPhotos):
    """Two flat photos whose scores are known."""

    def __init__(self):
        images = [RatedImage(Path("dark.png"), 0.9, 90), RatedImage(Path("light.png"), 0.2, 20)]
        super().__init__(images, TINY_PREPROCESSING)

    def _read(self, index):
        return torch.full((3, 32, 32), (51, 204)[index], dtype=torch.uint8)


def prior(photos, seed=0):
    network = spread_network(photos, NETWORK, seed)
    network.requires_grad_(True)
    return network


def same_bits(one, other):
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(value, second[key]) for key, value in first.items())


def test_one_step_is_adams_on_the_gradient_of_the_squared_error():
    network, config = Toy(), FineTuneConfig(epochs=1, batch_size=2, learning_rate=0.01, weight_decay=0.1, crop=32)
    finish(fine_tune(network, GreyPhotos(), [0, 1], config))
    # By hand: a flat photo of grey g in [0, 1] has the feature 3 * 0.5 * g and the score 0.8 * 1.5 * g + 0.1.
    greys, scores = np.array([0.2, 0.8]), np.array([0.9, 0.2])
    error = 0.8 * 1.5 * greys + 0.1 - scores
    gradients = {
        "backbone": np.mean(2 * error * 0.8 * greys) + 0.1 * 0.5,  # Adam's decay goes through the gradient
        "weight": np.mean(2 * error * 1.5 * greys) + 0.1 * 0.8,
        "bias": np.mean(2 * error) + 0.1 * 0.1,
    }
    # The first step of Adam: both moments are the gradient's own, so that only its sign and epsilon are left.
    moved = {name: 0.01 * gradient / (abs(gradient) + 1e-8) for name, gradient in gradients.items()}
    assert network.backbone[0].weight.flatten().tolist() == pytest.approx([0.5 - moved["backbone"]] * 3, abs=1e-6)
    assert float(network.head[0].weight.detach()) == pytest.approx(0.8 - moved["weight"], abs=1e-6)
    assert float(network.head[0].bias.detach()) == pytest.approx(0.1 - moved["bias"], abs=1e-6)


def test_the_loss_reported_is_the_mean_squared_error():
    config = FineTuneConfig(epochs=1, batch_size=2, crop=32)
    loss = next(fine_tune(Toy(), GreyPhotos(), [0, 1], config)).metrics["loss"]
    assert loss == pytest.approx(((0.34 - 0.9) ** 2 + (1.06 - 0.2) ** 2) / 2, rel=1e-5)


def test_a_perfect_anticorrelation_adds_its_whole_weight_to_the_loss():
    config = FineTuneConfig(epochs=1, batch_size=2, crop=32, correlation_weight=3.0)
    loss = next(fine_tune(Toy(), GreyPhotos(), [0, 1], config)).metrics["loss"]
    assert loss == pytest.approx(((0.34 - 0.9) ** 2 + (1.06 - 0.2) ** 2) / 2 + 3.0, rel=1e-4)


def test_the_papers_rates_fall_by_a_fifth_every_five_epochs():
    # Adam with a constant sign of the gradient walks by the rate: the bias tells the rates that were used.
    network, places = Toy(), []
    network.requires_grad_(False)
    config = FineTuneConfig(epochs=11, batch_size=2, learning_rate=1e-4, weight_decay=0.0, crop=32)
    for progress in fine_tune(network, GreyPhotos(), [0], config):
        if "epoch" in progress.metrics:
            places.append(float(network.head[0].bias.detach()))
    steps = np.diff(places)
    assert steps[:4] == pytest.approx([1e-4] * 4, rel=0.02)
    assert steps[4:9] == pytest.approx([0.8e-4] * 5, rel=0.02)
    assert steps[9:] == pytest.approx([0.64e-4], rel=0.02)


def test_the_loss_falls_on_photos_whose_scores_mean_something(tiny_photos):
    config = replace(QUICK, epochs=6, learning_rate=3e-3, correlation_weight=0.0, averaging=0.0, crop=64)
    tuned = finish(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config))
    losses = [record["loss"] for record in tuned.history]
    assert losses[-1] < 0.5 * losses[0]
    assert tuned.chosen_epoch == 6
    assert not tuned.network.training


def test_the_same_seed_gives_the_same_bits_whatever_the_reader_draws_meanwhile(tiny_photos):
    config = replace(QUICK, epochs=1)

    def draw_and_ignore(progress):
        torch.rand(3)
        np.random.default_rng().random()

    one = finish(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config))
    before = torch.get_rng_state()
    other = finish(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config), draw_and_ignore)
    assert same_bits(one.network, other.network)
    assert one.history == other.history
    assert not torch.equal(torch.get_rng_state(), before)  # the reader's draws were its own
    another = finish(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, replace(config, seed=1)))
    assert not same_bits(one.network, another.network)


def test_an_interrupted_run_goes_on_to_the_same_bits(tiny_photos, tmp_path):
    config = replace(QUICK, epochs=3)
    validation = [20, 21, 22, 23]
    whole = finish(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config, validation=validation))

    state = tmp_path / "state.pt"
    work = fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config, validation=validation, state_file=state)
    for progress in work:
        if progress.metrics.get("epoch") == 2:
            break
    next(work)  # a step of the third epoch, which is lost
    work.close()

    work = fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config, validation=validation, state_file=state)
    shown = []
    resumed = finish(work, shown.append)
    assert shown[0].step == 2 * 3 + 1
    assert resumed.history == whole.history
    assert resumed.chosen_epoch == whole.chosen_epoch
    assert same_bits(resumed.network, whole.network)


def test_a_finished_run_is_not_trained_again(tiny_photos, tmp_path):
    state, config = tmp_path / "state.pt", replace(QUICK, epochs=1)
    first = finish(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config, state_file=state))
    shown = []
    again = finish(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config, state_file=state), shown.append)
    assert shown == []
    assert same_bits(first.network, again.network)


@pytest.mark.parametrize("change", ["configuration", "images", "start"])
def test_a_state_of_another_run_is_refused(tiny_photos, tmp_path, change):
    state, config = tmp_path / "state.pt", replace(QUICK, epochs=1)
    finish(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config, state_file=state))
    config = replace(config, learning_rate=2e-3) if change == "configuration" else config
    training = TRAINING[1:] if change == "images" else TRAINING
    network = prior(tiny_photos)
    if change == "start":
        with torch.no_grad():
            network.head[1].weight.add_(1)
    with pytest.raises(TrainingError) as caught:
        finish(fine_tune(network, tiny_photos, training, config, state_file=state))
    assert str(caught.value) == (
        f"The run in {tmp_path} was started with another configuration: choose another --run-dir, or delete it."
    )


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04 cut"])
def test_a_damaged_state_is_refused(tiny_photos, tmp_path, content):
    state = tmp_path / "state.pt"
    state.write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        next(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, QUICK, state_file=state))
    assert str(caught.value) == f"The state of the run in {state} is damaged: delete it to start this run afresh."


def test_a_state_that_lacks_a_part_is_refused(tiny_photos, tmp_path):
    state, config = tmp_path / "state.pt", replace(QUICK, epochs=1)
    finish(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config, state_file=state))
    content = torch.load(state, weights_only=True)
    torch.save({key: value for key, value in content.items() if key != "descent"}, state)
    with pytest.raises(TrainingError, match=r"state\.pt is damaged: delete it to start this run afresh"):
        next(fine_tune(prior(tiny_photos), tiny_photos, TRAINING, config, state_file=state))


def test_validation_keeps_the_best_epoch_and_only_judges(tiny_photos):
    class Watched(TrainingPhotos):
        """Photos of which the held-out ones may not be asked for, and the validation ones only to be scored."""

        def __getitem__(self, index):
            assert index not in (18, 19), "a test photo was looked at"
            return tiny_photos[index]

    photos = Watched(tiny_photos.images, TINY_PREPROCESSING)
    photos.unit_scores[[18, 19]] = float("nan")
    # A rate so high that later epochs are worse than earlier ones.
    config = replace(QUICK, epochs=4, learning_rate=0.05, averaging=0.0, frozen_stages=12, schedule="step")
    network, validation, snapshots = prior(tiny_photos), [20, 21, 22, 23], {}
    work = fine_tune(network, photos, TRAINING, config, validation=validation)

    def keep(progress):
        if "epoch" in progress.metrics:
            snapshots[progress.metrics["epoch"]] = predict(network, photos, validation)

    tuned = finish(work, keep)
    errors = {record["epoch"]: record["validation_rmse"] for record in tuned.history}
    opinion = tiny_photos.unit_scores[validation].numpy()
    for epoch, predicted in snapshots.items():
        assert errors[epoch] == pytest.approx(float(np.sqrt(np.mean((predicted - opinion) ** 2))), rel=1e-6)
    assert tuned.chosen_epoch == min(errors, key=errors.get)
    assert predict(tuned.network, photos, validation).tolist() == snapshots[tuned.chosen_epoch].tolist()


def test_frozen_stages_keep_weights_and_statistics_and_the_others_move(tiny_photos):
    network = prior(tiny_photos)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    config = replace(QUICK, epochs=1, batch_norm="adapt", weight_decay=0.1, averaging=0.0)
    finish(fine_tune(network, tiny_photos, TRAINING, config))
    after = network.state_dict()
    changed = {key for key, value in before.items() if not torch.equal(value, after[key])}
    frozen = {f"backbone.{stage}." for stage in range(9)}
    assert not [key for key in changed if any(key.startswith(stage) for stage in frozen)]
    assert {"backbone.9.block.0.0.weight", "backbone.12.1.running_mean", "head.1.weight"} <= changed


@pytest.mark.parametrize("policy", ["frozen", "adapt"])
def test_batch_statistics_follow_the_policy(tiny_photos, policy):
    network = prior(tiny_photos)
    before = {key: value.clone() for key, value in network.state_dict().items() if "running" in key}
    finish(fine_tune(network, tiny_photos, TRAINING, replace(QUICK, epochs=1, batch_norm=policy)))
    kept = [key for key, value in network.state_dict().items() if key in before and torch.equal(value, before[key])]
    trained = [key for key in before if int(key.split(".")[1]) >= QUICK.frozen_stages]
    assert (set(trained) <= set(kept)) == (policy == "frozen")


def test_a_loss_that_is_not_finite_ends_the_run_with_advice(tiny_photos):
    network = prior(tiny_photos)
    with torch.no_grad():
        network.head[1].bias.fill_(float("nan"))
    with pytest.raises(TrainingError) as caught:
        next(fine_tune(network, tiny_photos, TRAINING, QUICK))
    assert str(caught.value) == ("The loss became nan: lower the learning rates, or check the scores of the database.")


class Draws:
    """A generator whose numbers are known: place from the top, place from the left, mirror."""

    def __init__(self, *rows):
        self._rows = np.array(rows)

    def random(self, shape):
        assert shape == self._rows.shape
        return self._rows


def test_features_kept_in_half_precision_are_those_computed_directly(tiny_photos):
    network = prior(tiny_photos).eval()
    cached = FrozenFeatures(network, tiny_photos, 4)
    for mirrored in (False, True):
        for _ in range(2):  # computed, then kept
            [maps] = cached.batch([3], 10_000, True, Draws([0.0, 0.0, 0.0 if mirrored else 0.9]))
            photo = tiny_photos[3].flip(2) if mirrored else tiny_photos[3]
            with torch.no_grad():
                direct = network.features(photo[None].float() / 255, 4)[0]
            side = min(direct.shape[1:])
            torch.testing.assert_close(maps, direct[:, :side, :side], rtol=2e-3, atol=2e-3)


def test_features_of_crops_are_computed_on_the_crops(tiny_photos):
    network = Regressor(NETWORK).eval()
    features = FrozenFeatures(network, tiny_photos, 4, of_crops=True)
    maps = features.batch([3, 3], 32, True, Draws([0.0, 0.0, 0.9], [0.0, 0.0, 0.2]))
    crops = torch.stack([photo[:, :32, :32] for photo in (tiny_photos[3], tiny_photos[3].flip(2))])
    torch.testing.assert_close(maps, network.features(crops.float() / 255, 4))
    assert not maps.requires_grad


def test_a_photo_whose_features_are_kept_is_not_read_again(tiny_database, monkeypatch):
    photos = TrainingPhotos(tiny_database.images[:2], TINY_PREPROCESSING, cache_bytes=0)
    features = FrozenFeatures(Regressor(NETWORK).eval(), photos, 4)
    first = features.batch([0, 1], 32, False, Draws([0.5, 0.5, 0.9], [0.5, 0.5, 0.9]))
    monkeypatch.setattr(photos, "_read", lambda _: pytest.fail("a photo was read again"))
    again = features.batch([0, 1], 32, False, Draws([0.5, 0.5, 0.9], [0.5, 0.5, 0.9]))
    torch.testing.assert_close(again, first, rtol=0, atol=0)


def test_crops_lie_where_the_draw_says_and_shrink_to_the_smallest_photo(tiny_photos):
    features = FrozenFeatures(Regressor(NETWORK).eval(), tiny_photos, 0)
    photos = [tiny_photos[index].float() / 255 for index in (0, 1)]
    crops = features.batch([0, 1], 32, False, Draws([0.0, 0.0, 0.9], [0.999, 0.999, 0.0]))
    assert crops.shape == (2, 3, 32, 32)
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    torch.testing.assert_close(crops[0], (photos[0][:, :32, :32] - mean) / std)
    torch.testing.assert_close(crops[1], (photos[1][:, -32:, -32:] - mean) / std)
    [mirrored] = features.batch([0], 32, True, Draws([0.0, 0.0, 0.2]))
    torch.testing.assert_close(mirrored, (photos[0].flip(2)[:, :32, :32] - mean) / std)
    assert features.batch([0, 1], 1000, False, Draws([0.5, 0.5, 0.9], [0.5, 0.5, 0.9])).shape == (2, 3, 64, 64)


def test_predictions_from_kept_maps_have_the_networks_bits(tiny_photos):
    network = prior(tiny_photos).eval()
    plain = predict(network, tiny_photos, [0, 3, 5])
    for _ in range(2):  # computed, then kept
        assert (predict(network, tiny_photos, [0, 3, 5], 4) == plain).all()
    with torch.no_grad():
        network.backbone[0][0].weight.mul_(1.5)
    assert (predict(network, tiny_photos, [0, 3, 5], 4) == predict(network, tiny_photos, [0, 3, 5])).all()
    assert not (predict(network, tiny_photos, [0, 3, 5], 4) == plain).any()


def test_photos_beyond_the_cache_are_decoded_again(tiny_database, monkeypatch):
    reads = []
    one_photo = 3 * 64 * 85
    photos = TrainingPhotos(tiny_database.images[:3], TINY_PREPROCESSING, cache_bytes=one_photo)
    read = photos._read
    monkeypatch.setattr(photos, "_read", lambda index: reads.append(index) or read(index))
    for index in (0, 1, 0, 1):
        photos[index]
    assert reads == [0, 1, 1]


def test_what_is_kept_stays_as_it_was_made(monkeypatch):
    monkeypatch.setattr(tensor_cache, "BLOCK_BYTES", 1000)
    generator = torch.Generator().manual_seed(0)
    made = [torch.randint(0, 256, (3, 5, 7), generator=generator, dtype=torch.uint8) for _ in range(4)]
    made += [torch.rand(2, 3, 5, 7, generator=generator).contiguous(memory_format=torch.channels_last)]
    made += [torch.rand(20, 30, generator=generator), torch.rand(4, 6, generator=generator).half()[:, ::2]]
    cache = tensor_cache.TensorCache(10_000)
    with torch.inference_mode():
        cache.get(0, made[0].clone)
    for key, tensor in enumerate(made):
        cache.get(key, tensor.clone)
    for key, tensor in enumerate(made):
        kept = cache.get(key, lambda: pytest.fail("it was not kept"))
        assert torch.equal(kept, tensor)
        assert kept.dtype == tensor.dtype
        assert kept.is_contiguous(memory_format=torch.channels_last if kept.dim() == 4 else torch.contiguous_format)


def test_an_unreadable_photo_names_the_file(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    photos = TrainingPhotos([RatedImage(tmp_path / "broken.jpg", 0.5, 50)], TINY_PREPROCESSING)
    with pytest.raises(DatabaseError, match=r"^An image of the database cannot be used: broken\.jpg .*\.$"):
        photos[0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"crop": 31}, "crop must be at least 32 pixels, got 31"),
        ({"learning_rate": 0.0}, "learning rates must be above 0"),
        ({"head_learning_rate": -1.0}, "learning rates must be above 0"),
        ({"weight_decay": -1.0}, "weight_decay must be 0 or more, got -1.0"),
        ({"frozen_stages": -1}, "frozen_stages must be 0 or more, got -1"),
        ({"averaging": 1.0}, "averaging must be in [0, 1), got 1.0"),
        ({"validation_share": -0.1}, "validation_share must be in [0, 1), got -0.1"),
        ({"schedule": "cosine"}, "schedule must be step or one-cycle, got 'cosine'"),
        ({"batch_norm": "off"}, "batch_norm must be frozen or adapt, got 'off'"),
    ],
)
def test_impossible_configurations_are_refused(options, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        FineTuneConfig(**options)


def test_the_papers_preset_has_the_papers_numbers():
    paper = FINE_TUNE_PRESETS["paper"]
    assert (paper.epochs, paper.batch_size, paper.learning_rate, paper.crop) == (100, 50, 1e-5, 224)


def test_freezing_more_stages_than_there_are_is_refused_with_their_number(tiny_photos):
    network = Regressor(RegressorConfig(backbone="regnet_y_400mf"))
    work = fine_tune(network, tiny_photos, TRAINING, replace(QUICK, frozen_stages=7))
    with pytest.raises(TrainingError) as caught:
        finish(work)
    assert str(caught.value) == (
        "7 stages cannot be frozen where regnet_y_400mf has 2: give 0 to 2 with --frozen-stages; with 2 only the head "
        "learns."
    )
