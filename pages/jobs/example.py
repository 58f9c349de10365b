"""An example of a job, which needs nothing but this program and shows how a job starts, works and ends."""

from pathlib import Path

from metaiqa_core.jobs import control
from metaiqa_core.jobs.catalogue import DATABASE_FOLDER
from metaiqa_core.jobs.job import Job, shell_lines, shortest, with_run_folder
from metaiqa_core.models.model_files import DEFAULT_START
from pages.shared import samples

_NAME, _PHOTOS = "example", "photos"
_PRISTINE = tuple(name for name in samples.NAMES if "," not in name)
_TYPES = ("GB", "JPEG", "WN", "Brighten", "CD", "Pixelate")
ABOUT = (
    "Five sample photos, six kinds of damage at three levels: 90 small images labelled with people's average "
    "ratings of such damage, and the shipped model learns from them by Algorithm 1. It takes a minute or two, works "
    "offline and shows how a job runs. **Its numbers mean nothing**: five photos teach no model."
)


def commands(run: Path) -> list[list[str]]:
    """Return the words of the example's two commands: make the database, then learn from it.

    Args:
        run: Folder of the run, which photos and database lie in: they go with it when it is deleted.
    """
    here = Path.cwd()
    photos, database = (shortest(run / name, here) for name in (_PHOTOS, DATABASE_FOLDER))
    types = [f"kadid10k:{name}" for name in _TYPES]
    images = ["--types", *types, "--levels", "1", "3", "5", "--size", "256x192", "--workers", "1"]
    pace = ["--epochs", "12", "--tasks-per-batch", "2", "--inner-steps", "1", "--crop", "192"]
    return [
        ["synthesize", "--like", "kadid10k", "--photos", photos, "--output", database, *images],
        ["meta-train", "--database", database, "--model", DEFAULT_START, *pace, "--preset", "recommended"],
    ]


def shell(runs: Path) -> str:
    """Return the lines that do the same in a terminal, in the folder that the app was started in."""
    run = runs / free_name(runs, _NAME)
    return shell_lines(with_run_folder(commands(run), run, Path.cwd()))


def start(runs: Path) -> Job:
    """Start the example, with the sample photos in its run folder.

    Raises:
        JobError: If the disk refuses.
    """
    name = free_name(runs, _NAME)
    return control.start(runs, name, commands(runs / name), fill=_put_photos)


def _put_photos(run: Path) -> None:
    (run / _PHOTOS).mkdir()
    for name in _PRISTINE:
        (run / _PHOTOS / name).write_bytes(samples.content(name))


def free_name(runs: Path, wish: str) -> str:
    """Return a name that no folder in the runs folder has: the wish, or the wish with a number."""
    names = [wish, *(f"{wish}-{number}" for number in range(2, 10_000))]
    return next(name for name in names if not (runs / name).exists())
