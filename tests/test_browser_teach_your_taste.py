"""Teaching a taste in a real browser: twelve ratings by keyboard, a reload in the middle, and the model elsewhere."""

import re

import pytest
from browser import chromium, running_app
from page_fixtures import as_default
from playwright.sync_api import expect

from metaiqa_core.taste.store import TasteStore

pytestmark = pytest.mark.browser
PATIENCE = 180_000  # milliseconds: a busy machine starts slowly


@pytest.fixture(scope="module")
def tastes(tmp_path_factory):
    return TasteStore(tmp_path_factory.mktemp("tastes"))


@pytest.fixture(scope="module")
def page(tiny_checkpoint, tastes, tmp_path_factory):
    folder = as_default(tiny_checkpoint, tmp_path_factory.mktemp("default"))
    with running_app(METAIQA_MODELS=str(folder), METAIQA_TASTES=str(tastes.folder)) as address, chromium() as browser:
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        opened.goto(address)
        opened.get_by_role("link", name="Teach it your taste").click()
        opened.locator(".rater img").first.wait_for()
        expect(opened.locator(".st-key-cancel_taste_photos")).to_have_count(0)
        yield opened


def question(page):
    return page.locator(".rater").get_attribute("data-question")


def answer(page, key):
    """Press a key, and wait for the next question."""
    before = question(page)
    expect(page.locator(".rater")).not_to_have_class(re.compile("waiting"))
    page.keyboard.press(key)
    page.wait_for_timeout(100)
    if page.locator(".rater").count():
        expect(page.locator(f".rater[data-question='{before}']:not(.waiting)")).to_have_count(0)


def ratings(tastes):
    return tastes.list()["my taste"].read().ratings


def says(page, count):
    expect(page.get_by_text(f"{count} ratings")).to_be_visible()


def test_twelve_ratings_with_a_reload_in_the_middle_make_a_model_that_score_photos_offers(page, tastes):
    for number in range(5):
        answer(page, str(1 + number % 5))
    says(page, 5)
    page.reload()
    page.locator(".rater img").first.wait_for()
    says(page, 5)
    assert sorted(ratings(tastes).stars.values()) == [1, 2, 3, 4, 5]
    undone = ratings(tastes).given[-1].photo
    answer(page, "z")
    says(page, 4)
    expect(page.locator(".rater")).to_have_attribute("data-question", undone)
    for number in range(7):
        answer(page, str(1 + number % 5))
    expect(page.locator(".taste-verdict h3")).to_have_text(
        re.compile("It agrees better with you now|Cannot tell yet|It did not help")
    )
    page.keyboard.press("4")
    says(page, 12)
    assert len(ratings(tastes).stars) == 12
    page.get_by_role("button", name=re.compile("Save")).click()
    expect(page.get_by_text("my taste is saved")).to_be_visible()
    page.get_by_role("link", name="Score photos").click()
    page.locator(".reading .score").first.wait_for()
    expect(page.get_by_role("combobox", name="Model")).to_have_value("my taste")
    page.get_by_role("link", name="Teach it your taste").click()


def test_pairs_are_compared_by_arrow_keys_and_by_click(page, tastes):
    page.get_by_role("radio", name="Which is better?").click()
    page.locator(".rater.pair").wait_for()
    first = question(page).split(" ")
    answer(page, "ArrowLeft")
    second = question(page).split(" ")
    page.locator(".rater button.picture").nth(1).click()
    says(page, 14)
    chosen = [(choice.better, choice.worse) for choice in ratings(tastes).choices]
    assert chosen == [(first[0], first[1]), (second[1], second[0])]


def test_on_a_phone_nothing_is_wider_than_the_screen_and_stars_are_large(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".rater.pair").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture = page.locator(".rater button.picture").first.bounding_box()
    assert picture["width"] > 300
    page.locator(".stMain").evaluate("main => main.scrollTo(0, 0)")
    page.wait_for_timeout(300)
    second = page.locator(".rater button.picture").nth(1).bounding_box()
    assert second["y"] + second["height"] <= 844, "two photos can be compared where both are seen"
    assert page.locator(".rater .skip").bounding_box()["height"] >= 44
