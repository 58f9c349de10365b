"""Two thousand photos on the page Score photos, in a real browser: how long each step takes, and whether a key waits.

    python benchmarks/two_thousand_photos.py [--photos N] [--keys N]

Uploads small JPEG files at once, waits until all are scored, and then walks on by the key that keeps a photo. Printed
are the seconds until the files have arrived and are scored, the wait between a key and the next photo's number on the
page, the longest time in which the browser drew nothing meanwhile, and the peak memory of the app.
"""

import argparse
import re
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect
from throughput import ROOT, write_photos

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser import chromium, running_app, upload  # noqa: E402

SIZE = (96, 72)
LONGEST = 3_600_000
"""Milliseconds after which a step counts as never done."""
WATCH = """() => {
    let last = performance.now();
    window.longestGap = 0;
    const draw = (now) => {
        window.longestGap = Math.max(window.longestGap, now - last);
        last = now;
        requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
}"""


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--keys", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        files = write_photos(Path(folder) / "photos", arguments.photos, SIZE)
        with running_app(METAIQA_CACHE=f"{folder}/cache") as address:
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(LONGEST)
            page.goto(address)
            page.locator("[data-testid=stFileUploader] input[type=file]").first.wait_for(state="attached")
            with PeakMemory(int(address.rpartition(":")[2])) as memory:
                measure(page, files, arguments.keys)
            print(f"peak memory of the app: {memory.peak:.0f} MB")


def measure(page: Page, files: list[Path], keys: int) -> None:
    """Upload, wait, walk on by keys, and print."""
    begin = time.monotonic()
    upload(page, *files)
    page.get_by_text(re.compile(f"Scored [0-9,]+ of {len(files):,}")).wait_for()
    print(
        f"{len(files):,} photos of {SIZE[0]} x {SIZE[1]} have arrived after {time.monotonic() - begin:.1f} s",
        flush=True,
    )
    page.locator(".st-key-cancel_scoring").wait_for(state="detached")
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    print(f"all are scored and shown after {time.monotonic() - begin:.1f} s", flush=True)
    page.evaluate(WATCH)
    place, waits = page.locator(".caption .place"), []
    for number in range(2, keys + 2):
        begin = time.monotonic()
        page.keyboard.press("k")
        expect(place).to_have_text(f"{number} of {len(files)}", timeout=LONGEST)
        waits.append(time.monotonic() - begin)
    begin = time.monotonic()
    page.get_by_text(f"{keys} kept").first.wait_for()
    print(
        f"a key is answered after {statistics.median(waits):.2f} s, at most {max(waits):.2f} s ({place.inner_text()})"
    )
    print(f"longest time without a drawing: {page.evaluate('window.longestGap') / 1000:.2f} s")
    print(f"the server has followed {time.monotonic() - begin:.1f} s after the last key")


class PeakMemory:
    """Looks at the memory of the app every half second within a block.

    Args:
        port: Port that the app listens at.
    """

    def __init__(self, port: int) -> None:
        self.peak = 0.0
        flag = f"--server.port={port}"
        self._process = next(one for one in psutil.Process().children(recursive=True) if flag in one.cmdline())
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self.peak = max(self.peak, self._process.memory_info().rss / 2**20)


if __name__ == "__main__":
    main()
