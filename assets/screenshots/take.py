"""Take the screenshot of the README: `python assets/screenshots/take.py`, with the model that is the default now."""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from skimage import data

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from browser import chromium, running_app, upload, wait_until_idle  # noqa: E402


def main() -> None:
    """Score one photo in a browser window of 1280 x 860 pixels and save what it shows."""
    with tempfile.TemporaryDirectory() as folder, running_app() as address, chromium() as browser:
        photo = Path(folder) / "coffee.jpg"
        Image.fromarray(data.coffee()).save(photo, quality=95)
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(120_000)
        page.goto(address)
        page.locator("[data-testid=stFileUploader]").first.wait_for()
        wait_until_idle(page)
        upload(page, photo)
        page.get_by_role("button", name="Remove this photo").wait_for()
        wait_until_idle(page)
        page.locator(".js-plotly-plot").first.wait_for()
        page.mouse.move(0, 0)
        page.wait_for_timeout(1000)  # the chart's and the image's fade-in
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        # 256 colours halve the file, and nobody sees it.
        shot.quantize(256).save(HERE / "score_photos.png", optimize=True)


if __name__ == "__main__":
    main()
