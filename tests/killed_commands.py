"""Commands that are killed at random moments, or run out of disk, and go on: each against one that nobody disturbed.

A command is a process forked from one that has imported PyTorch, so that the moments fall into its work and not into
the seconds that it would take to start. `kill -9` leaves it no time for a last word.
"""

import contextlib
import csv
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from multiprocessing import forkserver
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from tiny_fixtures import TINY_CARD, TINY_PREPROCESSING, photo_pixels, spread_network, write_distorted

_IMPORTED = ("torch", "metaiqa_core.cli", "metaiqa_core.training.meta", "metaiqa_core.training.finetune")
COMMANDS = ("meta-train", "fine-tune", "leave-one-out", "score")
_LEAN = ["--inner-steps", "1", "--support-batch", "4", "--query-batch", "4", "--crop", "64"]


class Outcome(NamedTuple):
    """How a command ended: its exit status (negative: the signal that killed it) and what it said on stderr."""

    status: int
    said: str


class Bench:
    """A folder with a tiny database, tiny photos and a tiny model, and the commands that work on them.

    Args:
        folder: Empty folder.
        length: Length of the commands: 1 takes about a second on an idle processor.
    """

    def __init__(self, folder, length=1):
        self.folder, self.length = Path(folder), length
        self.database = write_distorted(self.folder / "database")
        self.model = _write_model(self.folder, self.database)
        self.photos = _write_photos(self.folder / "photos", 40 * length)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["killed_commands", *_IMPORTED])
        with (
            pytest.MonkeyPatch.context() as patch
        ):  # the server finds no modules but by this variable, and says nothing
            patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])]))
            forkserver.ensure_running()

    def words(self, command, place):
        """Return the words of a command that writes into a folder."""
        if command == "score":
            return [command, self.photos, "--model", self.model, "--format", "csv", "--output", place / "scores.csv",
                    "--resume"]  # fmt: skip
        words = [command, "--database", self.database, "--model", self.model, "--run-dir", place / "run"]
        if command == "fine-tune":
            return [*words, "--epochs", 2 * self.length, "--crop", 64, "--name", "tuned", "--repeats", 1]
        if command == "meta-train":
            return [*words, *_LEAN, "--epochs", 4 * self.length, "--name", "prior"]
        return [*words, *_LEAN, "--epochs", self.length, "--seeds", 0, "--types", "GB", "WN"]

    def start(self, command, place):
        """Start a command and return its process; what it says goes to a file beside the folder."""
        place.mkdir(parents=True, exist_ok=True)
        said = self.folder / f"{place.name}.stderr"
        process = self._context.Process(
            target=_run, args=([str(word) for word in self.words(command, place)], str(said))
        )
        process.start()
        return process, said

    def finish(self, command, place):
        """Run a command to its end."""
        process, said = self.start(command, place)
        process.join()
        return Outcome(process.exitcode, said.read_text())

    def seconds(self, command, place):
        """Run a command undisturbed; return how long its work took."""
        start = time.monotonic()
        outcome = self.finish(command, place)
        if outcome.status:
            raise RuntimeError(f"{command} ended with {outcome.status}: {outcome.said}")
        return time.monotonic() - start

    def kill_often(self, command, place, *, kills, seconds, chance):
        """Start a command, kill it at a random moment, and so on; finish it at last.

        A command that ends before its moment starts afresh, and must have written the right thing.

        Args:
            command: One of `COMMANDS`.
            place: Folder that it writes into; finished takes get folders beside it.
            kills: Number of kills.
            seconds: Duration of the undisturbed command.
            chance: Source of the moments.

        Returns:
            The folders of the finished takes.
        """
        takes, done = [place.with_name(f"{place.name}-1")], 0
        while done < kills:
            process, said = self.start(command, takes[-1])
            process.join(chance.uniform(0, seconds * 0.6))
            if process.exitcode is None:
                os.kill(process.pid, signal.SIGKILL)
                process.join()
                done += 1
                if process.exitcode == -signal.SIGKILL:
                    continue
            if process.exitcode:
                raise RuntimeError(f"{command} ended with {process.exitcode}: {said.read_text()}")
            takes.append(place.with_name(f"{place.name}-{len(takes) + 1}"))
        outcome = self.finish(command, takes[-1])
        if outcome.status:
            raise RuntimeError(f"{command} does not go on: {outcome.said}")
        return takes


def results(command, place):
    """Return what a command has made, to be compared: weights bit by bit, rows and folds as they stand."""
    from safetensors.torch import load_file

    if command == "score":
        with (place / "scores.csv").open(newline="", encoding="utf-8") as file:
            return [tuple(row) for row in csv.reader(file)]
    run = place / "run"
    found = {}
    for file in sorted(run.rglob("*.safetensors")):
        found[file.name] = {key: value.numpy().tobytes() for key, value in load_file(file).items()}
    for file in sorted(run.rglob("*.json")):
        content = json.loads(file.read_text())
        if "predicted" in content:
            found[str(file.relative_to(run))] = content["predicted"]
        elif "records" in content:
            found[file.name] = [
                (one["method"], one["distortion_type"], one["metric"], one["value"]) for one in content["records"]
            ]
    return found


def leftovers(place):
    """Return what a finished command should not have left: states of folds, journals and half-written files."""
    return [file.name for file in place.rglob("*") if file.name.startswith(".") or file.suffix == ".jsonl"]


def _run(words, said):
    """The body of a command's process."""
    import torch

    os.environ["METAIQA_STATE_SECONDS"] = "0"
    torch.set_num_threads(1)
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv = ["metaiqa", *words]
    from metaiqa_core.cli import main

    sys.exit(main(words))


def _write_model(folder, database):
    from metaiqa_core.databases.reading import read_database
    from metaiqa_core.models.checkpoints import save_checkpoint
    from metaiqa_core.training.photos import TrainingPhotos

    network = spread_network(TrainingPhotos(read_database(database).images, TINY_PREPROCESSING))
    save_checkpoint(network, TINY_CARD, folder / "tiny.safetensors")
    return folder / "tiny.safetensors"


def _write_photos(folder, number):
    folder.mkdir()
    for index in range(number):
        Image.fromarray(photo_pixels(index, noise=index % 40)).save(folder / f"{index:04}.png")
    return folder


@contextlib.contextmanager
def small_disk(folder, size):
    """Mount a small file system in memory at a folder; yields a function that gives it another size, in kilobytes.

    Raises:
        PermissionError: If mounting is not allowed here.
    """
    import subprocess

    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)]
    mounted = subprocess.run(words, capture_output=True, text=True) if sys.platform.startswith("linux") else None
    if mounted is None or mounted.returncode:
        raise PermissionError(mounted.stderr.strip() if mounted else "there is no tmpfs here")
    try:
        yield lambda kilobytes: subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", folder], check=True)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def moments(command):
    """Return the source of a command's random moments, the same each time."""
    return random.Random(f"kill {command}")


with contextlib.suppress(ImportError):  # what the forked processes need not import again
    from metaiqa_core.commands import fine_tune, leave_one_out, meta_train, score  # noqa: F401
