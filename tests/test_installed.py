"""The program as a wheel installs it, in a clean environment and far from the checkout."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from browser import free_port
from packaging.requirements import Requirement
from PIL import Image
from tiny_fixtures import photo_pixels

from metaiqa_core import Assessor, __version__

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = "metaiqa_core/shipped"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built as `pip wheel .` does, with nothing downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "-w",
        folder,
        ROOT,
    ]
    subprocess.run(build, cwd=folder, check=True, capture_output=True, timeout=300)
    return next(folder.glob("*.whl"))


class Installed:
    """A virtual environment that holds the wheel and borrows the libraries of this one."""

    def __init__(self, folder, wheel):
        self.folder = folder / "elsewhere"
        self.folder.mkdir()
        self.bin = folder / "environment" / "bin"
        venv.create(self.bin.parent, symlinks=True)
        self.site = next(self.bin.parent.glob("lib/python*/site-packages"))
        install = [sys.executable, "-m", "pip", "--python", self.bin / "python", "install", "--no-deps", "--no-index"]
        subprocess.run([*install, "--no-compile", wheel], check=True, capture_output=True, timeout=300)
        libraries = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
        (self.site / "libraries.pth").write_text("\n".join(libraries) + "\n")
        self.variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self.variables |= {"OMP_NUM_THREADS": "1", "METAIQA_RUNS": str(self.folder / "runs")}

    def run(self, program, *words):
        command = [self.bin / program, *words]
        outcome = subprocess.run(
            command, cwd=self.folder, env=self.variables, capture_output=True, text=True, timeout=300
        )
        assert outcome.returncode == 0, outcome.stderr
        return outcome.stdout


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def files_below(folder):
    return {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_the_wheel_carries_the_app_and_everything_that_ships(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = (
        "pages",
        ".streamlit",
        *(f"assets/{name}" for name in ("models", "priors", "graph_models", "graphs", "labels", "benchmarks", "runs")),
    )
    expected = {f"{SHIPPED}/{file}" for folder in folders for file in files_below(folder)} | {f"{SHIPPED}/app.py"}
    assert {name for name in names if name.startswith(SHIPPED)} == expected
    assert files_below("metaiqa_core") <= names
    assert {name.split("/")[0] for name in names} == {"metaiqa_core", f"metaiqa-{__version__}.dist-info"}


def test_the_wheel_requires_what_requirements_in_lists(wheel):
    with zipfile.ZipFile(wheel) as archive:
        metadata = Parser().parsestr(archive.read(f"metaiqa-{__version__}.dist-info/METADATA").decode())
    lines = (ROOT / "requirements.in").read_text().splitlines()
    listed = {str(Requirement(line)) for line in lines if line and line[0] != "#"}
    development = (ROOT / "requirements-dev.in").read_text().splitlines()
    extras = {f'{line}; extra == "ray"' for line in development if line.startswith("ray==")}
    assert set(map(str, map(Requirement, metadata.get_all("Requires-Dist")))) == listed | extras
    assert metadata["Version"] == __version__


def test_the_package_is_imported_from_where_it_was_installed(installed):
    where, path = installed.run(
        "python", "-c", "import metaiqa_core, sys; print(metaiqa_core.__file__); print(sys.path)"
    ).splitlines()
    assert where == str(installed.site / "metaiqa_core" / "__init__.py")
    assert repr(str(ROOT)) not in path


def test_the_installed_command_says_its_version_and_its_name(installed):
    assert installed.run("metaiqa", "--version") == f"{__version__}\n"
    assert installed.run("metaiqa", "--help").startswith("usage: metaiqa [-h]")


def test_the_installed_command_knows_the_shipped_models_and_priors(installed):
    names = {row["name"] for row in json.loads(installed.run("metaiqa", "models", "list", "--format", "json"))}
    cards = [*(ROOT / "assets/models").glob("*.json"), *(ROOT / "assets/priors").glob("*.json")]
    assert names >= {card.stem for card in cards}


def test_the_installed_command_scores_as_the_checkout_does(installed):
    photo = installed.folder / "photo.png"
    Image.fromarray(photo_pixels(80)).save(photo)
    [row] = json.loads(installed.run("metaiqa", "score", "photo.png", "--format", "json"))
    assert row["score"] == pytest.approx(Assessor.load().assess(photo).score, abs=1e-3)


JOB = """
import time
from pathlib import Path
from metaiqa_core.jobs import control
from metaiqa_core.jobs.job import find_job
runs = Path("runs")
control.start(runs, "mine", [["fine-tune", "--database", "missing.csv"]])
while (job := find_job(runs, "mine")).state.is_active:
    time.sleep(0.1)
print(job.state, job.status.sentence)
"""


def test_a_job_of_the_installed_program_runs_its_command(installed):
    state, sentence = installed.run("python", "-c", JOB).split(" ", 1)
    assert state == "failed"
    assert "missing.csv" in sentence
    log = (installed.folder / "runs/mine/log.txt").read_text()
    assert "No module named" not in log


def test_the_installed_app_is_served_with_its_settings(installed):
    port = free_port()
    command = [installed.bin / "metaiqa", "app", "--port", str(port), "--no-browser"]
    quiet = {
        "cwd": installed.folder,
        "env": installed.variables,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    server = subprocess.Popen(command, **quiet)
    try:
        address, end = f"http://localhost:{port}/_stcore/health", time.monotonic() + 120
        while True:
            try:
                assert urllib.request.urlopen(address, timeout=5).read() == b"ok"
                break
            except urllib.error.URLError:
                assert server.poll() is None, "the server has ended"
                assert time.monotonic() < end, "the server did not start"
                time.sleep(0.1)
    finally:
        server.terminate()
        server.wait(timeout=20)


FIRST_PAGE = """
from streamlit.testing.v1 import AppTest
from metaiqa_core.assets import APP
from metaiqa_core.explain.measured import read_localisation
from metaiqa_core.results.storage import SHIPPED_RUNS, find_runs
app = AppTest.from_file(str(APP), default_timeout=200).run()
print(APP)
print([each.value for each in app.exception], len(app.main))
print(len(find_runs(SHIPPED_RUNS)[0]), bool(read_localisation()))
"""


def test_the_installed_app_shows_its_first_page_and_reads_its_tables_and_runs(installed):
    app, page, read = installed.run("python", "-c", FIRST_PAGE).splitlines()
    assert app == str(installed.site / SHIPPED / "app.py")
    assert re.fullmatch(r"\[\] [1-9]\d*", page), page
    assert read == f"{len(list((ROOT / 'assets/runs').glob('*/results.json')))} True"
