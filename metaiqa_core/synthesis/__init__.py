"""Re-synthesised databases: `kadid10k-style` from any pristine photos, `tid2013-kodak` from the Kodak suite."""

from metaiqa_core.synthesis.configuration import NAMES, SynthesisConfig
from metaiqa_core.synthesis.references import Selection, find_photos, select_references
from metaiqa_core.synthesis.synthesis import Synthesis, disk_need, synthesise

__all__ = [
    "NAMES",
    "Selection",
    "Synthesis",
    "SynthesisConfig",
    "disk_need",
    "find_photos",
    "select_references",
    "synthesise",
]
