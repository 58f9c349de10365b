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
    """

    key: str
    title: str
    sentence: str
    cost: float
    signed: bool
    complete: bool


_ALL = (
    MapMethod(
        "saliency",
        "Gradient",
        "How much the score would change if a pixel changed a little: the paper's map.",
        cost=1,
        signed=False,
        complete=False,
    ),
    MapMethod(
        "gradient-x-input",
        "Gradient x input",
        "The gradient times the pixel's own value: what the pixel adds to the score, to first order.",
        cost=1,
        signed=True,
        complete=False,
    ),
    MapMethod(
        "smoothgrad",
        "SmoothGrad",
        "The mean gradient over slightly noisy copies of the photo; it is less noisy than the gradient.",
        cost=8,
        signed=False,
        complete=False,
    ),
    MapMethod(
        "integrated-gradients",
        "Integrated gradients",
        "The amount that each pixel adds to the score on the path from a plain grey picture to the photo.",
        cost=26,
        signed=True,
        complete=True,
    ),
    MapMethod(
        "guided-backpropagation",
        "Guided backpropagation",
        "The gradient along paths that raise the score all the way; crisp, but it may show edges, not the model.",
        cost=1,
        signed=False,
        complete=False,
    ),
    MapMethod(
        "grad-cam",
        "Grad-CAM",
        "The areas of the network's last feature maps that raise or lower the score; coarse and quick.",
        cost=1,
        signed=True,
        complete=False,
    ),
    MapMethod(
        "hirescam",
        "HiResCAM",
        "Blue areas raise the score, orange areas lower it; each point of the network's feature maps counts by itself.",
        cost=1,
        signed=True,
        complete=False,
    ),
    MapMethod(
        "guided-grad-cam",
        "Guided Grad-CAM",
        "Guided backpropagation, shown only where Grad-CAM sees an influence; sharper than Grad-CAM.",
        cost=2,
        signed=True,
        complete=False,
    ),
    MapMethod(
        "occlusion",
        "Occlusion",
        "How the score changes when a window of the photo is covered; slow, but it needs no gradient.",
        cost=20,
        signed=True,
        complete=False,
    ),
    MapMethod(
        "deeplift",
        "DeepLift",
        "The difference to a plain grey picture, passed back through every activation in one go.",
        cost=10,
        signed=True,
        complete=True,
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
