"""Algorithm 1 on a toy network, where every step can be computed by hand."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.errors import TrainingError
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import finish
from metaiqa_core.tasks import distortion_tasks, split_task
from metaiqa_core.training import meta
from metaiqa_core.training.adam import Adam
from metaiqa_core.training.baseline import train_baseline
from metaiqa_core.training.configuration import FineTuneConfig
from metaiqa_core.training.finetune import fine_tune
from metaiqa_core.training.flat_weights import FlatWeights
from metaiqa_core.training.meta import image_passes, meta_train
from metaiqa_core.training.meta_configuration import META_PRESETS, BaselineConfig, MetaConfig
from metaiqa_core.training.modes import freeze_stages
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.processes import Processes
from metaiqa_core.training.step import Learner
from metaiqa_core.training.task_sampling import mini_batch

TYPES = ("kadid10k:GB", "kadid10k:WN", "kadid10k:JPEG")


class Toy(Regressor):
    """A network of a dozen weights with everything that training looks at: stages, batch normalisation, a head."""

    def __init__(self, seed=0):
        nn.Module.__init__(self)
        generator = torch.Generator().manual_seed(seed)
        self.config = RegressorConfig()
        self.backbone = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Softplus())
        self.head = nn.Sequential(nn.Linear(2, 1))
        self.tones = None
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.ones(1, 3, 1, 1), persistent=False)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.5


def folded_toy():
    """Return one whose batch normalisation stands idle, as in weights that were published folded."""
    network = Toy()
    network.backbone[1].weight.data.fill_(1)
    return network


class MemoryPhotos(TrainingPhotos):
    """Photos that are noise, and remember which of them were looked at."""

    def __init__(self, images):
        super().__init__(images, Preprocessing())
        self.looked_at = set()

    def _read(self, index):
        self.looked_at.add(index)
        generator = torch.Generator().manual_seed(index)
        return torch.randint(0, 256, (3, 40, 40), generator=generator, dtype=torch.uint8)


@pytest.fixture
def database(tmp_path):
    images = [
        RatedImage(tmp_path / f"{kind[9:]}_{number}.png", (number % 7) / 6, number % 7, f"r{number % 4}", kind, 1)
        for kind in TYPES
        for number in range(12)
    ]
    return Database("toy", tuple(images), (0.0, 6.0))


@pytest.fixture
def photos(database):
    return MemoryPhotos(database.images)


@pytest.fixture
def tasks(database):
    return distortion_tasks(database)


SMALL = MetaConfig(epochs=2, tasks_per_batch=2, inner_steps=2, support_batch=4, query_batch=3, crop=32)


def weights_of(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_uncorrected_adam_under_a_constant_gradient_takes_the_known_steps():
    network = Toy()
    freeze_stages(network, 0)
    weights = FlatWeights(network)
    adam = Adam(weights, learning_rate=1.0, second_moment_decay=0.99)
    steps = []
    for _ in range(6):
        before = weights.values.clone()
        weights.gradient.fill_(3.0)
        adam.step()
        steps.append(float((before - weights.values).mean()))
    assert steps == pytest.approx([1, 1.347, 1.572, 1.732, 1.850, 1.937], abs=1e-3)
    assert sum(steps) == pytest.approx(9.44, abs=5e-3)


@pytest.mark.parametrize("head_learning_rate", [None, 1e-2])
def test_corrected_adam_is_torchs_adam(head_learning_rate):
    ours, theirs = Toy(), Toy()
    for network in (ours, theirs):
        freeze_stages(network, 0)
    weights = FlatWeights(ours)
    adam = Adam(
        weights,
        learning_rate=1e-3,
        head_learning_rate=head_learning_rate,
        second_moment_decay=0.999,
        weight_decay=0.1,
        bias_correction=True,
    )
    groups = [
        {"params": list(theirs.backbone.parameters()), "lr": 1e-3},
        {"params": list(theirs.head.parameters()), "lr": head_learning_rate or 1e-3},
    ]
    reference = torch.optim.Adam(groups, betas=(0.9, 0.999), weight_decay=0.1)
    images = torch.rand(4, 3, 8, 8)
    for _ in range(5):
        weights.gradient.zero_()
        ours(images).square().mean().backward()
        adam.step()
        reference.zero_grad()
        theirs(images).square().mean().backward()
        reference.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-7)


def test_the_flat_vector_is_the_network_and_release_gives_the_network_back():
    network = Toy().to(memory_format=torch.channels_last)
    freeze_stages(network, 0)
    before = weights_of(network)
    weights = FlatWeights(network, with_statistics=True)
    assert equal(before, weights_of(network))
    assert len(weights.values) == sum(p.numel() for p in network.parameters()) + 4  # two means and two variances
    weights.values.add_(1.0)
    changed = weights_of(network)
    assert all(torch.allclose(changed[name], before[name] + 1) for name in before if before[name].is_floating_point())
    weights.release()
    weights.values.zero_()
    assert equal(changed, weights_of(network))
    assert all(parameter.grad is None for parameter in network.parameters())


def test_one_task_and_one_step_are_what_the_paper_writes(photos, tasks):
    """Eqs. 3-8 with k = S = 1, by autograd and pen: both Adam steps are alpha * g / (|g| + eps) from fresh moments."""
    config = dataclasses.replace(
        SMALL, epochs=1, tasks_per_batch=1, inner_steps=1, support_batch=99, query_batch=99, weight_decay=0.0, crop=40
    )
    task = tasks[1]
    sets = split_task(task, config.query_share, (config.seed, 0, 0), by_group=False)
    by_hand = Toy().eval()
    theta = [parameter.detach().clone() for parameter in by_hand.parameters()]
    for positions in (sets.support, sets.query):
        images = torch.stack([photos[position] for position in positions]).float() / 255
        loss = (by_hand(images) - photos.unit_scores[list(positions)]).square().mean()
        slopes = torch.autograd.grad(loss, list(by_hand.parameters()))
        for parameter, slope in zip(by_hand.parameters(), slopes, strict=True):
            first, second = 0.1 * slope, 0.01 * slope**2
            parameter.data -= config.inner_learning_rate * first / (second.sqrt() + 1e-8)
    expected = [
        old - config.outer_learning_rate * (old - new) for old, new in zip(theta, by_hand.parameters(), strict=True)
    ]
    trained = finish(meta_train(Toy(), photos, [task], config)).network
    for mine, other in zip(trained.parameters(), expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-9 + 2e-7)


def test_inner_steps_leave_the_prior_where_it_is(photos, tasks):
    network = Toy()
    before = weights_of(network)
    trained = finish(meta_train(network, photos, tasks, dataclasses.replace(SMALL, outer_learning_rate=1e-30))).network
    assert equal(before, weights_of(trained))


def test_identical_tasks_displace_the_prior_as_one_of_them_does(photos, tasks, monkeypatch):
    generators = {}
    original = np.random.default_rng

    def without_place(seed=None):
        if isinstance(seed, tuple) and len(seed) == 4:
            seed = (seed[0], seed[1], 0, seed[3])  # every task of the mini-batch draws the same
        generators[seed] = True
        return original(seed)

    monkeypatch.setattr(meta.np.random, "default_rng", without_place)
    monkeypatch.setattr(meta, "divide", lambda task, *_: split_task(task, 0.25, 0, by_group=False))
    config = dataclasses.replace(SMALL, epochs=1)
    one = finish(meta_train(Toy(), photos, tasks[:1], dataclasses.replace(config, tasks_per_batch=1))).network
    four = finish(meta_train(Toy(), photos, tasks[:1], dataclasses.replace(config, tasks_per_batch=4))).network
    for mine, other in zip(one.parameters(), four.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-7)
    assert len(generators) > 1


def test_a_held_out_type_is_never_looked_at(photos, tasks):
    finish(meta_train(Toy(), photos, [tasks[0], tasks[2]], SMALL))
    assert photos.looked_at.isdisjoint(tasks[1].positions)
    assert photos.looked_at <= {*tasks[0].positions, *tasks[2].positions}


@pytest.mark.parametrize("preset", META_PRESETS)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(photos, tasks, preset):
    config = dataclasses.replace(META_PRESETS[preset], epochs=1, support_batch=4, query_batch=4, crop=32)
    first, again = (weights_of(finish(meta_train(Toy(), photos, tasks, config)).network) for _ in range(2))
    other = weights_of(finish(meta_train(Toy(), photos, tasks, dataclasses.replace(config, seed=1))).network)
    assert equal(first, again)
    assert not equal(first, other)


def test_frozen_statistics_stay_and_the_other_policies_differ(photos, tasks):
    start = weights_of(Toy())
    ends = {
        policy: weights_of(
            finish(meta_train(Toy(), photos, tasks, dataclasses.replace(SMALL, batch_norm=policy))).network
        )
        for policy in ("frozen", "meta", "carried")
    }
    name = "backbone.1.running_mean"
    assert torch.equal(ends["frozen"][name], start[name])
    assert not torch.equal(ends["meta"][name], start[name])
    # Carried statistics move by whole tasks; those of the prior by the outer rate, a hundredth of it.
    moved = {policy: float((end[name] - start[name]).abs().sum()) for policy, end in ends.items()}
    assert moved["carried"] > 5 * moved["meta"] > 0


@pytest.mark.parametrize("method", ["MetaIQA", "Baseline", "fine-tuning"])
def test_weights_that_were_published_folded_get_their_statistics_back(photos, tasks, method):
    def learn(batch_norm):
        network = folded_toy()
        start = weights_of(network)
        if method == "MetaIQA":
            config = dataclasses.replace(SMALL, inner_learning_rate=1e-9, batch_norm=batch_norm)
            return start, finish(meta_train(network, photos, tasks, config)).network
        if method == "Baseline":
            baseline = BaselineConfig(image_passes=8, batch_size=4, learning_rate=1e-9, crop=32, batch_norm=batch_norm)
            return start, finish(train_baseline(network, photos, tasks, baseline)).network
        policy = "frozen" if batch_norm == "frozen" else "adapt"
        tuning = FineTuneConfig(epochs=1, batch_size=4, learning_rate=1e-9, crop=32, batch_norm=policy)
        return start, finish(fine_tune(network, photos, tasks[0].positions, tuning)).network

    start, network = learn("frozen")
    norm = network.backbone[1]
    assert not norm.running_mean.any()
    start, network = learn("meta" if method == "MetaIQA" else "carried")
    norm = network.backbone[1]
    images = torch.stack([photos[index] for index in range(len(photos))]).float() / 255
    maps = network.backbone[0](images)
    torch.testing.assert_close(norm.running_mean, maps.mean((0, 2, 3)), rtol=0.1, atol=0)
    torch.testing.assert_close(norm.running_var, maps.var((0, 2, 3)), rtol=0.1, atol=0)
    with torch.no_grad():
        learned = network(images)
        network.load_state_dict(start)
        torch.testing.assert_close(learned, network(images), rtol=0, atol=0.01)


def test_frozen_stages_keep_their_weights(photos, tasks):
    start = weights_of(Toy())
    config = dataclasses.replace(SMALL, frozen_stages=2, outer_learning_rate=1.0)
    end = weights_of(finish(meta_train(Toy(), photos, tasks, config)).network)
    assert torch.equal(start["backbone.0.weight"], end["backbone.0.weight"])
    assert not torch.equal(start["head.0.weight"], end["head.0.weight"])


@pytest.mark.parametrize("stop_after", [1, 2, 3])
@pytest.mark.parametrize("preset", ["paper", "released-code", "released-code-kadid"])
def test_an_interrupted_run_goes_on_to_the_same_bits(photos, tasks, tmp_path, monkeypatch, preset, stop_after):
    monkeypatch.setenv("METAIQA_STATE_SECONDS", "0")  # keep the state of every iteration
    config = dataclasses.replace(
        META_PRESETS[preset], epochs=4, tasks_per_batch=1 if "kadid" in preset else 2, support_batch=4, crop=32
    )
    whole = finish(meta_train(folded_toy(), photos, tasks, config))
    work = meta_train(folded_toy(), photos, tasks, config, state_file=tmp_path / "state.pt")
    for _ in range(stop_after):
        next(work)
    work.close()
    resumed = finish(meta_train(folded_toy(), photos, tasks, config, state_file=tmp_path / "state.pt"))
    assert equal(weights_of(whole.network), weights_of(resumed.network))
    assert whole.history == resumed.history


def test_a_state_of_another_run_is_refused(photos, tasks, tmp_path):
    finish(meta_train(Toy(), photos, tasks, SMALL, state_file=tmp_path / "run" / "state.pt"))
    with pytest.raises(TrainingError, match="was started with another configuration: choose another --run-dir"):
        finish(meta_train(Toy(1), photos, tasks, SMALL, state_file=tmp_path / "run" / "state.pt"))


def test_a_state_is_resumed_whatever_the_order_of_its_configurations_fields(photos, tasks, tmp_path, monkeypatch):
    monkeypatch.setenv("METAIQA_STATE_SECONDS", "0")
    work = meta_train(Toy(), photos, tasks, SMALL, state_file=tmp_path / "state.pt")
    next(work)
    work.close()
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    signature = json.loads(state["signature"])
    signature["config"] = dict(reversed(signature["config"].items()))
    torch.save(state | {"signature": json.dumps(signature)}, tmp_path / "state.pt")
    assert next(meta_train(Toy(), photos, tasks, SMALL, state_file=tmp_path / "state.pt")).step == 2


def test_a_loss_that_is_not_finite_ends_the_run_with_its_state_kept(photos, tasks, tmp_path, monkeypatch):
    monkeypatch.setenv("METAIQA_STATE_SECONDS", "0")
    work = meta_train(Toy(), photos, tasks, SMALL, state_file=tmp_path / "state.pt")
    next(work)
    photos.unit_scores[:] = math.nan
    with pytest.raises(TrainingError, match="The loss became nan: lower the learning rates"):
        finish(work)
    assert (tmp_path / "state.pt").exists()


def test_the_budget_is_what_is_passed(photos, tasks):
    counted = []
    original = Learner.backward

    def counting(self, positions, generator):
        counted.append(len(positions))
        return original(self, positions, generator)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "backward", counting)
        finish(meta_train(Toy(), photos, tasks, SMALL))
        assert sum(counted) == image_passes(tasks, SMALL)
        counted.clear()
        finish(train_baseline(Toy(), photos, tasks, BaselineConfig(image_passes=100, batch_size=10, crop=32)))
        assert sum(counted) == 100


def test_every_task_comes_before_any_comes_again(tasks):
    drawn = [task.name for iteration in range(9) for task in mini_batch(tasks, iteration, SMALL)]
    assert all(set(drawn[start : start + 3]) == {task.name for task in tasks} for start in range(0, 18, 3))


def test_what_passes_from_task_to_task_cannot_be_shared(photos, tasks):
    work = meta_train(Toy(), photos, tasks, META_PRESETS["released-code"], processes=Processes(0, 2))
    with pytest.raises(TrainingError, match="passes statistics or moments from one task to the next"):
        next(work)


def test_baseline_resumes_to_the_same_bits_and_never_sees_a_held_out_type(photos, tasks, tmp_path, monkeypatch):
    monkeypatch.setenv("METAIQA_STATE_SECONDS", "0")
    config = BaselineConfig(
        image_passes=60, batch_size=5, crop=32, rate_decay="linear", flip=True, batch_norm="carried"
    )
    whole = finish(train_baseline(folded_toy(), photos, tasks[:2], config))
    work = train_baseline(folded_toy(), photos, tasks[:2], config, state_file=tmp_path / "state.pt")
    for _ in range(7):
        next(work)
    work.close()
    resumed = finish(train_baseline(folded_toy(), photos, tasks[:2], config, state_file=tmp_path / "state.pt"))
    assert equal(weights_of(whole.network), weights_of(resumed.network))
    assert photos.looked_at.isdisjoint(tasks[2].positions)


def test_presets_differ_where_the_released_code_differs_from_the_paper():
    paper, released = META_PRESETS["paper"].to_dict(), META_PRESETS["released-code"].to_dict()
    different = {name for name in paper if paper[name] != released[name]}
    assert different == {
        "epochs", "inner_steps", "head_learning_rate", "outer_learning_rate", "order", "moments", "bias_correction",
        "second_moment_decay", "weight_decay", "rate_decay", "outer_decay", "flip", "batch_norm",
    }  # fmt: skip
    assert [META_PRESETS["paper"].rate_factor(epoch) for epoch in (0, 4, 5, 10)] == pytest.approx([1, 1, 0.8, 0.64])
    released_factors = [META_PRESETS["released-code"].rate_factor(epoch) for epoch in (0, 1, 2, 3, 4)]
    assert released_factors == pytest.approx([1, 1, 0.9, 0.81, 0.6561])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inner_steps": 0}, "inner_steps must be at least 1, got 0"),
        ({"outer_learning_rate": 0.0}, "outer_learning_rate must be above 0, got 0.0"),
        ({"query_share": 1.0}, r"query_share must be in \(0, 1\), got 1.0"),
        ({"order": "random"}, "order must be one of support-then-query, alternating, got 'random'"),
        ({"outer_update": "pair"}, "outer_update pair needs order alternating and tasks_per_batch 1"),
    ],
)
def test_an_impossible_configuration_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(MetaConfig(), **change)
