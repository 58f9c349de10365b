"""The methods that a gradient map can be computed with: name, cost and properties of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from metaiqa_core.errors import ExplanationError


@dataclass(frozen=True)
class MapMethod:
    """Description of a method.

    Attributes:
        key: Name on the command line and in files.
        title: Name on a page.
        sentence: Description in one plain line.
        cost: Time at default settings, in forward and backward passes of the network.
        signed: Whether a value's sign tells harm (negative) from help (positive). Elsewhere a sign only says whether
            the score would rise or fall if the pixel grew brighter, and the magnitude is to be read.
        complete: Whether the values add up to a difference of scores, photo against baseline.
        smoothing: Standard deviation of the Gaussian that its map is smoothed with, as a share of the short side of the
            model's input. Single pixels are mostly noise; how much of it cancels out was tuned for each method on
            photos put aside (`MapSettings.smoothing`).
        stops_early: Whether it takes fewer passes where that is enough, so that its time is known as a limit alone.
    """

    key: str
    title: str
    sentence: str
    cost: float
    signed: bool
    complete: bool
    smoothing: float = 0.02
    stops_early: bool = False


_ALL = (
    MapMethod(
        "saliency",
        "Gradient",
        "How much the score would change if a pixel changed a little. This is the paper's map.",
        cost=1,
        signed=False,
        complete=False,
    ),
    MapMethod(
        "gradient-x-input",
        "Gradient x input",
        "The gradient times the pixel's own brightness: roughly what the pixel adds to the score.",
        cost=1,
        signed=True,
        complete=False,
    ),
    MapMethod(
        "smoothgrad",
        "SmoothGrad",
        "The mean gradient of several slightly noisy copies of the photo, which is calmer than a single one.",
        cost=8.5,
        signed=False,
        complete=False,
    ),
    MapMethod(
        "integrated-gradients",
        "Integrated gradients",
        "What each pixel adds to the score while a plain grey picture turns step by step into the photo.",
        cost=50,
        signed=True,
        complete=True,
        stops_early=True,
    ),
    MapMethod(
        "guided-backpropagation",
        "Guided backpropagation",
        "The gradient of signals that raise the score. It is crisp, but it may show edges instead of quality.",
        cost=1,
        signed=False,
        complete=False,
    ),
    MapMethod(
        "grad-cam",
        "Grad-CAM",
        "Blue areas raise the score, orange areas lower it. Coarse and quick; each feature map has one weight.",
        cost=1,
        signed=True,
        complete=False,
    ),
    MapMethod(
        "hirescam",
        "HiResCAM",
        "Blue areas raise the score, orange areas lower it. Coarse and quick; each point of a feature map counts.",
        cost=1,
        signed=True,
        complete=False,
    ),
    MapMethod(
        "guided-grad-cam",
        "Guided Grad-CAM",
        "Guided backpropagation where Grad-CAM sees an influence, which makes it sharper than Grad-CAM.",
        cost=2,
        signed=True,
        complete=False,
    ),
    MapMethod(
        "occlusion",
        "Occlusion",
        "How the score changes when a part of the photo is covered with grey. Slow, and easy to understand.",
        cost=12,
        signed=True,
        complete=False,
    ),
    MapMethod(
        "deeplift",
        "DeepLift",
        "How much each pixel accounts for the difference in score between the photo and a plain grey picture.",
        cost=5.5,
        signed=True,
        complete=True,
        smoothing=0.04,
    ),
)

METHODS: Mapping[str, MapMethod] = MappingProxyType({method.key: method for method in _ALL})
"""Every method by its key, in the order of the page; the paper's comes first."""


def find_method(key: str) -> MapMethod:
    """Return the method of that key.

    Raises:
        ExplanationError: If there is none.
    """
    if key not in METHODS:
        raise ExplanationError(f"There is no method called {key!r}: expected one of {', '.join(METHODS)}.")
    return METHODS[key]
