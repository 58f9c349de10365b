"""A holiday is sorted in a real browser: by keyboard, to files that other programs read; by touch; and two thousand."""

import hashlib
import io
import json
import re
import time
import zipfile

import numpy as np
import pytest
from browser import chromium, running_app, upload, wait_until_idle
from page_fixtures import ROOT, as_default, jpeg
from playwright.sync_api import expect
from skimage import data
from test_sorting_files import exiftool, read_back

from metaiqa_core.assess import Assessor
from metaiqa_core.sessions.records import to_record
from metaiqa_core.sessions.session_folder import SessionFolder

pytestmark = pytest.mark.browser
PATIENCE = 120_000
COUNT = 60


@pytest.fixture(scope="module")
def assessor(tiny_checkpoint, tmp_path_factory):
    """The default model, as the app finds it."""
    folder = as_default(tiny_checkpoint, tmp_path_factory.mktemp("default"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METAIQA_MODELS", str(folder))
        yield Assessor.load()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address(assessor, cache, browser):
    with running_app(METAIQA_CACHE=str(cache)) as started:
        yield started


@pytest.fixture(scope="module")
def holiday(tmp_path_factory):
    """Sixty different photos, none of them similar to another."""
    folder = tmp_path_factory.mktemp("holiday")
    generator = np.random.default_rng(5)
    files = [folder / f"IMG_{number:04}.jpg" for number in range(COUNT)]
    for number, file in enumerate(files):
        coarse = generator.integers(0, 256, (6, 8, 3), np.uint8)
        file.write_bytes(jpeg(np.kron(coarse, np.ones((20 + number % 3, 20, 1), np.uint8)), 30 + number))
    return files


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield opened(context, address)
    context.close()


@pytest.fixture
def phone(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    yield opened(context, address)
    context.close()


def opened(context, address):
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.goto(address)
    page.locator(".reading .score").first.wait_for()
    wait_until_idle(page)
    return page


def bring(page, files):
    upload(page, *files)
    if len(files) > 1:
        page.locator(".summary", has_text=f"{len(files)} photos").wait_for()
    wait_until_idle(page)


def name(page):
    return page.locator(".caption .name").inner_text()


def reads(page, words):
    page.locator(".summary", has_text=words).wait_for()


def downloaded(page, button):
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    page.keyboard.press("Escape")
    return download.value.path().read_bytes()


def files_in(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}


def test_sixty_photos_are_sorted_by_keyboard_with_a_reload_in_the_middle(page, address, holiday, tmp_path):
    bring(page, holiday)
    assert page.title() == "Score photos · MetaIQA"
    assert page.locator(".caption .place").inner_text() == f"1 of {COUNT}"
    kept, rejected = [], []

    def press(key, onto):
        onto.append(name(page))
        page.keyboard.press(key)
        page.wait_for_function("now => document.querySelector('.st-key-sorter') && now", arg=True)

    for number in range(30):
        press("x" if number % 3 == 0 else "k", rejected if number % 3 == 0 else kept)
    reads(page, f"{len(kept)} kept, {len(rejected)} rejected, 30 undecided")
    page.reload()
    page.locator(".reading .score").first.wait_for()
    reads(page, f"{len(kept)} kept, {len(rejected)} rejected, 30 undecided")
    assert page.locator(".caption .place").inner_text() == f"31 of {COUNT}"
    page.locator(".sorter").click(position={"x": 2, "y": 2})
    for number in range(30, COUNT - 1):
        press("x" if number % 3 == 0 else "k", rejected if number % 3 == 0 else kept)
    mistaken = name(page)
    page.keyboard.press("x")
    reads(page, f"{len(rejected) + 1} rejected, 0 undecided")
    page.keyboard.press("z")
    page.keyboard.press("k")
    kept.append(mistaken)
    reads(page, f"{len(kept)} kept, {len(rejected)} rejected, 0 undecided")

    contents = {file.name: file.read_bytes() for file in holiday}
    assert files_in(downloaded(page, "Photos to keep")) == {each: contents[each] for each in kept}
    assert downloaded(page, "List of the rejected").decode().split() == [
        each for each in json_order(page) if each in rejected
    ]
    sidecars = files_in(downloaded(page, "For darktable and digiKam"))
    assert set(sidecars) == {f"{file.name}.xmp" for file in holiday}
    for each in rejected:
        assert read_back(sidecars[f"{each}.xmp"])[:2] == ("-1", "Red")
    for each in kept:
        stars, label, _ = read_back(sidecars[f"{each}.xmp"])
        assert (stars in set("12345"), label) == (True, "Green")
    (tmp_path / "one.jpg.xmp").write_bytes(sidecars[f"{rejected[0]}.xmp"])
    found = exiftool(tmp_path / "one.jpg.xmp")
    assert (found["XMP-xmp:Rating"], found["XMP-xmp:Label"]) == (-1, "Red")


def json_order(page):
    return [row["file"] for row in json.loads(downloaded(page, "JSON"))]


def test_a_hundred_and_twenty_photos_at_once_all_come_while_the_first_ones_are_shown(page, tmp_path):
    files = [tmp_path / f"{number}.jpg" for number in range(120)]
    for number, file in enumerate(files):
        file.write_bytes(jpeg(np.full((12, 16, 3), (number, 2 * number, 90), np.uint8)))
    upload(page, *files)
    page.get_by_text(" of 120 photos have come").wait_for()
    page.locator(".summary", has_text=re.compile("^(40|80) photos")).wait_for()
    # There are two of them while one takes the other's place.
    hidden = page.locator(".st-key-arrival_place [data-testid=stFileUploader]").all()
    assert not any(uploader.is_visible() for uploader in hidden)
    page.get_by_text("120 photos have come.", exact=True).wait_for()
    reads(page, "120 photos")
    expect(page.locator(".st-key-arrival_place [data-testid=stFileUploader]")).to_have_count(0)


def test_a_restarted_app_finds_the_session_and_another_browser_does_not(browser, assessor, holiday, tmp_path):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    with running_app(METAIQA_CACHE=str(tmp_path)) as address:
        page = opened(context, address)
        bring(page, holiday[:3])
        page.keyboard.press("k")
        reads(page, "1 kept")
        page.close()
    with running_app(METAIQA_CACHE=str(tmp_path)) as address:
        reads(opened(context, address), "3 photos: ")
        reads(context.pages[0], "1 kept")
        other = opened(browser.new_context(), address)
        assert "12 photos" in other.locator(".summary").inner_text()
        other.context.close()
    context.close()


def test_a_click_opens_a_photo_whatever_is_ticked_and_two_ticked_ones_are_compared(page, holiday):
    bring(page, holiday[:6])
    page.locator(".cell").nth(1).hover()
    page.locator(".cell .tick").nth(1).click()
    page.locator(".cell .tick").nth(3).click()
    page.get_by_text("2 ticked").wait_for()
    wanted = page.locator(".cell").nth(4).get_attribute("title")
    page.locator(".cell").nth(4).click()
    expect(page.locator(".caption .name")).to_have_text(wanted)
    page.locator(".st-key-comparison").wait_for()
    page.get_by_role("button", name="Remove", exact=True).click()
    reads(page, "4 photos")
    page.keyboard.press("z")
    reads(page, "6 photos")


def test_the_panel_of_the_uploader_closes_over_the_photos_that_it_brought(page, holiday):
    bring(page, holiday[:2])
    page.get_by_role("button", name="Add photos").click()
    page.get_by_text("Drop one photo or hundreds").wait_for()
    upload(page, holiday[2])
    reads(page, "3 photos")
    page.get_by_text("Drop one photo or hundreds").wait_for(state="hidden")


def test_a_photo_that_comes_alone_is_shown_though_it_lies_in_a_stack_and_another_was_clicked(page, tmp_path):
    files = [tmp_path / f"{number}.jpg" for number in range(4)]
    for number, file in enumerate(files):
        file.write_bytes(jpeg(np.ascontiguousarray(data.chelsea()[:, number:]), 40 + 15 * number))
    bring(page, files[:2])
    page.locator(".cell").first.click()
    for file in files[2:]:
        page.get_by_role("button", name="Add photos").click()
        bring(page, [file])
        expect(page.locator(".caption .name")).to_have_text(file.name)
        expect(page.locator(".hero img")).to_have_attribute("alt", re.compile(f"^{file.name}, scored"))
    expect(page.locator(".cell")).to_have_count(4)
    page.locator(".pile:visible").click()
    expect(page.locator(".cell")).to_have_count(1)
    expect(page.locator(".caption .name")).to_have_text(page.locator(".cell .name").inner_text())


def test_keys_decide_at_once_after_the_layout_or_the_order_was_changed(page, holiday):
    bring(page, holiday[:5])
    page.get_by_role("radio", name="List").click()
    page.locator(".window.list").wait_for()
    page.keyboard.press("k")
    reads(page, "1 kept")
    page.get_by_role("combobox", name="Order").click()
    page.locator("[data-testid=stSelectboxVirtualDropdown]").get_by_text("Worst first").click()
    page.wait_for_function("() => !document.activeElement.matches('[role=combobox]')")
    page.keyboard.press("x")
    reads(page, "1 kept, 1 rejected")
    page.get_by_role("radio", name="List").focus()
    place = page.locator(".caption .place").inner_text()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(500)
    assert page.locator(".caption .place").inner_text() == place, "arrows belong to the choice that has the focus"


def test_a_filter_shows_itself_and_show_all_ends_it(page, holiday):
    bring(page, holiday[:5])
    page.keyboard.press("k")
    reads(page, "1 kept")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("button", name="Kept", exact=True).click()
    shown = page.locator(".st-key-filter_line").get_by_text("1 of 5")
    shown.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show all").click()
    shown.wait_for(state="hidden")
    expect(page.locator(".caption .place")).to_have_text(re.compile("of 5$"))


def comes_into_view(page, locator):
    """Wait until the page has scrolled to something, and stays there."""
    end, before = time.monotonic() + 30, None
    while not in_view(page, locator) or locator.bounding_box() != before:
        assert time.monotonic() < end, f"out of view: {locator.bounding_box()}"
        before = locator.bounding_box()
        page.wait_for_timeout(200)


def in_view(page, locator):
    box = locator.bounding_box()
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= page.viewport_size["height"]


def test_on_a_phone_the_score_comes_first_and_the_buttons_lie_under_the_photo(phone, holiday):
    bring(phone, holiday[:8])
    phone.wait_for_timeout(500)
    assert in_view(phone, phone.locator(".reading .score"))
    photo, buttons = phone.locator(".hero").bounding_box(), phone.locator(".control.next").bounding_box()
    assert buttons["y"] >= photo["y"] + photo["height"]
    assert in_view(phone, phone.locator(".control.next"))
    assert phone.locator(".control.next").bounding_box()["height"] >= 44
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    first = name(phone)
    phone.locator(".control.next").tap()
    second = name(phone)
    assert first != second
    phone.locator(".control.keep").first.tap()
    reads(phone, "1 kept")
    assert phone.locator(f".cell.keep[title='{second}']").count() == 1


def test_what_is_wrong_stands_beside_the_score_in_the_list_and_in_the_filter(page):
    page.locator(".cell[title='cat, noisy.png']").click()
    why = page.locator(".reading .why")
    why.filter(has_text="Looks noisy").wait_for()
    score = page.locator(".reading .score").bounding_box()
    assert score["y"] <= why.bounding_box()["y"] <= score["y"] + score["height"]
    page.get_by_role("radio", name="List").click()
    page.locator(".window.list").wait_for()
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("button", name="Noisy (").click()
    page.locator(".st-key-filter_line", has_text="noisy").wait_for()
    page.locator(".cell[title='coffee.png']").wait_for(state="detached")
    expect(page.locator(".cell .defect").filter(has_not_text="Noisy")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator(".cell .defect").first).to_have_text("Noisy")


def test_on_a_phone_the_samples_show_a_photo_and_its_score_first_and_add_photos_is_one_tap_away(phone, holiday):
    phone.wait_for_timeout(500)
    add, score = phone.get_by_role("button", name="Add photos"), phone.locator(".reading .score")
    for part in (add, score, phone.locator(".hero"), phone.locator(".control.next")):
        assert in_view(phone, part)
    below = phone.locator(".control.next").bounding_box()["y"]
    assert phone.locator(".st-key-toolbar").bounding_box()["y"] > below
    assert not phone.get_by_text("Drop one photo or hundreds").is_visible()
    add.tap()
    phone.get_by_text("Drop one photo or hundreds").locator("visible=true").wait_for()
    phone.locator("[data-testid=stPopoverBody] input[type=file]").set_input_files(str(holiday[0]))
    phone.locator(".caption .name", has_text=holiday[0].name).wait_for()
    phone.get_by_text("Drop one photo or hundreds").locator("visible=true").wait_for(state="detached")
    assert in_view(phone, score)


def test_on_a_phone_a_swipe_walks_and_a_tap_on_a_row_brings_its_photo_into_view(phone, holiday):
    bring(phone, holiday[:20])
    phone.get_by_role("radio", name="List").tap()
    phone.locator(".window.list").wait_for()
    first = name(phone)
    swipe(phone, phone.locator(".hero"), -150)
    second = name(phone)
    assert second != first
    swipe(phone, phone.locator(".hero"), 150)
    assert name(phone) == first
    phone.locator(".cell").nth(5).scroll_into_view_if_needed()
    phone.evaluate("document.querySelector('section.stMain, .stMain').scrollTo(0, 700)")
    phone.wait_for_timeout(300)
    row = phone.locator(".cell[aria-selected='false']").nth(5)
    wanted = row.get_attribute("title")
    assert wanted != name(phone)
    row.tap()
    expect(phone.locator(".caption .name")).to_have_text(wanted)
    comes_into_view(phone, phone.locator(".reading .score"))


def swipe(page, locator, by):
    locator.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = locator.bounding_box()
    x, y = box["x"] + box["width"] / 2 - by / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for share in (0.3, 0.6, 1):
        point = {"x": x + by * share, "y": y}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    # A finger that leaves in full motion flings; for a second Chromium takes the next tap for the end of that.
    page.wait_for_timeout(200)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def two_thousand(cache, assessor, secret):
    """A session of two thousand scored photos, as the app keeps it."""
    folder = SessionFolder(cache / "sessions" / hashlib.sha256(secret.encode()).hexdigest()[:32])
    assessment = assessor.assess(data.chelsea())
    generator = np.random.default_rng(2)
    for number in range(2000):
        content = jpeg(np.full((12, 16, 3), (number % 256, number // 256 * 30, 90), np.uint8))
        content += number.to_bytes(4, "big")
        digest = hashlib.sha256(content).hexdigest()
        key, file = f"{digest} IMG_{number:04}.jpg", f"IMG_{number:04}.jpg"
        folder.write("photos", digest, content)
        folder.write("thumbnails", digest, jpeg(generator.integers(0, 256, (96, 128, 3), np.uint8), 80))
        folder.note({"photo": key, "name": file, "sha256": digest, "size": len(content)})
        record = to_record(assessment) | {"score": 100 * number / 2000}
        event = {"result": key, "model": assessor.card.sha256 or assessor.card.name, "assessment": record}
        event |= {"error": None, "hash": int(generator.integers(0, 2**63)), "taken": None, "camera": ""}
        folder.note(event)


def test_two_thousand_photos_do_not_stall_the_page(browser, address, assessor, cache):
    secret = "t" * 32
    two_thousand(cache, assessor, secret)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": "metaiqa_session", "value": secret, "url": address}])
    page = opened(context, address)
    reads(page, "2,000 photos")
    assert page.locator(".caption .place").inner_text() == "1 of 2000"
    assert page.locator(".cell").count() < 60, "only rows that are seen exist"
    start = time.monotonic()
    for _ in range(20):
        page.keyboard.press("k")
    assert page.locator(".caption .place").inner_text() == "21 of 2000", "the page does not wait for the server"
    walked = time.monotonic() - start
    reads(page, "20 kept")
    assert walked < 5
    page.locator(".window").focus()
    page.keyboard.press("End")
    page.locator(".cell[aria-posinset='2000']").wait_for()
    assert page.locator(".cell").count() < 60
    context.close()


PAGES = [
    "",
    "gradient_maps",
    "distortion_lab",
    "teach_your_taste",
    "leave_one_distortion_out",
    "authentic_databases",
    "training_jobs",
    "about",
]
FAINT = (ROOT / "tests" / "faint_texts.js").read_text(encoding="utf-8")


def faint_texts(page, scheme):
    """Return the texts that stay too faint to read in the light or the dark theme, once all is drawn in it."""
    page.emulate_media(color_scheme=scheme)
    end = time.monotonic() + 20
    while True:
        page.wait_for_timeout(500)
        found = page.evaluate(FAINT)
        assert found["seen"] > 10
        if not found["faint"] or time.monotonic() > end:
            return found["faint"]


@pytest.mark.parametrize("place", PAGES)
def test_every_text_is_legible_in_both_themes(page, address, place):
    page.goto(f"{address}/{place}")
    page.get_by_role("heading").first.wait_for()
    wait_until_idle(page)
    page.wait_for_timeout(1000)  # charts are drawn after the script has ended
    if place == "gradient_maps":
        page.get_by_role("combobox", name="Compare with").click()
        page.get_by_role("option").first.click()
        page.locator("[data-tag]").first.wait_for()
    page.evaluate("document.querySelectorAll('details:not([open]) > summary').forEach(closed => closed.click())")
    page.wait_for_timeout(500)
    wait_until_idle(page)
    for scheme in ("dark", "light"):
        assert faint_texts(page, scheme) == []
