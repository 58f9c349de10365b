"""Graph training and quality fine-tuning: losses against hand-made truths, resumed runs, and what is learned."""

import numpy as np
import pytest
import torch
from graph_fixtures import CONFIG, DEFECTS, random_images
from scipy import stats

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.defect_words import NOTHING, Defect
from metaiqa_core.errors import TrainingError
from metaiqa_core.models.distortion_graph.graph_module import DistortionGraph
from metaiqa_core.progress import finish
from metaiqa_core.training.graph_configuration import GraphTrainingConfig, QualityTuningConfig
from metaiqa_core.training.graph_data import DefectImages, GraphBatches
from metaiqa_core.training.graph_losses import level_likelihood, sampled_level_error, triplet_loss
from metaiqa_core.training.graph_reading import read_graphs
from metaiqa_core.training.graph_training import train_graph
from metaiqa_core.training.quality_tuning import tune_quality

SHORT = GraphTrainingConfig(steps=12, defects_per_step=3, type_graphs=2, type_nodes=5, learning_rate=5e-3)


def new_graph(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DistortionGraph(5, CONFIG)


def test_the_triplet_loss_is_that_of_the_farthest_friend_and_the_nearest_stranger():
    codes = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [0.0, 2.0]])
    defects = torch.tensor([0, 0, 1, 1])
    distances = np.linalg.norm(codes.numpy()[:, None] - codes.numpy(), axis=2)
    expected = []
    for anchor in range(4):
        same = defects.numpy() == defects[anchor].item()
        expected.append(max(0, distances[anchor][same].max() - distances[anchor][~same].min() + 0.1))
    assert triplet_loss(codes, defects, 0.1).item() == pytest.approx(np.mean(expected), abs=1e-4)


def test_codes_that_lie_on_each_other_have_a_finite_gradient():
    codes = torch.zeros(4, 3, requires_grad=True)
    triplet_loss(codes, torch.tensor([0, 0, 1, 1]), 0.1).backward()
    assert codes.grad.isfinite().all()


def test_the_level_likelihood_is_scipys_and_unknown_levels_count_for_nothing():
    level, deviation = torch.tensor([1.0, 2.5, 4.0]), torch.tensor([0.5, 1.0, 2.0])
    wanted = torch.tensor([1.5, 2.0, float("nan")])
    expected = -stats.norm.logpdf([1.5, 2.0], [1.0, 2.5], [0.5, 1.0]).mean() - np.log(2 * np.pi) / 2
    assert level_likelihood(level, deviation, wanted).item() == pytest.approx(expected, abs=1e-6)


def test_the_likelihood_is_smallest_at_the_error_that_is_made_and_the_sampled_loss_without_any_deviation():
    level, wanted = torch.zeros(1000), torch.from_numpy(np.random.default_rng(0).normal(0, 0.7, 1000)).float()
    noise = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    grid = [0.01, 0.3, 0.5, 0.7, 1.0, 1.5]
    likelihoods = [level_likelihood(level, torch.full((1000,), one), wanted).item() for one in grid]
    sampled = [sampled_level_error(level, torch.full((1000,), one), wanted, noise).item() for one in grid]
    assert grid[int(np.argmin(likelihoods))] == 0.7
    assert sampled == sorted(sampled)


