"""Take the screenshots of README.md and docs/: `python assets/screenshots/take.py`, with today's default model."""

import io
import re
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageFilter
from playwright.sync_api import Page, expect
from skimage import data

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from browser import chromium, running_app, upload, wait_until_idle  # noqa: E402


def main() -> None:
    """Use the app in a browser window of 1280 x 860 pixels and save what it shows."""
    with tempfile.TemporaryDirectory() as runs, tempfile.TemporaryDirectory() as tastes:
        _use_app(METAIQA_RUNS=runs, METAIQA_TASTES=tastes)


def _use_app(**folders: str) -> None:
    with running_app(**folders) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(120_000)
        page.goto(address)
        page.locator("[data-testid=stFileUploader]").first.wait_for()
        wait_until_idle(page)
        _sort_photos(page)
        _save(page, "score_photos.png")
        _explain_it(page)
        _save(page, "gradient_maps.png")
        _distort_it(page)
        _save(page, "distortion_lab.png")
        _rate_photos(page)
        _save(page, "teach_your_taste.png")
        for name in ("Leave-one-distortion-out", "Authentic databases"):
            _look_at(page, name)
            _save(page, f"{name.lower().replace(' ', '_').replace('-', '_')}.png")
        _run_the_example(page)
        _save(page, "training_jobs.png")
        _look_at(page, "About")
        _save(page, "about.png")


def _sort_photos(page: Page) -> None:
    """Bring a few photos, keep the best and reject the worst."""
    with tempfile.TemporaryDirectory() as folder:
        photos = _holiday(Path(folder))
        upload(page, *photos)
        page.get_by_role("button", name="Add photos").wait_for()  # the samples are as many
        page.locator(".summary", has_text=f"{len(photos)} photos").wait_for()
        wait_until_idle(page)
        page.keyboard.press("k")
        page.keyboard.press("k")
        page.locator(".window").focus()
        page.keyboard.press("End")
        page.keyboard.press("x")
        page.keyboard.press("Home")
        page.locator(".window").evaluate("element => element.blur()")
        page.locator(".summary", has_text="2 kept, 1 rejected").wait_for()
        wait_until_idle(page)


def _holiday(folder: Path) -> list[Path]:
    """Write scikit-image's photos and parts of them as if they were a holiday's."""
    sources = {"coffee": data.coffee(), "astronaut": data.astronaut(), "cat": data.chelsea(), "rocket": data.rocket()}
    photos = []
    for name, pixels in sources.items():
        image = Image.fromarray(pixels)
        width, height = image.size
        boxes = [
            (0, 0, width, height),
            (0, 0, width * 3 // 4, height * 3 // 4),
            (width // 3, height // 4, width, height),
        ]
        for number, box in enumerate(boxes):
            part = image.crop(box)
            if number == 2:
                part = part.filter(ImageFilter.GaussianBlur(2.5))
            photos.append(folder / f"{name} {number + 1}.jpg")
            part.save(photos[-1], quality=92)
    return photos


def _explain_it(page: Page) -> None:
    page.get_by_role("link", name="Gradient maps").click()
    page.locator(".st-key-maps_picture image").nth(2).wait_for()
    wait_until_idle(page)


def _distort_it(page: Page) -> None:
    page.get_by_role("link", name="Distortion lab").click()
    page.locator(".card").first.wait_for()
    wait_until_idle(page)
    page.get_by_role("button", name="Score all").click()  # the whole family, so that there are curves to see
    expect(page.locator(".card span.picture")).to_have_count(0, timeout=120_000)  # all have their picture
    expect(page.locator(".st-key-cancel_lab")).to_have_count(0, timeout=120_000)
    wait_until_idle(page)
    page.locator("[data-testid=stMain]").evaluate("element => { element.scrollTop = 0; }")


def _rate_photos(page: Page) -> None:
    page.get_by_role("link", name="Teach it your taste").click()
    page.locator(".rater img").first.wait_for()
    expect(page.locator(".st-key-cancel_taste_photos")).to_have_count(0, timeout=120_000)
    for stars in "4253414325":
        question = page.locator(".rater").get_attribute("data-question")
        expect(page.locator(".rater")).not_to_have_class(re.compile("waiting"))
        page.keyboard.press(stars)
        expect(page.locator(f".rater[data-question='{question}']:not(.waiting)")).to_have_count(0)
    wait_until_idle(page)


def _run_the_example(page: Page) -> None:
    """Start the example job, and wait for its curve."""
    _look_at(page, "Training jobs")
    page.get_by_role("button", name="Start the example").click()
    page.get_by_role("button", name="Use it").wait_for(timeout=600_000)
    wait_until_idle(page)


def _look_at(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name).first.wait_for()
    wait_until_idle(page)


def _save(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)  # the chart's and the image's fade-in
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    # 256 colours halve the file, and nobody sees it.
    shot.quantize(256).save(HERE / name, optimize=True)


if __name__ == "__main__":
    main()
