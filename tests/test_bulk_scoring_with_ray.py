"""Bulk scoring by real processes of Ray: a cluster that goes away, then this machine, where one process is killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
from page_fixtures import jpeg
from tiny_fixtures import photo_pixels

pytest.importorskip("ray", reason="Ray is not installed: pip install 'metaiqa[ray]'")

ROOT = Path(__file__).resolve().parents[1]
CLUSTER = """
import logging, sys, ray
quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
ray.init(num_cpus=2, include_dashboard=False, object_store_memory=10**8, **quiet)
sys.stdout.write(ray.get_runtime_context().gcs_address + "\\n")
sys.stdout.flush()
sys.stdin.read()
"""
IMPATIENT = """
import sys
from metaiqa_core.bulk import ray_processes
from metaiqa_core.cli import main
ray_processes._PAUSE, ray_processes._PATIENCE = 1.0, 2.0
sys.exit(main(sys.argv[1:]))
"""
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4, "RAY_USAGE_STATS_ENABLED": "0"}
ENVIRONMENT = os.environ | TOKEN | {"PYTHONPATH": str(ROOT)}  # as if installed on each machine
PHOTOS, PART, LONGEST = 48, 4, 240


@pytest.fixture
def cluster():
    """The process of a cluster on this machine, and its address."""
    command, quiet = [sys.executable, "-c", CLUSTER], subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=quiet, text=True, env=ENVIRONMENT)
    yield process, process.stdout.readline().strip()
    parts = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    for part in [process, *parts]:
        part.kill()
    process.communicate()


@pytest.fixture
def manifest(tmp_path):
    """Photos that each take a while, and two that fail."""
    pictures = [jpeg(photo_pixels(number, size=(640, 512))) for number in range(4)]
    names = [f"{number:02}.jpg" for number in range(PHOTOS)]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(pictures[number % 4])
    (tmp_path / names[17]).unlink()
    (tmp_path / names[31]).write_bytes(b"no photo")
    (tmp_path / "photos.txt").write_text("\n".join(names))
    return tmp_path / "photos.txt"


def start(manifest, output, *words):
    command = [sys.executable, "-c", IMPATIENT, "bulk-score", "--manifest", manifest, "--output", output]
    return subprocess.Popen([*command, "--part-size", str(PART), *words], stderr=-1, text=True, env=ENVIRONMENT)


def wait_for_parts(output, number, process):
    end = time.monotonic() + LONGEST
    while len(list(output.glob("part-*"))) < number:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "no part came"
        time.sleep(0.02)


def parts_of(process, name):
    found = psutil.Process(process.pid).children(recursive=True)
    return [part for part in found if part.is_running() and name in " ".join([part.name(), *part.cmdline()[:1]])]


def test_nothing_is_lost_or_doubled_when_a_cluster_goes_away_and_a_process_is_killed_in_the_middle(
    cluster, manifest, tmp_path
):
    output, (ray, address) = tmp_path / "scores", cluster
    far = start(manifest, output, "--ray", address)
    wait_for_parts(output, 1, far)
    (control,) = parts_of(ray, "gcs_server")
    for part in [control, *parts_of(ray, "ray")]:
        part.kill()
    _, err = far.communicate(timeout=LONGEST)
    assert far.returncode == 2, err
    assert f"The cluster went away ({address} does not answer): finished parts are kept; start the same command" in err
    before = {path.name: path.stat().st_mtime_ns for path in output.glob("part-*")}
    assert 1 <= len(before) < PHOTOS // PART

    near = start(manifest, output, "--workers", "2")
    wait_for_parts(output, len(before) + 1, near)
    scoring = parts_of(near, "ray::score_part")
    assert scoring, "the run ended before a process could be killed"
    scoring[0].kill()
    _, err = near.communicate(timeout=LONGEST)
    assert near.returncode == 1, err  # two photos failed
    assert f"({PART * len(before)} others were finished before); 2 of {PHOTOS} have no score." in err

    rows = pq.read_table(output).to_pylist()
    assert [row["file"] for row in rows] == manifest.read_text().split()
    assert {row["file"] for row in rows if row["error"]} == {"17.jpg", "31.jpg"}
    for scene in range(4):
        scores = [row["score"] for number, row in enumerate(rows) if number % 4 == scene and not row["error"]]
        assert np.ptp(scores) == 0
    assert {name: (output / name).stat().st_mtime_ns for name in before} == before


def test_an_address_where_no_cluster_is_answers_with_one_sentence(run, manifest, tmp_path):
    status, _, err = run("bulk-score", "--manifest", manifest, "--output", tmp_path / "out", "--ray", "nowhere")
    assert status == 2
    assert err.startswith("There is no Ray at nowhere (")
    assert err.endswith("): check the address and that it runs.\n")
