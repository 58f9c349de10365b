"""Which commands may run as jobs, in the words of the form that starts them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metaiqa_core.training.configuration import FINE_TUNE_PRESETS
from metaiqa_core.training.meta_configuration import META_PRESETS


@dataclass(frozen=True)
class JobCommand:
    """A command that may run as a job.

    Attributes:
        title: What it is called on the page.
        summary: What it does and what comes out, one sentence.
        presets: The configurations that `--preset` names.
        by_type: Whether its database must say the distortion type of each image.
    """

    title: str
    summary: str
    presets: Mapping[str, Any] = field(hash=False)
    by_type: bool = False


JOB_COMMANDS = {
    "meta-train": JobCommand(
        "Meta-training",
        "Learn a quality prior from distortion tasks (Algorithm 1): a model that adapts from few photos.",
        META_PRESETS,
        by_type=True,
    ),
    "fine-tune": JobCommand(
        "Fine-tuning",
        "Adapt a model or a prior to rated photos, and measure by random splits how good it became.",
        FINE_TUNE_PRESETS,
    ),
    "leave-one-out": JobCommand(
        "Leave-one-distortion-out",
        "Learn from all distortion types but one and be judged on that one, for each type (Table 2).",
        META_PRESETS,
        by_type=True,
    ),
    "ablation": JobCommand(
        "Ablation",
        "Fine-tune several starts, such as MetaIQA and Baseline, on the same splits (Table 4).",
        FINE_TUNE_PRESETS,
    ),
    "parameter-study": JobCommand(
        "Parameter study",
        "Meta-train and fine-tune over the number of tasks k and of inner steps S (Figure 4).",
        META_PRESETS,
        by_type=True,
    ),
    "adaptation-curve": JobCommand(
        "Adaptation curve",
        "SROCC on held-out photos over the number of labelled photos that a start is given.",
        FINE_TUNE_PRESETS,
    ),
}
"""The forms that the page offers, by the command's name; a command that the program does not have yet is left out."""

PREPARATIONS = ("synthesize",)
"""Commands that a job may run first, to make what its own command needs."""
