"""Settings of a kernel head."""

from dataclasses import asdict, dataclass
from typing import Any

from metaiqa_core.models.regressor_config import MAXIMUM_TONES


@dataclass(frozen=True)
class KernelConfig:
    """Settings of a kernel head; the defaults measured best on splits of the training data (docs/results.md).

    Attributes:
        dimensions: Number of principal components that the features are projected to.
        centres: Number of images of each study, at most, that are centres of Gaussian functions.
        width: Width of the Gaussian functions, as a share of the root of the median squared distance of two photos.
        penalty: Strength p of the penalty on the weights.
        common: Share r of what the studies have in common, in [0, 1).
        softness: Divisor of the evidence for a study: near 0 the study whose photos are most alike answers alone.
        tones: Number of tones of light and colour that functions of their own see (`Tones`); 0: there are none.
        tone_centres: Number of images of each study, at most, that are centres of these functions.
        seed: Seed of the choice of centres and of the projection.
    """

    dimensions: int = 512
    centres: int = 900
    width: float = 0.8
    penalty: float = 0.2
    common: float = 0.4
    softness: float = 0.3
    tones: int = 0
    tone_centres: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("dimensions", "centres", "tone_centres"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("width", "penalty", "softness"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a positive number, got {getattr(self, name)}")
        if not 0 <= self.common < 1:
            raise ValueError(f"common must be in [0, 1), got {self.common}")
        if not (self.tones == 0 or 2 <= self.tones <= MAXIMUM_TONES):
            raise ValueError(f"tones must be 0 or from 2 to {MAXIMUM_TONES}, got {self.tones}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values; those about tones are left out where there are none."""
        return {name: value for name, value in asdict(self).items() if self.tones or "tone" not in name}
