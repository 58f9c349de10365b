"""The configuration of the graph model, which its card holds; reading it needs no torch."""

from dataclasses import asdict, dataclass
from typing import Any

from metaiqa_core.defect_words import WORDS, Defect
from metaiqa_core.json_files import STRICT
from metaiqa_core.models.regressor_config import RegressorConfig

NODES = 4
"""Nodes of a photo's own graph: its quarters."""
SMALLEST_SIDE = 128
"""Shortest side of a photo that the coarsest scale, 1/32, sees in more than two places a quarter, pixels."""
MAXIMUM_WIDTH = 4096


@dataclass(frozen=True)
class GraphConfig:
    """Configuration of the graph model.

    The widths of the three layers of both graph convolutions are those of GraphIQA by default [G]; a shipped model has
    narrower ones, for its size.

    Attributes:
        backbone: Configuration of the backbone: its name, its adapters, the stages that are its levels (`pooled`), and
            whether they are fused from the coarsest to the finest. What it says of a head does not count.
        defects: Names of the defects that the type code is told apart into.
        tone: Number of bins of the histograms of light and colour, one more level below the finest; 0 for none.
        fused: Width of a node's features z, to which its levels are brought together.
        edge_widths: Widths of the edge graph's layers.
        node_widths: Widths of the node graph's layers; the last one is that of the type code.
        edges: Whether there is a graph at all; without, each node stands alone: for ablations.
    """

    __pydantic_config__ = STRICT

    backbone: RegressorConfig
    defects: tuple[Defect, ...]
    tone: int = 0
    fused: int = 2048
    edge_widths: tuple[int, int, int] = (1024, 512, 64)
    node_widths: tuple[int, int, int] = (1024, 512, 256)
    edges: bool = True

    def __post_init__(self) -> None:
        if not self.backbone.pooled:
            raise ValueError("the levels of the graph model are stages of its backbone: name them in pooled")
        object.__setattr__(self, "defects", tuple(self.defects))
        if len(self.defects) < 2 or len(set(self.defects)) < len(self.defects):
            raise ValueError(f"defects must be two or more, all different, got {len(self.defects)}")
        if unknown := [defect.word for defect in self.defects if defect.word not in WORDS]:
            raise ValueError(f"the words of defects must be among {', '.join(WORDS)}, got {unknown[0]!r:.60}")
        if self.tone not in (0, *range(2, 65)):
            raise ValueError(f"tone must be 0 or from 2 to 64 bins, got {self.tone}")
        for name in ("edge_widths", "node_widths"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for width in (self.fused, *self.edge_widths, *self.node_widths):
            if not 1 <= width <= MAXIMUM_WIDTH:
                raise ValueError(f"widths must be from 1 to {MAXIMUM_WIDTH}, got {width}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self) | {
            "backbone": self.backbone.to_dict(),
            "defects": [asdict(defect) for defect in self.defects],
            "edge_widths": list(self.edge_widths),
            "node_widths": list(self.node_widths),
        }
