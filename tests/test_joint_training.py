"""Joint training: scales of studies, pairs, and one network that learns from two databases at once."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm, spearmanr
from tiny_fixtures import TINY_PREPROCESSING, spread_network

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.progress import finish
from metaiqa_core.training.fidelity import fidelity_loss
from metaiqa_core.training.joint import train_jointly
from metaiqa_core.training.joint_configuration import JointConfig
from metaiqa_core.training.photos import TrainingPhotos, predict
from metaiqa_core.training.studies import Study, refuse_shared_photos
from metaiqa_core.training.study_scales import StudyScale, answer_on

NETWORK = RegressorConfig(backbone="mobilenet_v3_small", hidden=8, dropout=0.3, pooled=(9, 12))
QUICK = JointConfig(
    steps=6, batch_size=8, crop=48, frozen_stages=9, head_crops=16, head_epochs=2, averaging=0.9, pair_weight=0.1
)


@pytest.fixture
def studies(tiny_database):
    """The tiny database twice: as it is, and by people who use only the lower half of another scale."""
    half = [replace(image, unit_score=image.unit_score / 2) for image in tiny_database.images]
    photos = [TrainingPhotos(images, TINY_PREPROCESSING) for images in (tiny_database.images, half)]
    return [Study("whole", photos[0], range(0, 12), 1.0), Study("half", photos[1], range(12, 24), 1.0)]


def start(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Regressor(NETWORK)


def same_bits(one, other):
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(value, second[key]) for key, value in first.items())


def test_the_fidelity_loss_is_that_of_the_paper():
    quality, opinion = torch.tensor([0.2, 0.7, 0.4]), torch.tensor([0.1, 0.9, 0.5])
    log_spread = torch.tensor([0.3, 0.2, 0.1]).log()
    spreads, losses = np.array([0.3, 0.2, 0.1]), []
    for i, j in ((0, 1), (0, 2), (1, 2)):
        said = norm.cdf(float(quality[i] - quality[j]) / np.hypot(spreads[i], spreads[j]))
        true = norm.cdf(float(opinion[i] - opinion[j]) / (np.sqrt(2) * 0.1))
        losses.append(1 - np.sqrt(said * true) - np.sqrt((1 - said) * (1 - true)))
    assert float(fidelity_loss(quality, log_spread, opinion, 0.1)) == pytest.approx(np.mean(losses), abs=1e-3)


def test_the_fidelity_loss_asks_for_the_order_of_the_scores():
    quality = torch.tensor([0.5, 0.5], requires_grad=True)
    fidelity_loss(quality, torch.full((2,), -2.0), torch.tensor([0.2, 0.8]), 0.1).backward()
    assert quality.grad[0] > 0 > quality.grad[1]


def test_a_single_photo_makes_no_pair():
    assert float(fidelity_loss(torch.tensor([0.5]), torch.zeros(1), torch.tensor([0.3]), 0.1)) == 0


@pytest.mark.parametrize("kind", ["affine", "residual"])
def test_a_scale_begins_as_the_identity(kind):
    quality = torch.linspace(0, 1, 5)
    assert torch.equal(StudyScale(3, kind)(quality, torch.randn(5, 3)), quality)


def test_a_monotone_scale_never_falls_whatever_it_learns():
    scale = StudyScale(3, "monotone")
    with torch.no_grad():
        scale.bends.copy_(torch.tensor([-30.0, 5.0, -30.0, 2.0, 0.0, -30.0, 1.0, 3.0]))
        scale.log_gain.fill_(-5.0)
        scores = scale(torch.linspace(-0.2, 1.2, 300), torch.zeros(300, 3))
    assert (scores.diff() >= 0).all()
    assert scores[-1] - scores[0] > 0.5


def test_a_network_that_answers_on_a_study_s_scale_gives_that_study_s_scores():
    network, scale = start().eval(), StudyScale(NETWORK.hidden, "residual")
    with torch.no_grad():
        scale.offset.fill_(0.2)
        scale.log_gain.fill_(-0.7)
        scale.residual.normal_(generator=torch.Generator().manual_seed(1))
    images = torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        hidden = network.head[:-1](network.pool(network.pooled_maps(network.features(images, 0), 0)))
        expected = scale(network(images), hidden)
        answer_on(network, [scale])
        assert torch.allclose(network(images), expected, atol=1e-6)


def test_a_bent_scale_cannot_become_the_network_s_own():
    with pytest.raises(ValueError, match="a monotone scale cannot become the network's own"):
        answer_on(start(), [StudyScale(NETWORK.hidden, "monotone")])


def test_two_databases_of_different_scales_teach_one_order(tiny_photos, studies):
    config = replace(
        QUICK, steps=200, learning_rate=1e-3, head_learning_rate=1e-3, scale_learning_rate=5e-2, head_epochs=60
    )
    network = finish(train_jointly(spread_start(tiny_photos), studies, ["whole"], config)).network
    scores = predict(network, studies[0].photos, range(24))
    opinion = studies[0].photos.unit_scores.numpy()
    assert spearmanr(scores, opinion).statistic > 0.8


def spread_start(photos):
    network = spread_network(photos, NETWORK, 0)
    network.requires_grad_(True)
    return network


@pytest.mark.parametrize("scale", ["affine", "monotone", "residual"])
def test_a_run_that_was_stopped_goes_on_with_the_same_bits(studies, tmp_path, monkeypatch, scale):
    config = replace(QUICK, scale=scale)
    whole = finish(train_jointly(start(), studies, ["whole"], config)).network
    monkeypatch.setenv("METAIQA_STATE_SECONDS", "0")
    work = train_jointly(start(), studies, ["whole"], config, state_file=tmp_path / "state.pt")
    for progress in work:
        if progress.stage == "joint training" and progress.step == 3:
            break
    work.close()
    resumed = finish(train_jointly(start(), studies, ["whole"], config, state_file=tmp_path / "state.pt")).network
    assert same_bits(whole, resumed)


def test_frozen_stages_keep_their_weights_and_the_others_learn(studies):
    network = finish(train_jointly(start(), studies, ["whole"], QUICK)).network
    before = start().state_dict()
    for key, value in network.state_dict().items():
        stage = int(key.split(".")[1]) if key.startswith("backbone.") else 99
        if stage < 9:
            assert torch.equal(value, before[key]), key
    learned = [key for key in before if key.startswith("backbone.10.") and key.endswith("weight")]
    assert any(not torch.equal(network.state_dict()[key], before[key]) for key in learned)


def test_the_network_must_answer_on_a_known_scale(studies):
    with pytest.raises(TrainingError, match="on the scale of elsewhere: expected one of whole, half"):
        finish(train_jointly(start(), studies, ["elsewhere"], QUICK))


def test_one_photo_makes_no_database_to_learn_from(studies):
    few = [studies[0], replace(studies[1], training=[3])]
    with pytest.raises(TrainingError, match="half has 1 photos to learn from: expected two or more"):
        finish(train_jointly(start(), few, ["whole"], QUICK))


def test_a_held_out_photo_under_another_name_is_refused(tiny_database, tmp_path):
    image = tiny_database.images[5]
    copy = tmp_path / "copy.png"
    copy.write_bytes(image.path.read_bytes())
    other = Database("other", (replace(image, path=copy),), (0, 100))
    with pytest.raises(TrainingError, match=r"copy\.png of other is to be learned from and is also a held-out photo"):
        refuse_shared_photos([other], [tiny_database])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("steps", 0, "steps must be at least 1"),
        ("scale", "bent", "scale must be one of affine, monotone, residual"),
        ("learning_rate", float("nan"), "learning_rate must be a positive number"),
        ("pair_noise", 0.0, "pair_noise must be a positive number"),
        ("averaging", 1.0, r"averaging must be in \[0, 1\)"),
    ],
)
def test_a_configuration_out_of_range_is_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        replace(JointConfig(), **{field: value})


def test_learning_from_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing would be learned"):
        JointConfig(score_weight=0, pair_weight=0)


def test_the_shown_study_s_scores_need_no_conversion_and_the_other_s_are_brought_to_them(studies):
    done = finish(train_jointly(start(), studies, ["whole"], replace(QUICK, scale_learning_rate=3e-2)))
    assert done.to_shown["whole"] == pytest.approx((0, 1))
    offset, gain = done.to_shown["half"]
    assert offset + gain * 0.3 != pytest.approx(0.3, abs=1e-3)  # its scale has learned to differ
