"""Settings of the slower methods."""

from dataclasses import dataclass
from typing import Literal

Baseline = Literal["grey", "mean", "blurred", "black"]


@dataclass(frozen=True)
class MapSettings:
    """Settings of the slower methods; measurements and the page both use the defaults.

    Attributes:
        samples: Number of noisy copies for SmoothGrad.
        noise: Standard deviation of their noise, in units of [0, 1].
        steps: Initial number of gradients along the path of integrated gradients, a multiple of 4.
        maximum_steps: Number of gradients after which the path is refined no further, whatever the gap.
        tolerance: Completeness gap of integrated gradients that is good enough, as a share of the score difference.
        window: Side of the window of occlusion, as a share of the photo's short side.
        stride: Step of the window, as a share of the window.
        baseline: Replacement for "nothing there" in integrated gradients, DeepLift and occlusion: `grey` (mid-grey),
            `mean` (the photo's mean colour), `blurred` (the photo without detail) or `black`.
        batch: Number of photos in one pass, which bounds the memory. On a processor one photo at a time is the fastest,
            since what one layer leaves for the next stays in the cache.
        smoothing: Standard deviation of the Gaussian that a map is smoothed with at the model's resolution, as a share
            of the short side; 0: the method's raw values; None: that of the method (`MapMethod.smoothing`).
    """

    samples: int = 8
    noise: float = 0.05
    steps: int = 16
    maximum_steps: int = 32
    tolerance: float = 0.01
    window: float = 0.25
    stride: float = 0.75
    baseline: Baseline = "grey"
    batch: int = 1
    smoothing: float | None = None

    def __post_init__(self) -> None:
        for name in ("samples", "steps", "maximum_steps", "batch"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        if self.steps % 4:
            raise ValueError(f"steps must be a multiple of 4, got {self.steps}")
        if not 0 < self.tolerance < 1:
            raise ValueError(f"tolerance must be in (0, 1), got {self.tolerance!r}")
        if not 0 <= self.noise < 1:
            raise ValueError(f"noise must be in [0, 1), got {self.noise!r}")
        if self.smoothing is not None and not 0 <= self.smoothing < 0.5:
            raise ValueError(f"smoothing must be in [0, 0.5), got {self.smoothing!r}")
        for name in ("window", "stride"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(f"{name} must be in (0, 1], got {value!r}")
        if self.baseline not in ("grey", "mean", "blurred", "black"):
            raise ValueError(f"baseline must be grey, mean, blurred or black, got {self.baseline!r}")
