"""A real browser starts a job, watches its curves grow, reloads, outlives the app, cancels and deletes."""

import contextlib
import os
import subprocess
import sys
import urllib.request
from urllib.parse import parse_qs, urlparse

import pytest
from browser import ROOT, chromium, free_port
from jobs_fixtures import QUICK_SUPERVISOR, job_in, wait_for, working

from metaiqa_core.jobs import control
from metaiqa_core.jobs.job import State, find_jobs

pytestmark = pytest.mark.browser
PATIENCE = 180_000
ADDRESS = "training_jobs"
# The app as it is, but for what its jobs run.
APP = (
    "import sys; from metaiqa_core.jobs import control; from streamlit.web.cli import main; "
    f"control.SUPERVISOR = {QUICK_SUPERVISOR!r}; sys.argv[0] = 'streamlit'; main()"
)


@contextlib.contextmanager
def app_with_quick_jobs(runs, port):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    environment |= {"OMP_NUM_THREADS": "1", "METAIQA_RUNS": str(runs), "QUICK_PROGRAM": "slow"}
    command = [sys.executable, "-c", APP, "run", "app.py", f"--server.port={port}", "--server.address=127.0.0.1"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_healthy():
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as reply:
            return reply.status == 200

    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(is_healthy, 180)
        yield address
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def open_page(page, address, query=""):
    page.goto(f"{address}/{ADDRESS}{query}")
    page.get_by_role("heading", name="Training jobs").wait_for()


def grows(page):
    """Wait until the first chart shows a longer time than now, without anybody touching the page."""
    shown = "document.querySelector('.js-plotly-plot')?._fullLayout.xaxis.range[1] ?? 0"
    before = page.evaluate(f"() => {shown}")
    page.wait_for_function(f"before => ({shown}) > before", arg=before)


def test_a_job_is_started_watched_and_survives_reload_and_restart_until_it_is_cancelled_and_deleted(tmp_path, tiny_csv):
    runs, port = tmp_path / "runs", free_port()
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        requested = []
        page.on("request", lambda request: requested.append(request.url))
        try:
            with app_with_quick_jobs(runs, port) as address:
                open_page(page, address)
                page.get_by_label("What to do").click()
                page.get_by_role("option", name="Fine-tuning", exact=True).click()
                database = page.locator(".st-key-fine-tune_database input")
                database.fill(str(tiny_csv))
                database.press("Enter")
                page.locator("code", has_text=str(tiny_csv)).wait_for()
                page.get_by_role("button", name="Start", exact=True).click()
                page.get_by_role("heading", name="fine-tune").wait_for()
                assert parse_qs(urlparse(page.url).query)["job"] == ["fine-tune"]
                pid = working(runs, "fine-tune")
                page.locator(".js-plotly-plot").first.wait_for()
                grows(page)
                page.get_by_text("left", exact=False).first.wait_for()
                page.reload()
                page.get_by_role("heading", name="fine-tune").wait_for()
            assert working(runs, "fine-tune") == pid  # the app has ended, the job has not
            with app_with_quick_jobs(runs, port) as address:
                open_page(page, address, "?job=fine-tune")
                page.locator(".js-plotly-plot").first.wait_for()
                grows(page)
                page.get_by_role("button", name="Cancel").click()
                page.get_by_text("Cancelled. What was saved is kept").wait_for()
                assert job_in(runs, "fine-tune", State.CANCELLED)
                page.get_by_role("button", name="Delete …").click()
                page.get_by_role("button", name="Delete for good").click()
                page.get_by_text("No database at hand?").wait_for()
                assert find_jobs(runs) == ([], [])
                assert "job=" not in page.url
            outside = [url for url in requested if not url.startswith((f"http://127.0.0.1:{port}", "data:", "blob:"))]
            assert outside == []
        finally:
            for job in find_jobs(runs)[0]:
                with contextlib.suppress(Exception):
                    control.cancel(runs, job.name)
