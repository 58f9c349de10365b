"""The quality regression network: any size, any depth of a cut, differentiable, and folded without a change."""

import copy

import pytest
import torch
from captum.attr import DeepLift
from torch import nn

from metaiqa_core.models.backbones import build_backbone
from metaiqa_core.models.batch_norm import idle_norms
from metaiqa_core.models.regressor import Regressor, RegressorConfig

SMALL = RegressorConfig(backbone="mobilenet_v3_small", hidden=8)


@pytest.fixture(scope="module", params=["mobilenet_v3_small", "resnet18", "efficientnet_lite0"])
def network(request):
    torch.manual_seed(1)
    network = Regressor(RegressorConfig(backbone=request.param, hidden=8, dropout=0.5))
    network.train()
    with torch.no_grad():
        network(torch.rand(4, 3, 64, 64))  # statistics that are not 0 and 1
    return network.eval()


def test_scores_are_one_number_a_photo_near_the_middle_of_the_scale(network):
    scores = network(torch.rand(3, 3, 64, 64))
    assert scores.shape == (3,)
    assert ((scores - 0.5).abs() < 0.3).all()


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (64, 129)])
def test_photos_of_any_size_are_scored(network, size):
    with torch.no_grad():
        assert network(torch.rand(1, 3, *size)).isfinite().all()


def test_a_cut_after_any_stage_gives_the_same_score(network):
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        scores = network(images)
        for stages in range(len(network.backbone) + 1):
            assert torch.equal(network.scores_from(network.features(images, stages), stages), scores)


def test_the_first_features_are_the_normalised_photo(network):
    tensorflow = network.config.backbone == "efficientnet_lite0"
    mean, deviation = (
        ([127 / 255] * 3, [128 / 255] * 3) if tensorflow else ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    )
    images = torch.tensor(mean).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    torch.testing.assert_close(network.features(images, 0), torch.zeros(1, 3, 8, 8), rtol=0, atol=1e-6)
    one_deviation = images + torch.tensor(deviation).view(1, 3, 1, 1)
    torch.testing.assert_close(network.features(one_deviation, 0), torch.ones(1, 3, 8, 8), rtol=0, atol=1e-5)


def test_the_gradient_to_the_photo_is_the_slope_of_the_score(network):
    network = Regressor(network.config).double().eval()
    images = torch.rand(1, 3, 48, 48, dtype=torch.double, requires_grad=True)
    network(images).sum().backward()
    assert images.grad.abs().sum() > 0
    direction = images.grad / images.grad.norm()
    step = 1e-5
    with torch.no_grad():
        slope = (network(images + step * direction) - network(images - step * direction)) / (2 * step)
    assert float(slope) == pytest.approx(float(images.grad.norm()), rel=1e-2)


def test_deep_lift_runs_and_its_contributions_add_up_to_the_difference(network):
    network = copy.deepcopy(network).double()  # its rule divides by small differences
    image = torch.rand(1, 3, 64, 64, dtype=torch.double, requires_grad=True)
    baseline = torch.full_like(image, 0.5)
    wrapped = nn.Sequential(network, nn.Unflatten(0, (-1, 1)))  # DeepLift wants one output column a target
    contributions = DeepLift(wrapped).attribute(image, baseline, target=0).detach()
    assert contributions.shape == image.shape
    assert contributions.isfinite().all()
    if network.config.backbone == "resnet18":  # Captum has no rule for the hard swish of MobileNet
        with torch.no_grad():
            difference = float(network(image) - network(baseline))
        assert float(contributions.sum()) == pytest.approx(difference, rel=0.02)


def test_folding_keeps_the_function_and_the_classifiers_weights():
    torch.manual_seed(2)
    weights = build_backbone("resnet18").state_dict()
    for key, value in weights.items():
        if key.endswith("running_mean"):
            value.normal_(0, 0.2)
        elif key.endswith("running_var"):
            value.uniform_(0.5, 2)
    plain, folded = (
        Regressor(RegressorConfig(hidden=8, folded=folded), backbone_weights=weights).eval() for folded in (False, True)
    )
    folded.head.load_state_dict(plain.head.state_dict())
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(folded(images), plain(images), rtol=0, atol=1e-5)
    assert not [module for module in folded.modules() if isinstance(module, nn.BatchNorm2d)]


@pytest.mark.parametrize(
    ("backbone", "foldable"),
    [("resnet18", 20), ("mobilenet_v2", 52), ("densenet121", 59), ("vgg16", 0), ("efficientnet_lite0", 49)],
)
def test_folding_and_unfolding_by_turns_keep_the_function_and_the_modes(backbone, foldable):
    torch.manual_seed(2)
    network = Regressor(RegressorConfig(backbone=backbone, hidden=8))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
    network.eval()
    images = torch.rand(2, 3, 64, 64)
    parts = [type(module) for module in network.modules()]
    with torch.no_grad():
        expected = network(images)
        for _ in range(2):
            network.fold()
            torch.testing.assert_close(network(images), expected, rtol=0, atol=1e-5)
            assert network.config.folded
            network.unfold()
            torch.testing.assert_close(network(images), expected, rtol=0, atol=1e-5)
            assert not network.config.folded
            assert [type(module) for module in network.modules()] == parts
            assert not any(module.training for module in network.modules())
            # All but those that DenseNet has in front of convolutions, where they cannot be folded.
            assert len(idle_norms(network)) == foldable


def test_dropout_acts_only_while_training(network):
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(images), network(images))
        network.head.train()
        differs = not torch.equal(network(images), network(images))
        network.head.eval()
    assert differs


def test_normalisation_is_no_part_of_the_weights():
    assert not {"mean", "std"} & set(Regressor(SMALL).state_dict())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"backbone": "alexnet"}, r"^backbone must be one of resnet18, .*, got 'alexnet'$"),
        ({"hidden": 0}, "^hidden must be at least 1, got 0$"),
        ({"dropout": 1.0}, r"^dropout must be in \[0, 1\), got 1\.0$"),
    ],
)
def test_impossible_configurations_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        RegressorConfig(**options)
