"""An example of a job, which needs nothing but this program and shows how a job starts, works and ends."""

from pathlib import Path

from metaiqa_core.errors import JobError
from metaiqa_core.files import write_whole
from metaiqa_core.jobs import control
from metaiqa_core.jobs.job import Job, shell_lines, shortest, with_run_folder
from metaiqa_core.models.model_files import DEFAULT_START
from pages.shared import samples

_PHOTOS, _DATABASE = "example-photos", "example-database"
_PRISTINE = tuple(name for name in samples.NAMES if "," not in name)
_TYPES = ("GB", "JPEG", "WN", "Brighten", "CD", "Pixelate")
ABOUT = (
    "Five sample photos, six kinds of damage at three levels: 90 small images labelled with people's average "
    "ratings of such damage, and the shipped model learns from them by Algorithm 1. It takes a minute or two, works "
    "offline and shows how a job runs. **Its numbers mean nothing**: five photos teach no model."
)


def commands(runs: Path) -> list[list[str]]:
    """Return the words of the example's two commands: make the database, then learn from it."""
    here = Path.cwd()
    photos, database = (shortest(runs / name, here) for name in (_PHOTOS, _DATABASE))
    types = [f"kadid10k:{name}" for name in _TYPES]
    images = ["--types", *types, "--levels", "1", "3", "5", "--size", "256x192", "--workers", "1"]
    pace = ["--epochs", "12", "--tasks-per-batch", "2", "--inner-steps", "1", "--crop", "192"]
    return [
        ["synthesize", "--like", "kadid10k", "--photos", photos, "--output", database, *images],
        ["meta-train", "--database", database, "--model", DEFAULT_START, *pace, "--preset", "recommended"],
    ]


def shell(runs: Path) -> str:
    """Return the lines that do the same in a terminal, in the folder that the app was started in."""
    return shell_lines(with_run_folder(commands(runs), runs / free_name(runs, "example"), Path.cwd()))


def start(runs: Path) -> Job:
    """Put the sample photos into the runs folder and start the example.

    Raises:
        JobError: If the disk refuses.
    """
    try:
        for name in _PRISTINE:
            if not (runs / _PHOTOS / name).exists():
                _write(runs / _PHOTOS / name, samples.content(name))
    except OSError as error:
        raise JobError(f"The sample photos cannot be written into {runs}: {error.strerror}.") from error
    return control.start(runs, free_name(runs, "example"), commands(runs))


def free_name(runs: Path, wish: str) -> str:
    """Return a name that no folder in the runs folder has: the wish, or the wish with a number."""
    names = [wish, *(f"{wish}-{number}" for number in range(2, 10_000))]
    return next(name for name in names if not (runs / name).exists())


def _write(path: Path, content: bytes) -> None:
    def fill(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_whole(path, fill)
