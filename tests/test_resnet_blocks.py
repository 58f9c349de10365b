"""ResNets with separate activations against torchvision's."""

import pytest
import torch
import torchvision
from captum.attr import DeepLift
from torch import nn

from metaiqa_core.models import resnet_blocks


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_separate_activations_change_neither_names_nor_a_single_bit_of_the_output(name):
    theirs = torchvision.models.get_model(name, num_classes=5).eval()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    ours = getattr(resnet_blocks, name)(num_classes=5).eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    images = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(images)
        assert expected.std() > 0
        assert torch.equal(ours(images), expected)


def test_the_same_seed_initialises_the_same_weights_as_torchvision():
    networks = []
    for build in (torchvision.models.resnet18, resnet_blocks.resnet18):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            networks.append(build(num_classes=4))
    theirs, ours = (network.state_dict() for network in networks)
    assert all(torch.equal(ours[key], value) for key, value in theirs.items())


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks", "ignore:Input Tensor 0 did not already")
def test_deeplift_attributions_add_up_to_the_change_of_the_output(name):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = getattr(resnet_blocks, name)(num_classes=2).eval()
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    baseline = torch.zeros_like(image)
    attributions = DeepLift(network).attribute(image, baseline, target=0)
    change = (network(image) - network(baseline))[0, 0]
    assert abs(change) > 0.01
    assert attributions.sum().item() == pytest.approx(change.item(), rel=1e-3)


@pytest.mark.parametrize(("name", "activations"), [("resnet18", 17), ("resnet50", 49)])
def test_no_activation_is_shared_or_works_in_place(name, activations):
    network = getattr(resnet_blocks, name)(num_classes=2).eval()
    calls = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            assert not module.inplace
            module.register_forward_hook(lambda module, *_: calls.append(id(module)))
    network(torch.rand(1, 3, 32, 32))
    assert len(calls) == len(set(calls)) == activations
