"""What many tests share: one tiny database whose scores mean something, and one tiny model that tells photos apart."""

import csv
import sys

import pytest
from PIL import Image

# PyTorch takes seconds to import, and many tests do without it: what needs it is imported where it is used.

PROGRAM = sys.modules["__main__"]


@pytest.fixture(scope="session", autouse=True)
def _quiet_machine(tmp_path_factory):
    """One thread for PyTorch, and no models of whoever runs the tests."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METAIQA_MODELS", str(tmp_path_factory.mktemp("models")))
        patch.setenv("METAIQA_RUNS", str(tmp_path_factory.mktemp("runs")))
        patch.setenv("METAIQA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _new_session():
    """Every test is a visitor of its own; Streamlit's AppTest gives all of them one session's caches."""
    if caching := sys.modules.get("streamlit.runtime.caching"):
        caching.clear_session_resource_cache("test session id")


@pytest.fixture(autouse=True)
def _same_program():
    """AppTest leaves a page as the main module, which a process that a later test starts would run again."""
    sys.modules["__main__"] = PROGRAM
    yield
    sys.modules["__main__"] = PROGRAM


@pytest.fixture
def run(capsys):
    """Run a command in this process; returns its exit status, stdout and stderr."""
    from metaiqa_core.cli import main

    def call(*words):
        capsys.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as end:  # argparse's way of refusing
            status = end.code
        out, err = capsys.readouterr()
        return status, out, err

    return call


@pytest.fixture(scope="session")
def tiny_csv(tmp_path_factory):
    """A CSV database of 24 generated photos; the noisier a photo, the lower its score."""
    from tiny_fixtures import photo_pixels

    folder = tmp_path_factory.mktemp("tiny")
    with (folder / "tiny.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "mos"])
        for number in range(24):
            noise = 2.5 * (number * 7 % 24)
            size = (96, 72) if number % 3 else (72, 96)
            Image.fromarray(photo_pixels(number, noise, size)).save(folder / f"photo-{number:02}.png")
            writer.writerow([f"photo-{number:02}.png", round(95 - 1.4 * noise, 2)])
    return folder / "tiny.csv"


@pytest.fixture(scope="session")
def tiny_database(tiny_csv):
    from metaiqa_core.databases.reading import read_database

    return read_database(tiny_csv)


@pytest.fixture(scope="session")
def tiny_photos(tiny_database):
    """The database's model inputs; read only."""
    from tiny_fixtures import TINY_PREPROCESSING

    from metaiqa_core.training.photos import TrainingPhotos

    return TrainingPhotos(tiny_database.images, TINY_PREPROCESSING)


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_photos, tmp_path_factory):
    """The weights file of a tiny calibrated model called `tiny`, with its card."""
    from tiny_fixtures import TINY_CARD, spread_network

    from metaiqa_core.models.checkpoints import save_checkpoint

    path = tmp_path_factory.mktemp("checkpoint") / "tiny.safetensors"
    save_checkpoint(spread_network(tiny_photos), TINY_CARD, path)
    return path


@pytest.fixture(scope="session")
def distorted(tmp_path_factory):
    """A folder as `synthesize` writes it: 3 types x 4 references x 3 levels."""
    from tiny_fixtures import write_distorted

    return write_distorted(tmp_path_factory.mktemp("distorted") / "tiny-style")
