"""The methods themselves, over Captum, each a generator that can be stopped between two passes of the network.

Captum's own loops cannot report progress, and its noise tunnel draws from the process's one random state; therefore the
loops of SmoothGrad, integrated gradients and occlusion are ours. What they cost beyond their passes through the network
is little, and how many passes they make is known beforehand (`passes`).

Sources: Simonyan et al. 2014 (gradient); Shrikumar et al. 2017 (gradient x input, DeepLIFT); Smilkov et al. 2017
(SmoothGrad); Sundararajan et al. 2017 (integrated gradients); Springenberg et al. 2015 (guided backpropagation);
Selvaraju et al. 2017 (Grad-CAM); Draelos and Carin 2020 (HiResCAM); Zeiler and Fergus 2014 (occlusion).
"""

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import torch
from captum.attr import DeepLift, GuidedBackprop, LayerGradCam, LayerGradientXActivation
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain.feature_maps import find_feature_layer
from metaiqa_core.explain.replica import ScoreOf, make_elementwise
from metaiqa_core.explain.settings import MapSettings
from metaiqa_core.progress import Progress, Work

_WARNING_FILTERS = threading.Lock()


@dataclass(frozen=True, eq=False)
class Attribution:
    """Attribution of the score to the pixels by one method.

    Attributes:
        values: Attribution of each pixel of the model's input, (1, C, H, W); C = 3, or 1 where a method knows no
            colours.
        unit_score: Score of the photo by the network, about [0, 1].
        completeness_gap: |sum of values - score difference| as a share of the score difference; None where the method
            promises no such sum.
    """

    values: Tensor
    unit_score: float
    completeness_gap: float | None = None


@dataclass(frozen=True, eq=False)
class AttributionRequest:
    """Input of a method.

    Attributes:
        twin: Private twin of the network (see `replica`).
        images: Photo, shape (1, 3, H, W), RGB in [0, 1].
        settings: Settings of the methods.
        seed: Seed of the noise, 0 or more.
    """

    twin: ScoreOf
    images: Tensor
    settings: MapSettings
    seed: int

    def score(self, images: Tensor) -> Tensor:
        """Return the scores (B,) without a graph."""
        with torch.inference_mode(False), torch.no_grad():
            return self.twin(images)

    def baseline(self) -> Tensor:
        """Return the picture (1, 3, H, W) that stands for "nothing there"."""
        return baseline_of(self.images, self.settings.baseline)


