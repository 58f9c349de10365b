"""The options by which commands name the folder of a run, and the processes that share its folds."""

import argparse
import os
import re
import shlex
import sys
from pathlib import Path

from metaiqa_core.commands.output import require_folder
from metaiqa_core.errors import TrainingError
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.workers import Workers
from metaiqa_core.foreign_text import name_text
from metaiqa_core.training.state import state_seconds


def add_run_arguments(parser: argparse.ArgumentParser, content: str) -> None:
    """Declare --run-dir and --tensorboard.

    Args:
        parser: Parser of the command.
        content: Content of the folder, for the help text.
    """
    parser.add_argument("--run-dir", required=True, type=Path, metavar="DIR", help=f"folder of the run, for {content}")
    parser.add_argument(
        "--tensorboard", action="store_true", help="write event files for TensorBoard beside metrics.csv"
    )


def add_worker_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --workers and --shard."""
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="number of processes that share the folds (default: 1)"
    )
    parser.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="compute every N-th fold from the I-th and write no results; used by --workers",
    )


def read_run_folder(arguments: argparse.Namespace) -> RunFolder:
    """Return the folder of the run, and the processes that share its folds, each of which runs this very command.

    Raises:
        TrainingError: If --workers is below 1, or --run-dir can be no folder.
        OutputError: If --run-dir is a stream.
        SettingsError: If `METAIQA_STATE_SECONDS` holds no seconds.
    """
    state_seconds()  # now, rather than when the photos have been read
    require_folder(arguments.run_dir, "--run-dir")
    count = getattr(arguments, "workers", 1)
    if count < 1:
        raise TrainingError(f"--workers must be at least 1, got {count}.")
    words = [sys.executable, "-m", "metaiqa_core", *sys.argv[1:], "--workers", "1"]
    return RunFolder(
        folder=arguments.run_dir,
        workers=Workers(count, words) if count > 1 else None,
        shard=getattr(arguments, "shard", None),
        tensorboard=arguments.tensorboard,
        command=command_line(arguments.run_dir),
    )


def command_line(run_folder: Path) -> str:
    """Return the command line of this run, with file paths shortened to their names.

    Args:
        run_folder: Folder of the run, recognised as a path even before it exists.
    """
    # os.path: unlike Path.exists it says no, where a sentence is longer than any file name.
    paths = {word for word in sys.argv[1:] if os.path.exists(word) or Path(word) == run_folder}  # noqa: PTH110
    words = (name_text(Path(word).name if word in paths else word) for word in sys.argv[1:])
    return shlex.join(["python", "-m", "metaiqa_core", *words])


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"expected I/N with I from 1 to N, such as 1/2, got {text!r}")
    return int(match[1]), int(match[2])
