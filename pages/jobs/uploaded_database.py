"""A database that a visitor uploads: a CSV file with the columns image and mos, and its photos."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from metaiqa_core.errors import JobError
from metaiqa_core.images import READABLE_SUFFIXES
from metaiqa_core.jobs.catalogue import DATABASE_FOLDER
from metaiqa_core.settings import read_settings
from pages.shared.streamlit_internals import UploadedFile


def choose(command: str) -> list[UploadedFile]:
    """Offer the upload, and return the files."""
    with st.expander("Or upload a CSV file and its photos"):
        st.caption(
            "The CSV file has the columns `image` (the name of a photo) and `mos` (its mean opinion score). The files "
            "go into the folder of the run, and with it when you delete it."
        )
        return st.file_uploader(
            "CSV file and photos",
            ["csv", *(suffix.removeprefix(".") for suffix in READABLE_SUFFIXES)],
            accept_multiple_files=True,
            key=f"upload_{command}",
            max_upload_size=read_settings().max_upload_mb,
        )


def place_in(run: Path) -> Path:
    """Return the folder that an uploaded database has in the folder of a run."""
    return run / DATABASE_FOLDER


@contextmanager
def unpacked(files: Sequence[UploadedFile], runs: Path) -> Iterator[Path]:
    """Put the files into a folder of their own beside the runs, as long as the block goes on.

    Raises:
        JobError: If they are no CSV file with photos, two have the same name, or the disk refuses.
    """
    names = [Path(file.name).name for file in files]
    if sum(name.lower().endswith(".csv") for name in names) != 1:
        raise JobError(f"An uploaded database has one CSV file beside its photos, got {', '.join(names)[:200]}.")
    if len({name.casefold() for name in names}) < len(names):
        raise JobError(
            "Two uploaded files have the same name: a photo is found by its name, so give each one of its own."
        )
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".upload-", dir=runs) as temporary:
            folder = Path(temporary) / DATABASE_FOLDER
            folder.mkdir()
            for name, file in zip(names, files, strict=True):
                (folder / name).write_bytes(file.getvalue())
            yield folder
    except OSError as error:
        raise JobError(f"The uploaded files cannot be kept in {runs}: {error.strerror}.") from error


def move_into(folder: Path, run: Path) -> None:
    """Move an unpacked database into the new folder of a run."""
    shutil.move(folder, place_in(run))
