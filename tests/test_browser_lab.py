"""The distortion lab in a real browser: the score changes with the level, and the slider moves."""

import re

import pytest
from browser import chromium, running_app
from page_fixtures import as_default
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
PATIENCE = 300_000  # milliseconds: a busy machine starts slowly


@pytest.fixture(scope="module")
def page(tiny_checkpoint, tmp_path_factory):
    """The lab, opened by its address; the tiny model stands in where there is no shipped one."""
    folder = as_default(tiny_checkpoint, tmp_path_factory.mktemp("default"))
    with running_app(METAIQA_MODELS=str(folder)) as address, chromium() as browser:
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        opened.goto(f"{address}/distortion_lab")
        opened.locator(".swipe").wait_for()
        yield opened


def test_another_type_and_level_change_the_score_the_picture_and_the_address(page):
    label, after = page.locator(".swipe .right"), page.locator(".swipe .after")
    expect(label).to_have_text(re.compile(r"^Level 4: \d+$"))
    before = after.get_attribute("src")
    page.get_by_role("radio", name="Sharpness").click()
    expect(page.locator(".card", has_text="High sharpen")).to_have_attribute("aria-pressed", "true")
    page.locator(".st-key-lab_level").get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(label).to_have_text(re.compile(r"^Level 5: \d+$"))
    assert after.get_attribute("src") != before
    expect(page).to_have_url(re.compile(r"type=kadid10k(:|%3A)HS&level=5$"))
    score = float(page.locator(".reading .score").first.inner_text())
    assert abs(score - int(label.inner_text().removeprefix("Level 5: "))) <= 0.55


def test_the_slider_between_the_photos_follows_the_mouse_and_the_keys(page):
    slider, line = page.locator(".swipe input"), page.locator(".swipe .line")
    box = page.locator(".swipe").bounding_box()

    def share():
        at = line.bounding_box()
        return (at["x"] + at["width"] / 2 - box["x"]) / box["width"]

    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 40)
    assert share() == pytest.approx(0.25, abs=0.02)
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert share() == pytest.approx(0.30, abs=0.02)
    clip = page.locator(".swipe .after").evaluate("image => getComputedStyle(image).clipPath")
    assert clip == "inset(0px 0px 0px 30%)"


def test_on_a_phone_the_score_stands_above_the_picture_and_the_controls_below_it(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    places = [".st-key-lab_score .reading", ".swipe", ".st-key-lab_level"]
    heights = [page.locator(place).first.bounding_box()["y"] for place in places]
    page.set_viewport_size({"width": 1280, "height": 900})
    assert heights == sorted(heights)


def test_a_card_opens_its_type(page):
    page.get_by_role("radio", name="Blur", exact=True).click()
    card = page.locator(".card", has_text="Lens blur")
    card.click()
    expect(card).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(r"type=kadid10k(:|%3A)LB"))


def test_it_opens_from_a_cell_of_the_benchmark_by_its_button_and_by_the_list_of_pages(page):
    table = re.sub(r"distortion_lab.*", "leave_one_distortion_out", page.url)
    error = page.get_by_text("Something unexpected")
    page.goto(f"{table}?database=KADID-10k&type=MB: Motion blur&method=HOSA")
    page.get_by_role("button", name="Try it in the lab").click()
    expect(page).to_have_url(re.compile(r"distortion_lab\?type=kadid10k(:|%3A)MB"))
    expect(page.locator(".card", has_text="Motion blur")).to_have_attribute("aria-pressed", "true")
    assert error.count() == 0
    page.goto(f"{table}?database=KADID-10k&type=MB: Motion blur&method=HOSA")
    page.get_by_role("heading", name="MB, HOSA").wait_for()
    page.get_by_role("link", name="Distortion lab").click()
    page.locator(".swipe").wait_for()
    assert error.count() == 0
