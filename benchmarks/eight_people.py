"""Several people at once in real browsers: is every upload answered, rightly, how soon, and does memory stay flat?

    python benchmarks/eight_people.py [PEOPLE] [--minutes M] [--seed N] [--address URL --pid PID] [--json FILE]

Starts the app (or takes one that runs: its address and its process), and gives each person a tab of their own in
one Chromium. A person does one thing after another: uploads one photo, reloads the page and uploads at once,
uploads several, looks at another page, closes the tab while a file is half sent, or while photos are being scored.
Photos are JPEG and PNG files of 0.3 to 12 megapixels. Every score must be the one that the command line gives for
the same file: to the decimal shown for a single photo, to those that the command line prints in the exported table of
several. The memory is the resident set of the server's process, read every second.
"""

import argparse
import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright
from playwright.async_api import TimeoutError as PlaywrightTimeoutError
from skimage import data

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser import CHROMIUM_ARGUMENTS, find_chromium, free_port  # noqa: E402

PATIENCE = 300_000
"""Milliseconds after which an upload counts as never answered."""
SIZES = {"vga.jpg": (640, 480), "screen.jpg": (1080, 800), "phone.jpg": (4000, 3000), "wide.jpg": (2400, 1350),
         "tall.png": (900, 1200), "large.png": (3000, 2000)}  # fmt: skip
PAGES = ("gradient_maps", "distortion_lab", "leave_one_distortion_out", "authentic_databases", "training_jobs", "about")
_DECIMALS = 4
"""Decimals of a score on the command line."""
_UPLOADER = "[data-testid=stFileUploader] input[type=file]"
_IDLE = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
&& !document.querySelector('[class*=st-key-cancel_]')"""


@dataclass
class Deed:
    """One thing that somebody did: what, for how long (seconds), and what came of it (a sentence where it failed)."""

    what: str
    seconds: float
    photos: int = 0
    failure: str = ""


@dataclass
class Trial:
    """All that happened."""

    scores: dict[str, float]
    end: float
    deeds: list[Deed] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)  # seconds since the start, MiB


def make_photos(folder: Path, each: int, seed: int) -> list[Path]:
    """Write photos of every size, all different: parts of scikit-image's photos with a little noise."""
    generator = np.random.default_rng(seed)
    files = []
    for number in range(each):
        for name, size in SIZES.items():
            pixels = (data.chelsea, data.coffee, data.astronaut, data.rocket)[len(files) % 4]()
            image = Image.fromarray(pixels[number : number + 250, 2 * number :]).resize(size, Image.Resampling.BICUBIC)
            noisy = np.asarray(image, np.int16) + generator.integers(-3, 4, (size[1], size[0], 1), np.int16)
            files.append(folder / f"{number}-{name}")
            Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(files[-1], quality=70 + 3 * number)
    return files


def scores_of(files: list[Path]) -> dict[str, float]:
    """Return the command line's score of each file, by name."""
    words = [sys.executable, "-m", "metaiqa_core", "score", *map(str, files), "--format", "json"]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
    return {Path(row["file"]).name: row["score"] for row in json.loads(answer.stdout)}


async def person(browser: Browser, address: str, photos: list[Path], trial: Trial, luck: random.Random) -> None:
    """Do one thing after another until the trial ends."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    deeds = {upload_one: 5, reload_and_upload: 4, upload_several: 2, look_around: 3, leave_half_sent: 1,
             leave_while_scoring: 1}  # fmt: skip
    page = None
    while time.monotonic() < trial.end:
        if page is None or page.is_closed():
            page = await opened(context, address, trial)
            continue
        [deed] = luck.choices(list(deeds), list(deeds.values()))
        await done(deed, page, address, photos, trial, luck)
    await context.close()


async def opened(context: BrowserContext, address: str, trial: Trial) -> Page | None:
    """Open the first page and note how long it took, or that it never came."""
    begin, failure, page = time.monotonic(), "", None
    try:
        page = await open_page(context, address)
    except Exception as error:
        failure = str(error).splitlines()[0]
    trial.deeds.append(Deed("open the page", time.monotonic() - begin, 0, failure))
    return page


async def done(
    deed: Callable[..., Awaitable[tuple[int, float]]],
    page: Page,
    address: str,
    photos: list[Path],
    trial: Trial,
    luck: random.Random,
) -> None:
    """Do one thing and note it; a page on which something failed is closed."""
    begin, what = time.monotonic(), deed.__name__.replace("_", " ")
    try:
        count, seconds = await deed(page, address, photos, trial, luck)
        trial.deeds.append(Deed(what, seconds, count))
    except Exception as error:
        shown = "the page is closed"
        with suppress(Exception):
            shown = (await page.locator(f":has(> * {_UPLOADER})").last.inner_text(timeout=2000)).replace("\n", " | ")
        trial.deeds.append(Deed(what, time.monotonic() - begin, 1, f"{str(error).splitlines()[0]} [{shown[:150]}]"))
        with suppress(Exception):
            await page.close()


async def open_page(context: BrowserContext, address: str) -> Page:
    """Open the first page in a new tab."""
    page = await context.new_page()
    await page.goto(address, wait_until="commit")
    await place_of_intake(page).wait_for(state="attached")
    return page


async def upload_one(
    page: Page, address: str, photos: list[Path], trial: Trial, luck: random.Random
) -> tuple[int, float]:
    """Upload one photo to a page without photos of one's own, and compare the score that it shows."""
    await empty_first_page(page, address)
    return 1, await send_one(page, luck.choice(photos), trial)