def test_a_step_has_graphs_of_types_and_graphs_of_photos():
    images = random_images()
    types, photos = GraphBatches(images, DEFECTS, SHORT).draw(np.random.default_rng(0))
    assert types.features.shape == (3 * 2, 5, 5)
    assert photos.features.shape == (3 * 4, 4, 5)
    rows = {one.tobytes(): place for place, one in enumerate(images.features)}
    for features, levels, defect in zip(photos.features, photos.levels, photos.defects, strict=True):
        place = rows[features.numpy().tobytes()]
        assert images.defects[place] == DEFECTS[defect]
        assert levels.tolist() == [images.levels[place]] * 4
    quarters = {one.tobytes(): place // 4 for place, one in enumerate(images.features.reshape(-1, 5))}
    for nodes, defect in zip(types.features, types.defects, strict=True):
        assert {images.defects[quarters[node.numpy().tobytes()]] for node in nodes} == {DEFECTS[defect]}


@pytest.mark.parametrize("level_loss", ["likelihood", "sampled"])
def test_a_resumed_training_has_the_bits_of_an_uninterrupted_one(tmp_path, monkeypatch, level_loss):
    monkeypatch.setenv("METAIQA_STATE_SECONDS", "0")
    config = GraphTrainingConfig(**SHORT.to_dict() | {"level_loss": level_loss})
    images = random_images()
    whole = finish(train_graph(new_graph(), images, config))
    work = train_graph(new_graph(), images, config, state_file=tmp_path / "state.pt")
    for _ in range(5):
        next(work)
    work.close()
    resumed = finish(train_graph(new_graph(), images, config, state_file=tmp_path / "state.pt"))
    assert all(torch.equal(one, resumed.state_dict()[name]) for name, one in whole.state_dict().items())


def test_the_graph_learns_defects_and_levels_of_contents_that_it_has_not_seen():
    config = GraphTrainingConfig(**SHORT.to_dict() | {"steps": 120})
    graph = finish(train_graph(new_graph(), random_images(120), config))
    others = random_images(60, seed=1)
    said = read_graphs(graph, others.features)
    right = [DEFECTS[place] == defect for place, defect in zip(said["logits"].argmax(1), others.defects, strict=True)]
    assert np.mean(right) > 0.9
    assert np.abs(said["level"] - others.levels).mean() < 1


def test_a_state_of_other_images_is_refused(tmp_path):
    finish(train_graph(new_graph(), random_images(), SHORT, state_file=tmp_path / "state.pt"))
    with pytest.raises(TrainingError, match="was started with another configuration: choose another --run-dir"):
        finish(train_graph(new_graph(), random_images(50), SHORT, state_file=tmp_path / "state.pt"))


def test_fewer_than_two_images_of_a_defect_are_refused_by_its_name():
    images = random_images()
    noisy = [place for place, defect in enumerate(images.defects) if defect.word == "noisy"]
    kept = [place for place in range(len(images)) if place not in noisy[1:]]
    with pytest.raises(TrainingError, match="There are 1 images of kadid10k:WN noisy to learn from: expected two"):
        GraphBatches(images.take(kept), DEFECTS, SHORT)


def test_a_defect_that_the_model_does_not_know_is_refused():
    with pytest.raises(TrainingError, match="The model does not know kadid10k:WN noisy: name it among its defects"):
        GraphBatches(random_images(), DEFECTS[:2], SHORT)


@pytest.mark.parametrize(
    ("kind", "level", "sentence"),
    [
        ("kadid10k:XX", 3, "photo.png cannot be learned from: expected the key of a distortion type .* 'kadid10k:XX'"),
        ("kadid10k:GB", 6, "photo.png cannot be learned from: expected a level from 1 to 5, got 6"),
    ],
)
def test_types_and_levels_that_are_none_are_refused(tmp_path, kind, level, sentence):
    image = RatedImage(tmp_path / "photo.png", 0.5, 50, "scene", kind, level)
    with pytest.raises(TrainingError, match=sentence):
        DefectImages.of_database([image], np.zeros((1, 4, 5), np.float32), ["scene"])


def test_an_image_without_a_type_is_one_in_which_nothing_is_to_be_found(tmp_path):
    image = RatedImage(tmp_path / "photo.png", 0.9, 90)
    images = DefectImages.of_database([image], np.zeros((1, 4, 5), np.float32), ["photo"])
    assert (images.defects, images.levels.tolist()) == ((Defect("", NOTHING),), [0])


def test_quality_is_learned_without_changing_what_is_said_of_defects(tmp_path, monkeypatch):
    monkeypatch.setenv("METAIQA_STATE_SECONDS", "0")
    images = random_images(120)
    graph = finish(train_graph(new_graph(), images, SHORT))
    before = read_graphs(graph, images.features)
    start = {name: one.clone() for name, one in graph.state_dict().items()}
    config = QualityTuningConfig(quality_steps=150, quality_rate=2e-2)
    finish(tune_quality(graph, images, config))
    after = read_graphs(graph, images.features)
    for name in ("logits", "level", "deviation", "type_code"):
        np.testing.assert_array_equal(after[name], before[name])
    assert stats.spearmanr(after["quality"], images.unit_scores).statistic > 0.8
    again = new_graph()
    again.load_state_dict(start)
    work = tune_quality(again, images, config, state_file=tmp_path / "state.pt")
    for _ in range(9):
        next(work)
    work.close()
    again = new_graph()
    again.load_state_dict(start)
    resumed = finish(tune_quality(again, images, config, state_file=tmp_path / "state.pt"))
    assert all(torch.equal(one, resumed.state_dict()[name]) for name, one in graph.state_dict().items())


def test_equal_scores_teach_no_quality():
    images = random_images()
    images.unit_scores[:] = 0.5
    with pytest.raises(TrainingError, match="expected two photos or more with different scores"):
        next(tune_quality(new_graph(), images, QualityTuningConfig()))


def test_no_reading_depends_on_the_photos_that_are_read_with_it():
    graph, features = new_graph().eval(), random_images(7).features
    together, apart = read_graphs(graph, features), read_graphs(graph, features, batch=2)
    assert all(np.allclose(together[name], apart[name], atol=1e-6) for name in together)
