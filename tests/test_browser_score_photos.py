"""The main job in a real browser: a photo goes in, its score is read from the page."""

import json
import re

import numpy as np
import pytest
from browser import ROOT, chromium, running_app, upload, wait_until_idle
from page_fixtures import as_default, jpeg
from playwright.sync_api import expect
from skimage import data

from metaiqa_core.assess import Assessor

pytestmark = pytest.mark.browser
PATIENCE = 120_000


@pytest.fixture(scope="module")
def assessor(tiny_checkpoint, tmp_path_factory):
    """The default model, as the app finds it: the shipped one, or else a tiny one."""
    folder = as_default(tiny_checkpoint, tmp_path_factory.mktemp("default"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METAIQA_MODELS", str(folder))
        yield Assessor.load()


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address(assessor, browser):
    """The running app; it inherits METAIQA_MODELS from the fixture before."""
    with running_app() as started:
        yield started


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    opened.requests = []
    opened.on("request", lambda request: opened.requests.append(request.url))
    opened.goto(address)
    opened.locator(".reading .score").first.wait_for()
    wait_until_idle(opened)
    yield opened
    context.close()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Nine real JPEG files: parts of scikit-image's photos, all different."""
    folder = tmp_path_factory.mktemp("photos")
    files = [folder / f"photo {number}.jpg" for number in range(9)]
    for number, file in enumerate(files):
        pixels = (data.chelsea, data.coffee, data.astronaut)[number % 3]()
        file.write_bytes(jpeg(np.ascontiguousarray(pixels[: 290 - number, : 440 - 7 * number]), 40 + 6 * number))
    return files


def shown_score(page):
    return page.locator(".reading .score").first.inner_text()


def bring_one(page, photo):
    """Upload one photo and wait for its own page."""
    upload(page, photo)
    is_open(page, photo.name)


def is_open(page, name):
    """Wait until a photo is open and scored."""
    page.locator(".caption .name", has_text=name).wait_for()
    wait_until_idle(page)


def exported(page):
    """Download the table as JSON; return the records by file name."""
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    page.keyboard.press("Escape")
    return {row["file"]: row for row in json.loads(download.value.path().read_text(encoding="utf-8"))}


def test_an_uploaded_jpeg_shows_the_score_that_the_assessor_gives_to_its_bytes(page, photos, assessor):
    bring_one(page, photos[0])
    expected = assessor.assess(photos[0].read_bytes())
    assert shown_score(page) == f"{expected.score:.1f}"
    assert page.locator(".reading .word").first.inner_text() == expected.word
    assert page.locator(".hero img").get_attribute("alt").startswith("photo 0.jpg, scored")


def test_a_batch_is_exported_to_the_last_bit_and_a_broken_file_is_a_row_with_its_reason(
    page, photos, assessor, tmp_path
):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photos[0].read_bytes()[:2000])
    upload(page, *photos[:3], broken)
    page.get_by_role("button", name="Remove all photos").wait_for()
    wait_until_idle(page)
    rows = exported(page)
    assert {name: row["score"] for name, row in rows.items()} == {
        **{photo.name: assessor.assess(photo.read_bytes()).score for photo in photos[:3]},
        "broken.jpg": None,
    }
    reason = "broken.jpg is damaged or cut off and cannot be decoded: copy or export it again."
    assert rows["broken.jpg"]["error"] == reason
    assert page.get_by_text("1 of 4 files could not be scored").is_visible()
    page.locator(".window").focus()
    page.keyboard.press("End")
    expect(page.locator(".hero .missing")).to_have_text("No picture can be made of this file.", timeout=PATIENCE)
    assert page.locator(".hero img").is_hidden()
    page.keyboard.press("Home")
    expect(page.locator(".hero img")).to_be_visible(timeout=PATIENCE)
    assert page.locator(".hero .missing").is_hidden()


def test_people_at_once_each_get_their_own_score(browser, address, photos, assessor):
    """Three here; `benchmarks/eight_people.py` has eight, for ten minutes."""
    contexts = [browser.new_context() for _ in range(3)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.set_default_timeout(PATIENCE)
        page.goto(address, wait_until="commit")
    for page, photo in zip(pages, photos[:3], strict=True):  # the server works for all from here on
        page.locator("[data-testid=stFileUploader]").first.wait_for()
        upload(page, photo)
    for page, photo in zip(pages, photos[:3], strict=True):
        is_open(page, photo.name)
        assert shown_score(page) == f"{assessor.assess(photo.read_bytes()).score:.1f}"
    for context in contexts:
        context.close()


def test_the_page_asks_nobody_else_for_anything_even_for_hostile_file_names(page, photos, tmp_path, address):
    hostile = tmp_path / "![x](https:&#47;&#47;example.org&#47;x.png) :material_home:.jpg"
    hostile.write_bytes(photos[0].read_bytes())
    upload(page, hostile)
    page.get_by_text("![x](https:").first.wait_for()
    wait_until_idle(page)
    page.get_by_role("link", name="About").first.click()
    page.get_by_text("Where your data goes").wait_for()
    wait_until_idle(page)
    own = re.compile(rf"^({re.escape(address)}|ws://{re.escape(address.removeprefix('http://'))}|data:|blob:)")
    assert [url for url in page.requests if not own.match(url)] == []


def test_cancel_stops_a_batch_and_the_rest_can_be_scored_later(page, tmp_path):
    files = []
    for number in range(24):
        file = tmp_path / f"{number}.jpg"
        file.write_bytes(jpeg(np.ascontiguousarray(data.astronaut()[:, number:]).repeat(3, 0).repeat(3, 1), 85))
        files.append(file)
    upload(page, *files)
    page.get_by_role("button", name="Cancel", exact=True).click()
    message = page.get_by_text(re.compile(r"Cancelled: \d+ of 24 photos are not scored"))
    message.wait_for()
    wait_until_idle(page)
    left = int(re.search(r"(\d+) of 24", message.inner_text()).group(1))
    assert 0 < left < 24
    page.get_by_role("button", name="Score the rest").click()
    message.wait_for(state="hidden")
    wait_until_idle(page)
    rows = exported(page)
    assert len(rows) == 24
    assert all(row["score"] is not None for row in rows.values())


def test_an_address_that_was_shared_opens_inside_the_frame(page, address):
    page.goto(f"{address}/leave_one_distortion_out?view=Ranks")
    is_in_the_frame(page, "Leave-one-distortion-out", "Ranks")


def test_the_first_visitor_of_a_server_may_come_by_a_shared_address(browser):
    with running_app() as fresh:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{fresh}/authentic_databases?view=Repeats")
        is_in_the_frame(page, "Authentic databases and ablation", "Repeats")


def is_in_the_frame(page, title, view):
    page.get_by_role("heading", name=title).wait_for()
    page.locator("[data-testid=stTopNavLink]").first.wait_for()
    wait_until_idle(page)
    assert page.locator("[data-testid=stTopNavLink]").count() == len(list((ROOT / "pages").glob("*.py")))
    assert page.locator("[data-testid=stSidebarNavLink]").count() == 0
    assert page.get_by_role("dialog").count() == 0
    assert page.get_by_role("radio", name=view).get_attribute("aria-checked") == "true"