async def reload_and_upload(
    page: Page, address: str, photos: list[Path], trial: Trial, luck: random.Random
) -> tuple[int, float]:
    """Upload as soon as the reloaded page shows where to."""
    await page.goto(address, wait_until="commit")
    await place_of_intake(page).wait_for(state="attached")
    return 1, await send_one(page, luck.choice(photos), trial)


async def upload_several(
    page: Page, address: str, photos: list[Path], trial: Trial, luck: random.Random
) -> tuple[int, float]:
    """Upload three photos and compare the exported table."""
    await empty_first_page(page, address)
    begin, chosen = time.monotonic(), luck.sample(photos, 3)
    await choose(page, chosen)
    await page.get_by_role("button", name="Remove all").wait_for()
    await page.wait_for_function(_IDLE)
    seconds = time.monotonic() - begin
    await page.get_by_role("button", name="Export").click()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="JSON").click()
    rows = json.loads((await (await download.value).path()).read_text(encoding="utf-8"))
    found, expected = (
        {row["file"]: round(row["score"], _DECIMALS) for row in rows},
        {file.name: trial.scores[file.name] for file in chosen},
    )
    if found != expected:
        raise ValueError(f"wrong: the table holds {found}, expected {expected}")
    return 3, seconds


async def look_around(
    page: Page, address: str, photos: list[Path], trial: Trial, luck: random.Random
) -> tuple[int, float]:
    """Open another page and wait until it is drawn."""
    begin = time.monotonic()
    await page.goto(f"{address}/{luck.choice(PAGES)}", wait_until="commit")
    await page.locator("h1").first.wait_for()
    await page.wait_for_function(_IDLE)
    return 0, time.monotonic() - begin


async def leave_half_sent(
    page: Page, address: str, photos: list[Path], trial: Trial, luck: random.Random
) -> tuple[int, float]:
    """Close the tab while a file is on its way over a slow line."""
    await empty_first_page(page, address)
    line = await page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 200_000}
    await line.send("Network.emulateNetworkConditions", slow)
    begin = time.monotonic()
    async with page.expect_request(re.compile("upload_file")):
        largest = max(photos, key=lambda photo: photo.stat().st_size)
        await choose(page, largest)
    await asyncio.sleep(1)
    await page.close()
    return 0, time.monotonic() - begin


async def leave_while_scoring(
    page: Page, address: str, photos: list[Path], trial: Trial, luck: random.Random
) -> tuple[int, float]:
    """Close the tab while photos are being scored."""
    await empty_first_page(page, address)
    begin = time.monotonic()
    await choose(page, luck.sample(photos, 5))
    await page.get_by_role("button", name="Remove all").wait_for()
    await page.close()
    return 0, time.monotonic() - begin


async def empty_first_page(page: Page, address: str) -> None:
    """Go to the first page, and remove one's own photos if there are any."""
    if page.url.rstrip("/") != address:
        await page.goto(address, wait_until="commit")
        await place_of_intake(page).wait_for(state="attached")
    await page.wait_for_function(_IDLE)
    remove = page.get_by_role("button", name="Remove all photos")
    if await remove.count():
        await remove.click()
        await page.locator(".st-key-clear button").click()
        await remove.wait_for(state="detached")
        await page.wait_for_function(_IDLE)


def place_of_intake(page: Page) -> Locator:
    """Return the uploader, or the button that opens it where there are photos already."""
    return page.locator(_UPLOADER).or_(page.get_by_role("button", name="Add photos")).first


