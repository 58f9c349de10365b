"""The commands that may run as jobs, with the words of the form that starts them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metaiqa_core.command_catalogue import COMMANDS, CommandEntry
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS
from metaiqa_core.training.meta_configuration import META_PRESETS


@dataclass(frozen=True)
class JobCommand:
    """A command that may run as a job.

    Attributes:
        entry: The command, with its title and its summary.
        presets: The configurations that `--preset` names.
        by_type: Whether the command needs a database with the distortion type of each image.
    """

    entry: CommandEntry
    presets: Mapping[str, Any] = field(hash=False)
    by_type: bool = False

    @property
    def title(self) -> str:
        """Title on the page."""
        return self.entry.title

    @property
    def summary(self) -> str:
        """Summary in one sentence."""
        return self.entry.summary


JOB_COMMANDS = {
    job.entry.name: job
    for job in (
        JobCommand(COMMANDS["meta-train"], META_PRESETS, by_type=True),
        JobCommand(COMMANDS["fine-tune"], FINE_TUNE_PRESETS),
        JobCommand(COMMANDS["leave-one-out"], META_PRESETS, by_type=True),
        JobCommand(COMMANDS["ablation"], FINE_TUNE_PRESETS),
        JobCommand(COMMANDS["parameter-study"], META_PRESETS, by_type=True),
        JobCommand(COMMANDS["adaptation-curve"], FINE_TUNE_PRESETS),
    )
}
"""The forms that the page offers, by the command's name; a command that the program does not have yet is left out."""

PREPARATIONS = ("synthesize",)
"""Commands that a job may run first, to make what its own command needs."""
