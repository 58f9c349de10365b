"""The commands that may run as jobs, with the words of the form that starts them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metaiqa_core.command_catalogue import COMMANDS, CommandEntry
from metaiqa_core.databases.catalogue import OFFICIAL
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS
from metaiqa_core.training.graph_configuration import GraphTrainingConfig, QualityTuningConfig
from metaiqa_core.training.joint_configuration import JointConfig
from metaiqa_core.training.meta_configuration import META_PRESETS

RUN = "{run}"
"""Stands for the folder of the run in `JobCommand.run_words`."""
EVALUATION_FILE, PREDICTIONS_FILE, REPORT_FILE = "evaluation.json", "predictions.csv", "report.json"
"""Files in the run folder: what `evaluate` found, each image's scores, and what `databases check` found."""
DATABASE_FOLDER = "database"
"""Folder in the run folder for the database that a run makes or was given as upload."""


@dataclass(frozen=True, kw_only=True)
class JobCommand:
    """A command that may run as a job.

    Attributes:
        entry: The command, with its title and its summary.
        presets: The configurations that `--preset` names; empty where the command has no such option.
        settings: Configuration whose values an empty field shows, where there are no presets.
        by_type: Whether the command needs a database with the distortion type of each image.
        action: Sub-command, where the command has several.
        heading: Heading of the form, where the title of the command does not say what the job does.
        purpose: Sentence under it, where the summary of the command says more than the job does.
        run_words: Words that lead the command into the folder of the run, which `RUN` stands for.
        left_out: Options that the form does not offer, since the run folder decides them.
        filled_in: Values that the form starts with, where they differ from the command's own.
        choices: Values that an option is chosen from, where the command itself takes any text.
        may_find: Whether the exit status 1 is an answer (photos refused, problems found) and no failure.
    """

    entry: CommandEntry
    presets: Mapping[str, Any] = field(default_factory=dict, hash=False)
    settings: Any = field(default=None, hash=False)
    by_type: bool = False
    action: str = ""
    heading: str = ""
    purpose: str = ""
    run_words: tuple[str, ...] = ("--run-dir", RUN)
    left_out: tuple[str, ...] = ()
    filled_in: Mapping[str, Any] = field(default_factory=dict, hash=False)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    may_find: bool = False

    @property
    def title(self) -> str:
        """Title of the command."""
        return self.entry.title

    @property
    def summary(self) -> str:
        """Summary in one sentence."""
        return self.purpose or self.entry.summary

    @property
    def words(self) -> list[str]:
        """Words that the command line begins with."""
        return [self.entry.name, *([self.action] if self.action else [])]

    def in_run(self, folder: str) -> list[str]:
        """Return the words that lead the command into a run folder."""
        return [word.replace(RUN, folder) for word in self.run_words]


_MEASURED = {"repeats": 3}
"""A model is worth knowing only with its accuracy: three random splits, unless the form says otherwise."""

JOB_COMMANDS = {
    job.entry.name: job
    for job in (
        JobCommand(entry=COMMANDS["meta-train"], presets=META_PRESETS, by_type=True),
        JobCommand(entry=COMMANDS["fine-tune"], presets=FINE_TUNE_PRESETS, filled_in=_MEASURED),
        JobCommand(entry=COMMANDS["joint-train"], settings=JointConfig(), filled_in=_MEASURED),
        JobCommand(
            entry=COMMANDS["evaluate"],
            heading="Evaluate a model",
            run_words=(
                *("--format", "json", "--output", f"{RUN}/{EVALUATION_FILE}"),
                *("--predictions", f"{RUN}/{PREDICTIONS_FILE}"),
            ),
            left_out=("format", "output", "predictions"),
        ),
        JobCommand(entry=COMMANDS["leave-one-out"], presets=META_PRESETS, by_type=True),
        JobCommand(entry=COMMANDS["ablation"], presets=FINE_TUNE_PRESETS),
        JobCommand(entry=COMMANDS["parameter-study"], presets=META_PRESETS, by_type=True),
        JobCommand(entry=COMMANDS["adaptation-curve"], presets=FINE_TUNE_PRESETS),
        JobCommand(
            entry=COMMANDS["synthesize"],
            heading="Synthesize a database",
            run_words=("--output", f"{RUN}/{DATABASE_FOLDER}"),
            left_out=("output",),
            may_find=True,
        ),
        JobCommand(
            entry=COMMANDS["databases"],
            action="check",
            heading="Check a database",
            purpose="Look for missing, extra, unreadable or double images and wrong scores; nothing is downloaded.",
            run_words=("--format", "json", "--output", f"{RUN}/{REPORT_FILE}"),
            left_out=("format", "output"),
            choices={"name": (*(official.key for official in OFFICIAL), "csv")},
            may_find=True,
        ),
        JobCommand(entry=COMMANDS["graph-model"], settings=GraphTrainingConfig()),
        JobCommand(entry=COMMANDS["graph-train"], settings=GraphTrainingConfig()),
        JobCommand(entry=COMMANDS["graph-tune"], settings=QualityTuningConfig()),
    )
}
"""The forms that the page offers, by the command's name."""

PREPARATIONS = ("synthesize",)
"""Commands that a job may run first, to make what its own command needs."""


def job_title(words: tuple[str, ...] | list[str]) -> str:
    """Return what the job of a command is called.

    >>> job_title(["databases", "check", "tid2013", "data"])
    'Check a database'
    """
    job = JOB_COMMANDS[words[0]]
    return job.heading or job.title
