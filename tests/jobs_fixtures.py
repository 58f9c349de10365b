"""What the tests of jobs share: jobs whose command is quick_program.py, and patience."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from metaiqa_core.errors import JobError
from metaiqa_core.jobs import control
from metaiqa_core.jobs.job import find_job, find_jobs

QUICK_PROGRAM = Path(__file__).with_name("quick_program.py")
QUICK_SUPERVISOR = (
    sys.executable,
    "-c",
    "import sys; from pathlib import Path; from metaiqa_core.jobs import supervisor; "
    "supervisor.NICENESS, supervisor.GRACE_SECONDS = 1, 1.0; "
    f"supervisor.supervise(Path(sys.argv[1]), int(sys.argv[2]), [sys.executable, {str(QUICK_PROGRAM)!r}])",
)


@pytest.fixture(name="runs")
def jobs_folder(tmp_path, monkeypatch):
    """An empty runs folder; jobs in it run the quick program, and none outlives its test."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("METAIQA_RUNS", str(folder))
    monkeypatch.setenv("METAIQA_JOBS_AT_ONCE", "1")
    monkeypatch.setattr(control, "SUPERVISOR", QUICK_SUPERVISOR)
    yield folder
    for job in find_jobs(folder)[0]:
        for process in (job.status.supervisor, job.status.command):
            if process and process.is_alive():
                os.kill(process.pid, signal.SIGKILL)


def start(runs, name, behaviour="quick", **options):
    """Start a job that behaves as the quick program's docstring says."""
    return control.start(runs, name, [["fine-tune", "--name", behaviour]], **options)


def wait_for(happened, seconds=20):
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (value := happened()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return value


def job_in(runs, name, *states):
    """Wait until a job is in one of the states, and return it."""

    def look():
        job = find_job(runs, name)
        return job if job.state in states else None

    return wait_for(look)


def working(runs, name):
    """Wait until a job's command says its process id, and return that."""

    def look():
        try:
            return int((runs / name / "pid.txt").read_text() or 0) and find_job(runs, name).state == "running"
        except (OSError, JobError):
            return False

    wait_for(look)
    return int((runs / name / "pid.txt").read_text())
