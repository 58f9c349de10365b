"""Batch normalisation folded, computed within convolutions, and unfolded again: always the same function."""

import pytest
import torch
from torch import nn

from metaiqa_core.models.backbones import build_backbone
from metaiqa_core.models.batch_norm import idle_norms, norms_within_convolutions, set_statistics


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "densenet121", "efficientnet_lite0"])
def test_norms_within_convolutions_give_the_same_function_and_gradients(name, training):
    torch.manual_seed(0)
    backbone = build_backbone(name).double().eval()
    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        for values, lowest in ((norm.weight, 0.5), (norm.bias, -0.5), (norm.running_mean, -0.5), (norm.running_var, 1)):
            nn.init.uniform_(values, lowest, lowest + 1)
        norm.train(training)  # statistics of the batch cannot go into the weights: nothing may change
    images = torch.rand(2, 3, 64, 64, dtype=torch.double)

    def gradients():
        backbone.zero_grad()
        (backbone(images) ** 2).mean().backward()
        return [parameter.grad for parameter in backbone.parameters()]

    expected = gradients()
    calls = []
    hooks = [norm.register_forward_hook(lambda *seen: calls.append(torch.equal(seen[1][0], seen[2]))) for norm in norms]
    with norms_within_convolutions(backbone):
        within = gradients()
    assert any(calls) is not training  # their output is their input where the convolution has done their work
    for hook in hooks:
        hook.remove()
    for computed, wanted in zip(within, expected, strict=True):
        torch.testing.assert_close(computed, wanted, rtol=1e-6, atol=1e-9 * wanted.abs().max().item())
    assert all(torch.equal(one, other) for one, other in zip(gradients(), expected, strict=True))


def test_a_norm_whose_convolution_lies_outside_is_computed():
    backbone = build_backbone("resnet18").eval()
    nn.init.uniform_(backbone[1].running_var, 0.5, 2)
    maps = torch.rand(1, 64, 32, 32)
    expected = backbone[1](maps)
    with norms_within_convolutions(backbone[1:]):
        assert torch.equal(backbone[1](maps), expected)


def test_norms_come_back_after_an_error():
    backbone = build_backbone("resnet18").eval()
    with pytest.raises(RuntimeError), norms_within_convolutions(backbone):
        backbone(torch.rand(1, 5, 64, 64))
    assert not [module for module in backbone.modules() if "forward" in vars(module)]


def norms_of(module):
    return [norm for norm in module.modules() if isinstance(norm, nn.BatchNorm2d)]


@pytest.fixture(params=["mobilenet_v2", "efficientnet_lite0"])
def published_folded(request):
    """A backbone as weights come whose normalisation was folded elsewhere: idle norms, each with a learned shift."""
    torch.manual_seed(0)
    backbone = build_backbone(request.param).double().eval()
    for norm in norms_of(backbone):
        nn.init.uniform_(norm.bias, -0.5, 0.5)
        nn.init.constant_(norm.running_var, 1 - norm.eps)
    return backbone


def test_idle_norms_are_told_from_new_and_from_learned_ones(published_folded):
    assert idle_norms(published_folded) == norms_of(published_folded)
    assert not idle_norms(build_backbone("mobilenet_v2"))  # new: nothing was learned yet
    assert not idle_norms(build_backbone("vgg16"))  # has none
    at_work = norms_of(published_folded)[:3]
    at_work[0].running_mean[3] = 0.1
    at_work[1].running_var[3] = 1.1
    at_work[2].weight.data[3] = 1.1
    assert idle_norms(published_folded) == norms_of(published_folded)[3:]


def test_setting_statistics_keeps_the_function_and_gives_the_statistics_of_the_maps(published_folded):
    images = torch.rand(4, 3, 64, 64, dtype=torch.double)
    expected = published_folded(images).detach()
    published_folded[3].train()
    set_statistics(norms_of(published_folded), published_folded, images)
    assert [stage.training for stage in published_folded].index(True) == 3  # each as it was
    published_folded.eval()
    torch.testing.assert_close(published_folded(images), expected, rtol=0, atol=1e-9 * expected.abs().max().item())

    seen = []
    for norm in norms_of(published_folded):
        norm.register_forward_pre_hook(lambda norm, inputs: seen.append((norm, inputs[0])))
    published_folded(images)
    assert len(seen) == len(norms_of(published_folded))
    for norm, maps in seen:
        torch.testing.assert_close(norm.running_mean, maps.mean((0, 2, 3)), rtol=1e-6, atol=1e-9)
        torch.testing.assert_close(norm.running_var, maps.var((0, 2, 3), correction=0), rtol=1e-6, atol=1e-9)
    # So the batch's own statistics now give the same function too, which they did not before.
    published_folded.train()
    by_batch = published_folded(images).detach()
    torch.testing.assert_close(by_batch, expected, rtol=0, atol=1e-9 * expected.abs().max().item())
