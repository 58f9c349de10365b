"""The network of the authors' released code."""

import torch
import torchvision

from metaiqa_core.models.released import ReleasedRegressor


def test_the_released_network_has_the_parameters_and_entries_of_the_released_code():
    network = ReleasedRegressor()
    assert sum(parameter.numel() for parameter in network.parameters()) == 13_242_923
    assert len(network.state_dict()) == 140
    names = {name.rpartition(".")[0] for name in network.state_dict() if name.startswith("net.")}
    assert names == {"net.fc1", "net.fc2", "net.fc3", "net.bn1", "net.bn2", "net.relu1", "net.relu2"}
    backbone = {n.removeprefix("resnet_layer.") for n in network.state_dict() if n.startswith("resnet_layer.")}
    assert backbone == set(torchvision.models.resnet18().state_dict())


def test_the_released_network_gives_differentiable_unit_scores_at_any_size():
    network = ReleasedRegressor().eval()
    for height, width in ((32, 32), (48, 80)):
        images = torch.rand(2, 3, height, width, requires_grad=True)
        scores = network(images)
        assert scores.shape == (2,)
        assert 0 <= scores.min() <= scores.max() <= 1
        scores.sum().backward()
        assert images.grad.abs().sum() > 0