async def choose(page: Page, files: Path | list[Path]) -> None:
    """Choose files in the uploader, which lies behind a button where there are photos already.

    Either may be replaced while a page is being drawn: a person looks again, and takes what is there then.
    """
    button = page.get_by_role("button", name="Add photos")
    end = time.monotonic() + PATIENCE / 1000
    while not await page.locator(_UPLOADER).count():
        if time.monotonic() > end:
            raise TimeoutError(f"no place to upload within {PATIENCE / 1000:.0f} s")
        with suppress(PlaywrightTimeoutError):
            if await button.count():
                await button.first.click(timeout=2000)
        await asyncio.sleep(0.1)
    await page.locator(_UPLOADER).first.set_input_files(files)


async def send_one(page: Page, photo: Path, trial: Trial) -> float:
    """Upload a photo, wait for its score, compare it, and return the seconds that it took."""
    begin = time.monotonic()
    await choose(page, photo)
    picture = page.locator(f'.hero img[alt^="{photo.name}, scored"]').first
    await picture.wait_for()
    seconds, description = time.monotonic() - begin, await picture.get_attribute("alt")
    if f"scored {trial.scores[photo.name]:.1f}," not in description:
        raise ValueError(f"wrong: {description}, expected {trial.scores[photo.name]:.1f}")
    return seconds


async def watch_memory(process: psutil.Process, trial: Trial) -> None:
    """Note the server's resident memory every second."""
    begin = time.monotonic()
    while process.is_running():
        trial.memory.append((time.monotonic() - begin, process.memory_info().rss / 2**20))
        await asyncio.sleep(1)


async def run(arguments: argparse.Namespace, address: str, process: psutil.Process, photos: list[Path]) -> Trial:
    """Let the people in, and return what happened."""
    trial = Trial(scores_of(photos), 0.0)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        watching = asyncio.create_task(watch_memory(process, trial))
        trial.end = time.monotonic() + 60 * arguments.minutes
        people = (
            person(browser, address, photos, trial, random.Random(arguments.seed + number))
            for number in range(arguments.people)
        )
        await asyncio.gather(*people)
        watching.cancel()
        await browser.close()
    return trial


def report(trial: Trial) -> str:
    """Return the tables: uploads and other deeds, and the memory by minute."""
    lines = ["| what | times | done | median | 95 % |", "|---|---|---|---|---|"]
    for what in sorted({deed.what for deed in trial.deeds}):
        deeds = [deed for deed in trial.deeds if deed.what == what]
        good = sorted(deed.seconds for deed in deeds if not deed.failure)
        times = f"{statistics.median(good):.1f} s | {np.quantile(good, 0.95):.1f} s" if good else "- | -"
        lines.append(f"| {what} | {len(deeds)} | {len(good)} | {times} |")
    lines += [f"  {deed.what}: {deed.failure}" for deed in trial.deeds if deed.failure]
    sent = [deed for deed in trial.deeds if deed.photos or deed.failure]
    right = sum(deed.photos for deed in sent if not deed.failure)
    lines.append(f"\n{right} photos scored rightly; {sum(bool(deed.failure) for deed in sent)} failures.")
    lines += ["", "| minute | memory, median | largest |", "|---|---|---|"]
    for minute in range(int(trial.memory[-1][0] // 60) + 1):
        values = [value for second, value in trial.memory if second // 60 == minute]
        lines.append(f"| {minute + 1} | {statistics.median(values):.0f} MiB | {max(values):.0f} MiB |")
    return "\n".join(lines)


def wait_until_healthy(address: str) -> None:
    """Wait until the server answers."""
    for _ in range(600):
        with suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
            return
        time.sleep(0.3)
    raise SystemExit(f"The app at {address} does not answer: see what it wrote.")


def main() -> None:
    """Run the trial and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("people", type=int, nargs="?", default=8)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--address", help="address of an app that runs already")
    parser.add_argument("--pid", type=int, help="its process")
    parser.add_argument("--json", type=Path, help="also write everything there")
    arguments = parser.parse_args()
    server = None
    if arguments.address is None:
        port = free_port()
        words = [sys.executable, "-m", "metaiqa_core", "app", "--no-browser", "--port", str(port)]
        server = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL)
        arguments.address, arguments.pid = f"http://localhost:{port}", server.pid
    try:
        wait_until_healthy(arguments.address)
        with tempfile.TemporaryDirectory() as folder:
            photos = make_photos(Path(folder), 3, arguments.seed)
            trial = asyncio.run(run(arguments, arguments.address, psutil.Process(arguments.pid), photos))
    finally:
        if server:
            server.terminate()
            server.wait()
    print(f"{arguments.people} people, {arguments.minutes:g} minutes\n\n{report(trial)}")
    if arguments.json:
        content = {"deeds": [asdict(deed) for deed in trial.deeds], "memory": trial.memory}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
