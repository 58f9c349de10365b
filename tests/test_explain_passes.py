"""The passes that a map takes are those that were told before, and the time of a pass is measured here."""

import pytest
import torch
from test_explain_evidence import corner, made_map
from test_explain_methods import NATIVE, map_of, photo_of, small_network
from torch import nn

from metaiqa_core.explain.evidence import deletion_insertion, deletion_passes
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.explain.passes import Passes, PassTimes, passes_of, time_passes
from metaiqa_core.explain.settings import MapSettings
from metaiqa_core.progress import finish

SETTINGS = MapSettings(smoothing=0, samples=5, steps=8, maximum_steps=16, tolerance=1e-12, window=0.5)


class Counted(nn.Module):
    """A network that counts the photos that pass through it and its twins, with and without a gradient."""

    forward_passes = gradient_passes = 0

    def __init__(self):
        super().__init__()
        self.network = small_network()

    def forward(self, images):
        if images.requires_grad:
            Counted.gradient_passes += len(images)
        else:
            Counted.forward_passes += len(images)
        return self.network(images)


@pytest.fixture
def counted():
    Counted.forward_passes = Counted.gradient_passes = 0
    return Counted()


@pytest.mark.parametrize("method", METHODS)
def test_a_method_takes_the_passes_that_were_told_before(counted, method):
    photo = photo_of()
    settings = SETTINGS if method != "deeplift" else MapSettings(smoothing=0, tolerance=0.5)
    map_of(counted, photo, method, settings)
    told = passes_of(method, *photo.full_size, settings)
    assert (Counted.forward_passes, Counted.gradient_passes) == (told.forward, told.gradient)


def test_deletion_and_insertion_take_the_passes_that_were_told_before(counted):
    finish(deletion_insertion(counted, photo_of(), NATIVE, made_map(corner(1, 0)), steps=4, random_maps=2))
    assert Passes(Counted.forward_passes, Counted.gradient_passes) == deletion_passes(steps=4, random_maps=2)


def test_the_time_of_passes_grows_with_their_number_and_with_the_pixels():
    times = PassTimes(forward=1e-6, gradient=3e-6)
    assert times.seconds(Passes(2, 1), 1000) == pytest.approx(5e-3)
    assert times.seconds(Passes(2, 1) * 2, 1000) == pytest.approx(1e-2)


def test_timing_leaves_the_network_as_it_is():
    network = small_network().train()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    with torch.inference_mode():
        times = time_passes(network, 80, 64)
    assert 0 < times.forward < 1
    assert 0 < times.gradient < 1
    assert network.training
    assert all(torch.equal(before[name], weight) for name, weight in network.state_dict().items())
