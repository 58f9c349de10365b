"""Two thousand photos on the page Score photos, in a real browser: how long each step takes, and whether a key waits.

    python benchmarks/two_thousand_photos.py [--photos N] [--keys N] [--size WIDTH HEIGHT]

Chooses JPEG files at once, waits until all have come and are scored, and then walks on by the key that keeps a photo.
Printed are the seconds until the files have come and are scored, the longest time in which the browser drew nothing
meanwhile, the wait between a key and the next photo's number on the page, what the server sends for a key, and the peak
memory of the app.
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
from playwright.sync_api import Page, WebSocket, expect
from throughput import DIFFERENT, ROOT, write_photos

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser import chromium, running_app, upload  # noqa: E402

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
    parser.add_argument("--size", type=int, nargs=2, default=(96, 72))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        files = write_files(Path(folder) / "photos", arguments.photos, tuple(arguments.size))
        megabytes = sum(file.stat().st_size for file in files) / 1e6
        print(
            f"{len(files):,} photos of {arguments.size[0]} x {arguments.size[1]} pixels, {megabytes:,.0f} MB",
            flush=True,
        )
        with running_app(METAIQA_CACHE=f"{folder}/cache") as address:
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(LONGEST)
            frames = ReceivedFrames()
            page.on("websocket", frames.watch)
            page.goto(address)
            page.locator("[data-testid=stFileUploader] input[type=file]").first.wait_for(state="attached")
            with PeakMemory(int(address.rpartition(":")[2])) as memory:
                measure(page, files, arguments.keys, frames)
            print(f"peak memory of the app: {memory.peak:.0f} MB")


def write_files(folder: Path, number: int, size: tuple[int, int]) -> list[Path]:
    """Write JPEG files of a (width, height): different ones; of large photos, copies that differ behind their end."""
    files = write_photos(folder, number if size[0] * size[1] < 10**6 else min(number, DIFFERENT), size)
    for seed in range(len(files), number):
        files.append(folder / f"{seed:04}.jpg")
        files[-1].write_bytes(files[seed % DIFFERENT].read_bytes() + seed.to_bytes(4, "big"))
    return files


def measure(page: Page, files: list[Path], keys: int, frames: "ReceivedFrames") -> None:
    """Choose the files, wait, walk on by keys, and print."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.evaluate(WATCH)
    begin = time.monotonic()
    upload(page, *files)
    page.locator(".summary", has_text=re.compile(r"\b(?!12 )[0-9,]+ photos")).wait_for()
    print(f"the first ones are there after {time.monotonic() - begin:.1f} s", flush=True)
    page.get_by_text(f"{len(files):,} photos have come.").wait_for()
    print(f"all have come after {time.monotonic() - begin:.1f} s", flush=True)
    page.locator(".st-key-cancel_scoring").wait_for(state="detached")
    page.locator(".summary", has_text=f"{len(files):,} photos").wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    print(f"all are scored and shown after {time.monotonic() - begin:.1f} s", flush=True)
    print(f"longest time without a drawing meanwhile: {page.evaluate('window.longestGap') / 1000:.2f} s")
    page.evaluate(WATCH)
    place, waits = page.locator(".caption .place"), []
    page.keyboard.press("k")
    page.get_by_text("1 kept").first.wait_for()
    expect(place).to_have_text(re.compile("^2 of "), timeout=LONGEST)
    page.wait_for_timeout(2000)
    frames.bytes = 0
    begin = time.monotonic()
    page.keyboard.press("k")
    page.get_by_text("2 kept").first.wait_for()
    print(f"the server has followed {time.monotonic() - begin:.2f} s after a key")
    page.wait_for_timeout(2000)
    print(f"and has sent {frames.bytes / 1000:.0f} kB for it")
    for number in range(4, keys + 4):
        begin = time.monotonic()
        page.keyboard.press("k")
        expect(place).to_have_text(re.compile(f"^{number} of "), timeout=LONGEST)
        waits.append(time.monotonic() - begin)
    begin = time.monotonic()
    page.get_by_text(f"{keys + 2} kept").first.wait_for()
    print(
        f"a key is answered after {statistics.median(waits):.2f} s, at most {max(waits):.2f} s ({place.inner_text()})"
    )
    print(f"longest time without a drawing: {page.evaluate('window.longestGap') / 1000:.2f} s")
    print(f"the server has followed {time.monotonic() - begin:.1f} s after the last of {keys} keys")


class ReceivedFrames:
    """Counts what the page receives over its web sockets.

    Attributes:
        bytes: Length of all frames so far, bytes.
    """

    def __init__(self) -> None:
        self.bytes = 0

    def watch(self, socket: WebSocket) -> None:
        """Count the frames of a web socket from now on."""
        socket.on("framereceived", self._count)

    def _count(self, payload: str | bytes) -> None:
        self.bytes += len(payload)


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
