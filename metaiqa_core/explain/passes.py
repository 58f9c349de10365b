"""The passes through the network that a map or a check takes, and the time of a pass on this machine.

Nearly all the time of a map goes into passes through the network: forward ones, and gradients (forward and backward).
Their number follows from the method and the size of the model's input, so the time can be told beforehand.
"""

import time
from dataclasses import dataclass

import torch
from torch import nn

from metaiqa_core.explain.attribution import occlusion_windows
from metaiqa_core.explain.methods import find_method
from metaiqa_core.explain.replica import replica
from metaiqa_core.explain.settings import MapSettings

_TIME_PER_PASSES = {
    "saliency": 1.2,
    "gradient-x-input": 1.2,
    "hirescam": 0.8,  # its backward passes end at the feature maps
    "grad-cam": 0.8,
    "smoothgrad": 1.1,
    "occlusion": 1.1,
    "guided-backpropagation": 1.3,
    "deeplift": 3.2,  # at each activation, differences of photo and baseline are divided
}
"""Time of a map over that of its bare passes, as `benchmarks/map_speed.py` measures it for `lite0-joint`."""


@dataclass(frozen=True)
class Passes:
    """A number of passes of one photo through the network.

    Attributes:
        forward: Number of forward passes without a gradient.
        gradient: Number of forward and backward passes.
    """

    forward: int = 0
    gradient: int = 0

    def __mul__(self, times: int) -> "Passes":
        return Passes(times * self.forward, times * self.gradient)


@dataclass(frozen=True)
class PassTimes:
    """Time of a pass, seconds per pixel of the model's input.

    Attributes:
        forward: Time of a forward pass without a gradient.
        gradient: Time of a forward and a backward pass.
    """

    forward: float
    gradient: float

    def seconds(self, passes: Passes, pixels: int) -> float:
        """Return the time that passes take for an input of so many pixels, seconds."""
        return (passes.forward * self.forward + passes.gradient * self.gradient) * pixels

    def seconds_of_map(self, method: str, width: int, height: int) -> float:
        """Return the time that a map with the default settings takes: that of its passes, and what comes with them.

        Args:
            method: Key of the method in `METHODS`.
            width: Width of the model's input, pixels.
            height: Height of the model's input, pixels.
        """
        passes = self.seconds(passes_of(method, width, height), width * height)
        return _TIME_PER_PASSES.get(method, 1.0) * passes


def passes_of(method: str, width: int, height: int, settings: MapSettings | None = None) -> Passes:
    """Return the passes that a method takes.

    Integrated gradients stop early where the values add up; the number is that of photos where they do not, which are
    the rule. DeepLift passes photo and baseline through together, and once more in double precision, which costs about
    twice as much, where single precision loses the sum; the number is that without.

    Args:
        method: Key of the method in `METHODS`.
        width: Width of the model's input, pixels.
        height: Height of the model's input, pixels.
        settings: Settings of the methods; None: the defaults.

    Raises:
        ExplanationError: If there is no such method.
    """
    settings = settings or MapSettings()
    find_method(method)
    if method == "smoothgrad":
        return Passes(1, settings.samples)
    if method == "integrated-gradients":
        splits = max(settings.maximum_steps - settings.steps, 0) // 4
        return Passes(settings.steps // 4 + 1 + splits, settings.steps + 8 * splits)
    if method == "occlusion":
        return Passes(1 + len(occlusion_windows(height, width, settings)[1]))
    if method in ("guided-grad-cam", "grad-cam", "hirescam"):
        # The feature layer is found by a forward pass.
        return Passes(1, 2 if method == "guided-grad-cam" else 1)
    return Passes(0, 2 if method == "deeplift" else 1)


def time_passes(network: nn.Module, width: int, height: int) -> PassTimes:
    """Measure the time of a pass on this machine; of two tries the shorter counts.

    A first pass sets many things up: let the network have computed something before.

    Args:
        network: Network from photos (B, 3, H, W), RGB in [0, 1], to scores (B,).
        width: Width of the model's input, pixels.
        height: Height of the model's input, pixels.
    """
    twin, weight = replica(network), next(network.parameters(), None)
    with torch.inference_mode(False):
        images = torch.full((1, 3, height, width), 0.5)
        if weight is not None:
            images = images.to(weight.device, weight.dtype)

    def forward() -> float:
        start = time.perf_counter()
        with torch.inference_mode(False), torch.no_grad():
            twin(images)
        return time.perf_counter() - start

    def gradient() -> float:
        start = time.perf_counter()
        with torch.inference_mode(False), torch.enable_grad():
            leaf = images.clone().requires_grad_()
            torch.autograd.grad(twin(leaf).sum(), leaf)
        return time.perf_counter() - start

    pixels = width * height
    return PassTimes(min(forward(), forward()) / pixels, min(gradient(), gradient()) / pixels)
