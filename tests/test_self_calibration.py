"""Self-calibrated convolution, SCNet-50 and adapters: the published arithmetic, a start that changes nothing."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from metaiqa_core.engine.graph import export_graph
from metaiqa_core.engine.graph_check import largest_difference
from metaiqa_core.engine.graph_files import MOST_DIFFERENCE
from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.backbones import build_backbone, imagenet_weights, load_classifier_weights
from metaiqa_core.models.multi_scale_fusion import MultiScaleFusion
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.models.scnet import scnet50
from metaiqa_core.models.self_calibration import SelfCalibratedAdapter, SelfCalibration

ADAPTED = RegressorConfig("efficientnet_lite0", 8, pooled=(4, 6, 8), adapters=(4, 6, 8))


def seeded(build, *arguments):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(*arguments).eval()


def test_scnet50_has_as_many_parameters_as_published():
    with torch.device("meta"):
        network = scnet50()
    assert sum(one.numel() for one in network.parameters()) == 25_564_584


def test_the_stages_of_scnet50_take_a_classifiers_weights_and_give_its_logits():
    network, backbone = seeded(scnet50), build_backbone("scnet50").eval()
    load_classifier_weights(backbone, network.state_dict(), "scnet50.pth")
    images = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network(images)
        assert torch.allclose(network.fc(backbone(images).mean((2, 3))), expected, atol=1e-6)


def test_no_package_holds_the_weights_of_scnet50_and_the_sentence_says_what_to_do():
    with pytest.raises(CheckpointError, match=r"No package holds ImageNet weights of scnet50: name a file of them"):
        imagenet_weights("scnet50")


@pytest.mark.parametrize("stride", [1, 2])
def test_self_calibration_is_the_published_formula(stride):
    module = seeded(SelfCalibration, 6, stride)
    maps = torch.rand(2, 6, 16, 20, generator=torch.Generator().manual_seed(1))

    def filtered(values, convolution, norm, step=1):
        values = F.conv2d(values, convolution.weight, stride=step, padding=1)
        return values / (1 + norm.eps) ** 0.5  # a new normalisation: mean 0, variance 1

    with torch.no_grad():
        small = F.avg_pool2d(maps, 4)
        small = filtered(small, module.k2[1], module.k2[2])
        gate = torch.sigmoid(maps + small.repeat_interleave(4, 2).repeat_interleave(4, 3))
        expected = filtered(filtered(maps, *module.k3) * gate, *module.k4, stride)
        assert torch.allclose(module(maps), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 9)])
def test_maps_that_four_does_not_divide_are_calibrated_too(size):
    with torch.no_grad():
        maps = seeded(SelfCalibration, 4)(torch.rand(1, 4, *size))
    assert maps.shape == (1, 4, *size)
    assert maps.isfinite().all()


def test_an_adapter_changes_nothing_at_its_start_and_learns_from_the_first_step_on():
    adapter = seeded(SelfCalibratedAdapter, 96, 16)
    maps = torch.rand(2, 96, 8, 8)
    adapted = adapter(maps)
    assert torch.equal(adapted, maps)
    adapted.square().sum().backward()
    assert adapter.scale.grad.abs() > 0


@pytest.mark.parametrize("folded", [False, True])
def test_a_backbone_with_adapters_equals_the_backbone_at_its_start(folded):
    plain = seeded(Regressor, RegressorConfig("efficientnet_lite0", 8, pooled=(4, 6, 8)))
    adapted = seeded(Regressor, ADAPTED)
    adapted.load_state_dict(plain.state_dict(), strict=False)
    if folded:
        plain.fold()
        adapted.fold()
    images = torch.rand(1, 3, 128, 160, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(adapted(images), plain(images))


def test_unfolding_a_network_with_adapters_keeps_its_function():
    network = seeded(Regressor, ADAPTED)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("adapter.scale"):
                parameter.fill_(0.5)
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        before = network(images)
        network.fold()
        network.unfold()
        assert torch.allclose(network.eval()(images), before, atol=1e-4)


@pytest.mark.parametrize(("stage", "backbone"), [(1, "resnet18"), (12, "efficientnet_lite0")])
def test_an_adapter_needs_a_stage_that_is_a_sequence_of_blocks(stage, backbone):
    with pytest.raises(ValueError, match=rf"adapters follow stages that are sequences of blocks, .* got {stage}"):
        Regressor(RegressorConfig(backbone, 8, adapters=(stage,)))


def test_fusion_adds_each_level_to_the_finer_one():
    fusion = seeded(MultiScaleFusion, (2, 3), 5)
    fine, coarse = torch.rand(1, 2, 4, 6), torch.rand(1, 3, 2, 3)
    with torch.no_grad():
        levels = fusion([fine, coarse])
        laterals = [layer.weight[:, :, 0, 0].numpy() for layer in fusion.laterals]
    low = np.einsum("oc,bchw->bohw", laterals[1], coarse.numpy())
    high = np.einsum("oc,bchw->bohw", laterals[0], fine.numpy()) + low.repeat(2, 2).repeat(2, 3)
    np.testing.assert_allclose(levels[1].numpy(), low, atol=1e-6)
    np.testing.assert_allclose(levels[0].numpy(), high, atol=1e-6)


def test_fused_levels_have_one_width_at_any_size_of_the_photo():
    network = seeded(Regressor, RegressorConfig("efficientnet_lite0", 8, pooled=(3, 4, 6, 8), fused=16))
    with torch.no_grad():
        for size in ((128, 128), (131, 187)):
            maps = network.pooled_maps(network.features(torch.rand(2, 3, *size), 0), 0)
            assert network.pool(maps).shape == (2, 2 * 4 * 16)


@pytest.mark.parametrize(
    "config",
    [
        RegressorConfig("efficientnet_lite0", 8, folded=True, pooled=(3, 4, 6, 8), adapters=(4, 6, 8), fused=16),
        RegressorConfig("scnet50", 8, pooled=(5, 6, 7, 8), fused=16),
    ],
    ids=["adapters", "scnet50"],
)
def test_the_onnx_graph_of_a_self_calibrated_fused_network_gives_its_scores(config):
    network = Regressor(config)
    assert largest_difference(network, export_graph(network)) < MOST_DIFFERENCE


def test_cards_of_networks_without_adapters_and_fusion_stay_what_they_were():
    assert "adapters" not in RegressorConfig().to_dict()
    assert RegressorConfig(pooled=[2, 4], adapters=[4], fused=8).to_dict()["adapters"] == [4]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"fused": 8}, "fused levels are the stages that are pooled: name them with pooled"),
        ({"fused": -1, "pooled": (2,)}, "fused must be from 0 to 1024, got -1"),
        ({"adapters": (4, 2)}, r"adapters must be ascending numbers of stages from 1, got \[4, 2\]"),
    ],
)
def test_wrong_adapters_and_fusions_are_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        RegressorConfig(**fields)