def baseline_of(images: Tensor, kind: str) -> Tensor:
    """Return a baseline, a picture without information about quality, of the shape (B, 3, H, W) of `images`.

    Args:
        images: Photos, (B, 3, H, W) in [0, 1].
        kind: Kind of baseline: `grey`, `mean`, `blurred` or `black` (see `MapSettings`).
    """
    if kind == "mean":
        return images.mean((2, 3), keepdim=True).expand_as(images).contiguous()
    if kind == "blurred":
        sigma = min(images.shape[2:]) / 25
        reach = min(int(3 * sigma), min(images.shape[2:]) // 2 - 1)
        return gaussian_blur(images, [2 * reach + 1, 2 * reach + 1], [sigma, sigma])
    return torch.full_like(images, 0.5 if kind == "grey" else 0.0)


def _gradient(request: AttributionRequest) -> Work[Attribution]:
    values = _gradient_at(request.twin, request.images)
    yield Progress("following the gradient", 1, 1)
    return Attribution(values, float(request.twin.last[0]))


def _gradient_x_input(request: AttributionRequest) -> Work[Attribution]:
    values = _gradient_at(request.twin, request.images) * request.images
    yield Progress("following the gradient", 1, 1)
    return Attribution(values, float(request.twin.last[0]))


def _smoothgrad(request: AttributionRequest) -> Work[Attribution]:
    settings, images = request.settings, request.images
    noise = torch.Generator().manual_seed(request.seed)
    total = torch.zeros_like(images)
    for start in range(0, settings.samples, settings.batch):
        count = min(settings.batch, settings.samples - start)
        shift = settings.noise * torch.randn(count, *images.shape[1:], generator=noise)
        total += _gradient_at(request.twin, images + shift.to(images)).sum(0, keepdim=True)
        yield Progress("following gradients of noisy copies", start + count, settings.samples)
    return Attribution(total / settings.samples, float(request.score(images)[0]))


def _integrated_gradients(request: AttributionRequest) -> Work[Attribution]:
    """Integrate over segments of the path, four Gauss-Legendre nodes each, halving the one that is furthest off.

    The score changes fast where contrast is just appearing and hardly near the photo: the first segments grow with the
    cube of their number. What a segment must add up to is known, so the work goes where the error is.
    """
    path = _Path(request)
    settings = request.settings
    ends = [(4 * number / settings.steps) ** 3 for number in range(settings.steps // 4 + 1)]
    waiting = list(pairwise(ends))
    done: list[_Segment] = []
    while waiting:
        done.append(path.integrate(*waiting.pop()))
        steps = 4 * (len(done) + len(waiting))
        yield Progress("integrating gradients", 4 * len(done), max(steps, settings.steps))
        if waiting:
            continue
        difference = sum(segment.difference for segment in done)
        error = abs(sum(segment.error for segment in done))
        if error > settings.tolerance * _substantial(difference) and steps + 4 <= settings.maximum_steps:
            worst = max(done, key=lambda segment: abs(segment.error))
            done.remove(worst)
            middle = (worst.low + worst.high) / 2
            waiting = [(worst.low, middle), (middle, worst.high)]
    values = torch.stack([segment.values for segment in done]).sum(0)
    return _complete(values, path.score(1.0), path.score(0.0))


@dataclass(frozen=True, eq=False)
class _Segment:
    """A part of the path from the baseline (0) to the photo (1)."""

    low: float
    high: float
    values: Tensor
    difference: float
    error: float


class _Path:
    """The straight path from the baseline to the photo; neighbouring segments share the score of the place between."""

    def __init__(self, request: AttributionRequest) -> None:
        self._request = request
        with torch.inference_mode(False):  # what was made in inference mode could take no gradient
            self._baseline = request.baseline()
            self._way = request.images - self._baseline
        self._scores: dict[float, float] = {}

    def at(self, *places: float) -> Tensor:
        """Return the pictures (n, 3, H, W) at places in [0, 1]."""
        with torch.inference_mode(False):
            shares = torch.tensor(places, dtype=self._way.dtype, device=self._way.device)
            return self._baseline + shares[:, None, None, None] * self._way

    def score(self, place: float) -> float:
        """Return the score at a place, which is computed once."""
        if place not in self._scores:
            self._scores[place] = float(self._request.score(self.at(place))[0])
        return self._scores[place]

    def integrate(self, low: float, high: float) -> _Segment:
        """Integrate the gradient along a segment."""
        nodes, weights = np.polynomial.legendre.leggauss(4)
        places, weights = low + (nodes + 1) / 2 * (high - low), weights / 2 * (high - low)
        batch = self._request.settings.batch
        total = torch.zeros_like(self._way)
        for first in range(0, len(places), batch):
            gradients = _gradient_at(self._request.twin, self.at(*places[first : first + batch]))
            for weight, gradient in zip(weights[first : first + batch], gradients, strict=True):
                total += float(weight) * gradient
        values = total * self._way
        difference = self.score(high) - self.score(low)
        return _Segment(low, high, values, difference, float(values.sum(dtype=torch.float64)) - difference)


def _guided_backpropagation(request: AttributionRequest) -> Work[Attribution]:
    values = _guided_at(request)
    yield Progress("following the gradient", 1, 1)
    return Attribution(values, float(request.twin.last[0]))


def _grad_cam(request: AttributionRequest) -> Work[Attribution]:
    values = _cam_at(request)
    yield Progress("weighing feature maps", 1, 1)
    return Attribution(values, float(request.twin.last[0]))


def _hirescam(request: AttributionRequest) -> Work[Attribution]:
    layer = find_feature_layer(request.twin, request.images)
    with torch.inference_mode(False), torch.enable_grad():
        method = LayerGradientXActivation(request.twin, layer.first)
        cells = method.attribute(request.images.clone().requires_grad_()).detach().sum(1, keepdim=True)
    yield Progress("weighing feature maps", 1, 1)
    height, width = request.images.shape[2:]
    return Attribution(layer.at_input(cells, (height, width)), float(request.twin.last[0]))


def _guided_grad_cam(request: AttributionRequest) -> Work[Attribution]:
    """Multiply the magnitude of guided backpropagation with the signed Grad-CAM.

    Note:
        The original multiplies the signed gradient with the positive part of Grad-CAM, which keeps only evidence for a
        class. For a score, the evidence against it (the harm) matters as much.
    """
    guided = _guided_at(request).abs().sum(1, keepdim=True)
    yield Progress("following the gradient", 1, 2)
    values = guided * _cam_at(request)
    yield Progress("weighing feature maps", 2, 2)
    return Attribution(values, float(request.twin.last[0]))


def _occlusion(request: AttributionRequest) -> Work[Attribution]:
    """Give every pixel the mean, over the windows that cover it, of the score lost when the window is covered."""
    settings, images = request.settings, request.images
    height, width = images.shape[2:]
    side, windows = occlusion_windows(height, width, settings)
    baseline = request.baseline()
    unit_score = float(request.score(images)[0])
    total, covered = torch.zeros(2, height, width, dtype=images.dtype, device=images.device)
    batch = 2 * settings.batch  # no graph is kept: a pass needs less memory
    for start in range(0, len(windows), batch):
        chosen = windows[start : start + batch]
        occluded = images.repeat(len(chosen), 1, 1, 1)  # (B, 3, H, W)
        for number, (top, left) in enumerate(chosen):
            area = slice(top, top + side), slice(left, left + side)
            occluded[number, :, area[0], area[1]] = baseline[0, :, area[0], area[1]]
        for (top, left), score in zip(chosen, request.score(occluded).tolist(), strict=True):
            total[top : top + side, left : left + side] += unit_score - score
            covered[top : top + side, left : left + side] += 1
        yield Progress("covering windows", start + len(chosen), len(windows))
    return Attribution((total / covered)[None, None], unit_score)


def _deeplift(request: AttributionRequest) -> Work[Attribution]:
    make_elementwise(request.twin)
    attribution = _deeplift_at(request)
    yield Progress("passing differences back", 1, 1)
    if (attribution.completeness_gap or 0) > request.settings.tolerance and request.images.dtype != torch.float64:
        # The rescale rule divides by small differences, and single precision can lose them; double costs far more.
        exact = AttributionRequest(request.twin.double(), request.images.double(), request.settings, request.seed)
        attribution = _deeplift_at(exact)
    return attribution


class _LeanDeepLift(DeepLift):
    """Captum's DeepLift without its two copies of every activation: nothing in a twin works in place."""

    def _forward_pre_hook(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        module.input = inputs[0].detach()

    def _forward_hook(self, module: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        module.output = outputs.detach()


def _deeplift_at(request: AttributionRequest) -> Attribution:
    baseline = request.baseline()
    with torch.inference_mode(False), torch.enable_grad(), _quiet_captum():
        images = request.images.clone().requires_grad_()
        values = _LeanDeepLift(request.twin).attribute(images, baselines=baseline).detach()
    score, start = request.twin.last.tolist()  # it passes the photo and the baseline through together
    return _complete(values, score, start)


ATTRIBUTIONS: Mapping[str, Callable[[AttributionRequest], Work[Attribution]]] = MappingProxyType(
    {
        "saliency": _gradient,
        "gradient-x-input": _gradient_x_input,
        "smoothgrad": _smoothgrad,
        "integrated-gradients": _integrated_gradients,
        "guided-backpropagation": _guided_backpropagation,
        "grad-cam": _grad_cam,
        "hirescam": _hirescam,
        "guided-grad-cam": _guided_grad_cam,
        "occlusion": _occlusion,
        "deeplift": _deeplift,
    }
)
"""Every method's work by its key."""


def _gradient_at(twin: ScoreOf, images: Tensor) -> Tensor:
    """Return d score / d input, (B, 3, H, W)."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = images.clone().requires_grad_()
        return torch.autograd.grad(twin(leaf).sum(), leaf)[0]


def _guided_at(request: AttributionRequest) -> Tensor:
    if not any(isinstance(part, nn.ReLU) for part in _convolutional_parts(request.twin)):
        raise ExplanationError(
            "Guided backpropagation steers gradients at ReLU activations, and this network's feature maps lack them: "
            "choose another method, such as saliency."
        )
    with torch.inference_mode(False), torch.enable_grad(), _quiet_captum():
        return GuidedBackprop(request.twin).attribute(request.images.clone().requires_grad_()).detach()


def _convolutional_parts(twin: ScoreOf) -> Iterator[nn.Module]:
    """Yield the modules up to the last convolution."""
    parts = list(twin.modules())
    convolutions = [place for place, part in enumerate(parts) if isinstance(part, nn.Conv2d)]
    yield from parts[: convolutions[-1] + 1 if convolutions else 0]


def _cam_at(request: AttributionRequest) -> Tensor:
    layer = find_feature_layer(request.twin, request.images)
    with torch.inference_mode(False), torch.enable_grad():
        # The weights need no gradient, so the graph must start at the input.
        cells = LayerGradCam(request.twin, layer.module).attribute(request.images.clone().requires_grad_()).detach()
    height, width = request.images.shape[2:]
    return layer.at_input(cells, (height, width))


def _complete(values: Tensor, score: float, start: float) -> Attribution:
    """Return an attribution with what it misses of the difference between the photo's score and the baseline's."""
    difference = score - start
    gap = abs(float(values.sum(dtype=torch.float64)) - difference)
    return Attribution(values, score, gap / _substantial(difference))


def _substantial(difference: float) -> float:
    """Return the difference that a gap is given as a share of, at least one point of a hundred."""
    return max(abs(difference), 0.01)


def occlusion_windows(height: int, width: int, settings: MapSettings) -> tuple[int, list[tuple[int, int]]]:
    """Return the side of the windows that occlusion covers, pixels, and the (top, left) of each.

    Args:
        height: Height of the model's input, pixels.
        width: Width of the model's input, pixels.
        settings: Settings of the methods.
    """
    side = max(2, round(settings.window * min(height, width)))
    step = max(1, round(settings.stride * side))
    tops, lefts = _window_starts(height, side, step), _window_starts(width, side, step)
    return side, [(top, left) for top in tops for left in lefts]


def _window_starts(length: int, side: int, step: int) -> list[int]:
    starts = list(range(0, max(length - side, 0) + 1, step))
    return starts if starts[-1] + side >= length else [*starts, length - side]


@contextmanager
def _quiet_captum() -> Iterator[None]:
    """Silence Captum's announcement that it sets hooks; Python's filters are the process's, hence the lock."""
    with _WARNING_FILTERS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting ")
        yield
