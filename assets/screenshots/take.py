"""Take the screenshots of the README: `python assets/screenshots/take.py`, with today's default model."""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page
from skimage import data

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from browser import chromium, running_app, upload, wait_until_idle  # noqa: E402


def main() -> None:
    """Use the app in a browser window of 1280 x 860 pixels and save what it shows."""
    with running_app() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(120_000)
        page.goto(address)
        page.locator("[data-testid=stFileUploader]").first.wait_for()
        wait_until_idle(page)
        _score_a_photo(page)
        _save(page, "score_photos.png")
        _explain_it(page)
        _save(page, "gradient_maps.png")
        _distort_it(page)
        _save(page, "distortion_lab.png")


def _score_a_photo(page: Page) -> None:
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "coffee.jpg"
        Image.fromarray(data.coffee()).save(photo, quality=95)
        upload(page, photo)
        page.get_by_role("button", name="Remove this photo").wait_for()
        wait_until_idle(page)
        page.locator(".js-plotly-plot").first.wait_for()


def _explain_it(page: Page) -> None:
    page.get_by_role("link", name="Gradient maps").click()
    page.locator(".st-key-maps_picture image").nth(2).wait_for()
    wait_until_idle(page)


def _distort_it(page: Page) -> None:
    page.get_by_role("link", name="Distortion lab").click()
    page.locator(".card").first.wait_for()
    page.locator(".st-key-cancel_lab").wait_for(state="detached")
    wait_until_idle(page)


def _save(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)  # the chart's and the image's fade-in
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    # 256 colours halve the file, and nobody sees it.
    shot.quantize(256).save(HERE / name, optimize=True)


if __name__ == "__main__":
    main()
