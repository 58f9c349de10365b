"""What the browser tests share: the app on a free port, and a real Chromium to look at it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_START_SECONDS = 180
IDLE_MILLISECONDS = 120_000


def find_chromium() -> str | None:
    """Return the Chromium or Chrome of this machine, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@contextlib.contextmanager
def running_app(script: str = "app.py", **variables: str) -> Iterator[str]:
    """Run the app on a free port and yield its address; it ends with the block.

    Args:
        script: File that the server runs: the app, or one of its pages alone.
        variables: Further environment variables of the app.
    """
    port = free_port()
    # Settings of the surrounding session must not reach the app under test.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    environment |= {"OMP_NUM_THREADS": "1", **variables}
    command = [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}"]
    command += ["--server.address=127.0.0.1", "--server.headless=true"]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_healthy(process, address)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until_healthy(process: subprocess.Popen, address: str) -> None:
    """Wait until a server answers.

    Raises:
        RuntimeError: If it has ended, or does not answer in time.
    """
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as reply:
            if reply.status == 200:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the app did not start within {_START_SECONDS} s (exit status {process.poll()})")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a headless browser; the test is skipped, with the reason, only where the machine has none."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def wait_until_idle(page: Page) -> None:
    """Wait until the page's script has run and nothing is left to score."""
    page.wait_for_function(
        """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
        && !document.querySelector('.st-key-cancel_scoring, .st-key-cancel_quality_map')""",
        timeout=IDLE_MILLISECONDS,
    )


def upload(page: Page, *files: Path) -> None:
    """Choose files in the page's first uploader, which lies behind a button where there are photos already."""
    inputs = page.locator("[data-testid=stFileUploader] input[type=file]")
    opener = page.get_by_role("button", name="Add photos").locator("visible=true")
    inputs.or_(opener).first.wait_for(state="attached")
    if not inputs.count():
        # A page that has just been opened shows the phone's button until its style is there.
        page.wait_for_timeout(1000)
    if not inputs.count() and opener.count():
        opener.click()
    inputs.first.set_input_files([str(file) for file in files])
