"""Gradient maps in a real browser: a map over the photo, an opacity that only blends, work that can be cancelled."""

import re

import pytest
from browser import chromium, running_app, wait_until_idle
from page_fixtures import as_default

pytestmark = pytest.mark.browser
PATIENCE = 120_000
LAYERS = "[...document.querySelectorAll('.st-key-maps_picture image')].map(image => getComputedStyle(image).opacity)"


@pytest.fixture(scope="module")
def page(tiny_checkpoint, tmp_path_factory):
    """The page, opened by its address."""
    folder = as_default(tiny_checkpoint, tmp_path_factory.mktemp("default"))
    with running_app(METAIQA_MODELS=str(folder)) as address, chromium() as browser:
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.set_default_timeout(PATIENCE)
        opened.goto(f"{address}/gradient_maps")
        settle(opened)
        yield opened


def settle(page):
    page.locator(".st-key-maps_picture image").nth(2).wait_for()
    wait_until_idle(page)


def has_opacity(page, opacity):
    page.wait_for_function(f"{LAYERS}[2] === '{opacity}'")


def test_the_opacity_blends_what_is_there_and_keeps_the_zoom(page):
    strongest = page.locator(".st-key-maps_picture image").nth(2)
    assert page.evaluate(LAYERS) == ["1", "1", "0.7"]
    content, box = strongest.get_attribute("href"), strongest.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -500)
    page.wait_for_function(
        f"document.querySelectorAll('.st-key-maps_picture image')[2].getBoundingClientRect().width > {box['width']} + 5"
    )
    zoomed = strongest.bounding_box()
    page.get_by_role("slider", name="Opacity of the map").focus()
    page.keyboard.press("ArrowRight")
    has_opacity(page, 0.75)
    wait_until_idle(page)
    assert strongest.get_attribute("href") == content, "the same picture: nothing was computed or sent again"
    now = strongest.bounding_box()
    # The page may have scrolled to the slider.
    assert {side: now[side] for side in ("x", "width", "height")} == pytest.approx(
        {side: zoomed[side] for side in ("x", "width", "height")}, abs=1
    )
    page.keyboard.press("Home")
    has_opacity(page, 0)
    assert page.evaluate(LAYERS) == ["1", "0", "0"], "the photo in its own colours"


def test_long_work_shows_its_progress_and_can_be_cancelled(page):
    start = page.get_by_role("button", name=re.compile("against random maps"))
    start.click()
    page.locator(".st-key-cancel_deletion button").click()
    page.locator(".st-key-cancel_deletion").wait_for(state="detached")
    start.wait_for()
    wait_until_idle(page)
    assert page.get_by_text("The map passes").or_(page.get_by_text("The map fails")).count() == 0
    assert page.locator(".st-key-maps_picture image").count() == 3, "the map is still there"


def test_on_a_phone_the_score_comes_first_and_the_choices_below_the_picture(page):
    page.set_viewport_size({"width": 390, "height": 844})
    parts = ["maps_score", "maps_picture", "maps_choices", "maps_words", "maps_trust"]
    heights = [page.locator(f".st-key-{part}").bounding_box()["y"] for part in parts]
    page.set_viewport_size({"width": 1280, "height": 900})
    assert heights == sorted(heights)


def test_the_two_tests_stand_beside_each_other_and_on_a_phone_under_each_other_without_a_hole(page):
    def boxes():
        buttons = (
            page.locator(f".st-key-start_{name} button").locator("visible=true")
            for name in ("deletion", "randomisation")
        )
        return [button.first.bounding_box() for button in buttons]

    first, second = boxes()
    assert 0 < second["x"] - (first["x"] + first["width"]) <= 40
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    first, second = boxes()
    page.set_viewport_size({"width": 1280, "height": 900})
    assert 0 < second["y"] - (first["y"] + first["height"]) <= 40


def test_an_example_is_shown_with_where_it_comes_from(page):
    page.get_by_text("Figure 3 examples").click()
    page.get_by_text(re.compile("Made from sample motorcycle.png")).wait_for()
    settle(page)
    assert page.get_by_text("not an authentic photo").is_visible()
