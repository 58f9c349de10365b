"""What commands share that work in a run folder: its options, the workers that share its folds, and its origins."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from metaiqa_core.commands.output import as_json
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.files import write_text
from metaiqa_core.training.fingerprint import is_same_recipe

Item = TypeVar("Item")


def add_run_arguments(parser: argparse.ArgumentParser, content: str) -> None:
    """Declare --run-dir and --tensorboard."""
    parser.add_argument("--run-dir", required=True, type=Path, metavar="DIR", help=content)
    parser.add_argument(
        "--tensorboard", action="store_true", help="also write TensorBoard's event files (metrics.csv always is)"
    )


def add_worker_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --workers and --shard."""
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that share the folds (default: 1)"
    )
    parser.add_argument(
        "--shard", type=_shard, metavar="I/N", help="compute every N-th fold from the I-th, and no results: for workers"
    )


def share_folds(arguments: argparse.Namespace) -> None:
    """Let --workers processes compute all folds; each runs this very command with a --shard of its own.

    Raises:
        TrainingError: If one of them fails; what is finished stays.
    """
    if arguments.workers < 1:
        raise TrainingError(f"--workers must be at least 1, got {arguments.workers}.")
    if arguments.workers == 1 or arguments.shard:
        return
    count = arguments.workers
    threads = str(max(1, (os.cpu_count() or 1) // count))
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    folder = arguments.run_dir / "workers"
    folder.mkdir(parents=True, exist_ok=True)
    logs = [folder / f"{number}.log" for number in range(1, count + 1)]
    workers = []
    try:
        for number, log in enumerate(logs, start=1):
            words = [
                sys.executable,
                "-m",
                "metaiqa_core",
                *sys.argv[1:],
                "--workers",
                "1",
                "--shard",
                f"{number}/{count}",
            ]
            with log.open("ab") as output:
                workers.append(subprocess.Popen(words, stdout=output, stderr=output, env=environment))  # noqa: S603
        sys.stderr.write(f"{count} processes share the folds; their progress is in {folder}\n")
        for worker, log in zip(workers, logs, strict=True):
            if worker.wait():
                last = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
                raise TrainingError(f"One of the processes that share the folds failed: {last} (see {log})")
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


def shard_of(items: Sequence[Item], shard: tuple[int, int] | None) -> Sequence[Item]:
    """Return the part of the items that is this process's."""
    return items if shard is None else items[shard[0] - 1 :: shard[1]]


def log_folder(arguments: argparse.Namespace) -> Path:
    """Return where this process writes its curves: the run's folder, or its own among the workers'."""
    return arguments.run_dir / "workers" / str(arguments.shard[0]) if arguments.shard else arguments.run_dir


def claim(folder: Path, recipe: Mapping[str, Any], databases: Sequence[Database]) -> None:
    """Refuse a folder whose finished folds were made otherwise: their numbers would pass for this run's.

    Args:
        folder: Of the finished folds.
        recipe: How they are made, with the hash of the start's weights (JSON-ready).
        databases: Of what.

    Raises:
        TrainingError: If another recipe, or images of the same name that are others, made them.
    """
    made_of = {"databases": {database.name: database.fingerprint() for database in databases}}
    file, content = folder / "recipe.json", as_json({**recipe, **made_of})
    if not file.exists():
        write_text(file, content)
    elif not is_same_recipe(file.read_text(encoding="utf-8"), content):
        raise TrainingError(
            f"The splits in {folder} were made by another configuration, from other weights or of other images: choose "
            "another --run-dir, or delete it."
        )


def common_folder(database: Database) -> str | None:
    """Return the folder that holds all images, if there is one: result pages show images from it."""
    folders = {image.path.parent.resolve() for image in database}
    return str(folders.pop()) if len(folders) == 1 else None


def command_line() -> str:
    """Return the command line of this run, with file paths shortened to their names."""
    # os.path: unlike Path.exists it says no, where a sentence is longer than any file name.
    words = [Path(word).name if os.path.exists(word) else word for word in sys.argv[1:]]  # noqa: PTH110
    return shlex.join(["python", "-m", "metaiqa_core", *words])


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"expected I/N with I from 1 to N, such as 1/2, got {text!r}")
    return int(match[1]), int(match[2])
