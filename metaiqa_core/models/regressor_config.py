"""The configuration of the quality regression network, which a model's card holds; reading it needs no torch."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from metaiqa_core.json_files import STRICT

BACKBONES = (
    "resnet18",
    "resnet34",
    "resnet50",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "convnext_tiny",
    "densenet121",
    "regnet_y_400mf",
    "shufflenet_v2_x1_0",
    "vgg16",
    "efficientnet_lite0",
    "efficientnet_lite1",
    "efficientnet_lite2",
    "scnet50",
)
"""Names of the published classifiers that a network can stand on (`backbones.build_backbone`)."""

MAXIMUM_CENTRES = 16_384
"""Most Gaussian functions of a head: their centres are as many as the photos that a kernel regression keeps."""
MAXIMUM_STUDIES = 64
"""Most studies whose answers a head weighs."""
MAXIMUM_HIDDEN = 4096
"""Widest first linear layer: with every stage of VGG16 pooled, the widest of all, its weights take 325 MB."""
MAXIMUM_TONES = 64
"""Most tones of a head: the steps of light that a photo on a screen is told apart by are not many more."""
MAXIMUM_FUSED = 1024
"""Most channels of fused levels: four times those of the published feature pyramids."""


@dataclass(frozen=True)
class RegressorConfig:
    """Configuration of the network; defaults are the paper's.

    Attributes:
        backbone: Name of a published classifier, one of `BACKBONES` (Section 4.1: ResNet18).
        hidden: Width of the first linear layer.
        dropout: Probability in front of the first linear layer while training.
        folded: Whether the backbone's batch normalisation is folded into its convolutions: the same function with fewer
            passes over memory, for networks whose statistics are not going to change.
        pooled: Stages whose maps are pooled by mean and standard deviation, as numbers from 1, ascending; none: only
            the last stage, by its mean (the paper's).
        centres: Number of Gaussian functions in place of the ReLU (`Gaussians`), over `hidden` projected features; 0:
            two linear layers (the paper's).
        adapters: Stages that a self-calibrated adapter follows (`SelfCalibratedAdapter`), as numbers from 1, ascending.
        fused: Number of channels that the pooled stages are fused on, from the coarsest to the finest
            (`MultiScaleFusion`); 0: each stage is pooled as it is.
        studies: Number of studies whose answers a head of Gaussian functions weighs (`Mixture`); 0: a single answer.
        tones: Number of tones of the photo's light and colours that a head of Gaussian functions sees too (`Tones`); 0:
            it sees what the backbone sees.
        tone_centres: Number of Gaussian functions of the tones.
    """

    __pydantic_config__ = STRICT

    backbone: str = "resnet18"
    hidden: int = 512
    dropout: float = 0.0
    folded: bool = False
    pooled: tuple[int, ...] = ()
    centres: int = 0
    adapters: tuple[int, ...] = ()
    fused: int = 0
    studies: int = 0
    tones: int = 0
    tone_centres: int = 0

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise ValueError(f"backbone must be one of {', '.join(BACKBONES)}, got {self.backbone!r}")
        if self.hidden < 1:
            raise ValueError(f"hidden must be at least 1, got {self.hidden}")
        if self.hidden > MAXIMUM_HIDDEN:
            raise ValueError(f"hidden must be at most {MAXIMUM_HIDDEN}, got {self.hidden}")
        if not 0 <= self.centres <= MAXIMUM_CENTRES:
            raise ValueError(f"centres must be from 0 to {MAXIMUM_CENTRES}, got {self.centres}")
        if self.centres and not self.pooled:
            raise ValueError("centres need features of one size: name the stages to pool")
        if not 0 <= self.studies <= MAXIMUM_STUDIES:
            raise ValueError(f"studies must be from 0 to {MAXIMUM_STUDIES}, got {self.studies}")
        if self.studies and not self.centres:
            raise ValueError("the answers of several studies need Gaussian functions: name the number of centres")
        if not (self.tones == 0 or 2 <= self.tones <= MAXIMUM_TONES):
            raise ValueError(f"tones must be 0 or from 2 to {MAXIMUM_TONES}, got {self.tones}")
        if not 0 <= self.tone_centres <= MAXIMUM_CENTRES:
            raise ValueError(f"tone_centres must be from 0 to {MAXIMUM_CENTRES}, got {self.tone_centres}")
        if bool(self.tones) != bool(self.tone_centres) or (self.tones and not self.centres):
            raise ValueError("tones need Gaussian functions: give the numbers of centres and of tone_centres too")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        for name in ("pooled", "adapters"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # a card holds a list
            stages = getattr(self, name)
            numbers = all(isinstance(stage, int) for stage in stages)
            if not numbers or any(later <= one for one, later in pairwise((0, *stages))):
                raise ValueError(f"{name} must be ascending numbers of stages from 1, got {list(stages)}")
        if not 0 <= self.fused <= MAXIMUM_FUSED:
            raise ValueError(f"fused must be from 0 to {MAXIMUM_FUSED}, got {self.fused}")
        if self.fused and not self.pooled:
            raise ValueError("fused levels are the stages that are pooled: name them with pooled")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values; those that came later are left out where they do nothing."""
        later = {"adapters": list(self.adapters), "fused": self.fused}
        later |= {"tones": self.tones, "tone_centres": self.tone_centres}
        fields = asdict(self) | {"pooled": list(self.pooled)} | later
        return {name: value for name, value in fields.items() if name not in later or value}
