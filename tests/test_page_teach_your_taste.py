"""The page Teach it your taste, headless: photos are looked at, ratings are kept, learned from, judged and saved."""

import json

import pytest
from page_fixtures import ROOT, jpeg, tiny_default  # noqa: F401
from streamlit.testing.v1 import AppTest
from tiny_fixtures import photo_pixels

from metaiqa_core.models.model_files import list_models
from metaiqa_core.taste.ratings import Ratings, Star
from metaiqa_core.taste.store import TasteStore
from metaiqa_core.taste.teaching import delete_personal
from pages.shared import samples

pytestmark = pytest.mark.usefixtures("tiny_default", "tastes")
PAGE = ROOT / "pages" / "teach_your_taste.py"


@pytest.fixture
def tastes(tmp_path, monkeypatch):
    monkeypatch.setenv("METAIQA_TASTES", str(tmp_path / "tastes"))
    return TasteStore(tmp_path / "tastes")


def opened(entry=PAGE):
    page = AppTest.from_file(str(entry), default_timeout=120).run()
    return settled(page)


def settled(page):
    """Go on until every photo was looked at; a browser's timer does this by itself."""
    for _ in range(100):
        assert not page.exception
        if not any(button.key == "cancel_taste_photos" for button in page.button):
            return page
        page.run()
    raise AssertionError("looking at photos never ends")


def rate_all(tastes, stars=lambda number: 1 + number % 5):
    folder = tastes.list()["my taste"]
    record = folder.read()
    folder.save(
        record.with_ratings(Ratings.of(Star(photo.key, stars(number)) for number, photo in enumerate(record.photos)))
    )


def words(page):
    kinds = ("markdown", "caption", "warning", "error", "info", "success")
    shown = [element.value for kind in kinds for element in page.get(kind)]
    return " ".join([*shown, *(element.proto.body for element in page.get("html"))])


def button(page, key):
    return next(button for button in page.button if button.key == key)


@pytest.mark.parametrize("entry", [PAGE, ROOT / "app.py"], ids=["alone", "in the app"])
def test_the_samples_can_be_rated_at_once(tastes, entry):
    page = AppTest.from_file(str(entry), default_timeout=120)
    page.run()
    if entry != PAGE:
        page.switch_page("pages/teach_your_taste.py").run()
    page = settled(page)
    record = tastes.list()["my taste"].read()
    assert {photo.name for photo in record.photos} == set(samples.NAMES)
    assert not page.error


def test_twelve_ratings_are_judged_and_saved_as_a_model_that_every_page_offers(tastes):
    opened()
    rate_all(tastes)
    page = opened()
    assert any(
        sentence in words(page) for sentence in ("It agrees better with you now", "Cannot tell yet", "It did not help")
    )
    assert "12 ratings" in "".join(str(element.proto) for element in page.get("progress"))
    button(page, "taste_save").click().run()
    assert not page.exception
    assert "my taste" in list_models()
    assert page.session_state["model"] == "my taste"
    assert "metaiqa score photo.jpg" in "".join(code.value for code in page.code)
    button(page, "taste_delete_model").click().run()
    assert "my taste" not in list_models()


def test_too_few_or_equal_ratings_are_not_judged(tastes):
    page = opened()
    assert "After 10 ratings the model learns from them" in words(page)
    rate_all(tastes, lambda number: 3)
    page = opened()
    assert "All photos have the same number of stars" in words(page)
    assert "taste_save" not in {one.key for one in page.button}


def test_own_photos_take_the_place_of_samples_that_were_not_rated(tastes):
    page = opened()
    folder = tastes.list()["my taste"]
    first = folder.read().photos[0]
    folder.save(folder.read().with_ratings(Ratings.of([Star(first.key, 4)])))
    page.file_uploader[0].set_value([("mine.jpg", jpeg(photo_pixels(90)), "image/jpeg")]).run()
    settled(page)
    assert [photo.name for photo in folder.read().photos] == [first.name, "mine.jpg"]


def test_a_broken_photo_is_named_and_asked_about_never(tastes):
    page = opened()
    page.file_uploader[0].set_value([("cut.jpg", jpeg(photo_pixels(91))[:900], "image/jpeg")]).run()
    page = settled(page)
    assert "cut" in words(page)
    assert "None of these photos can be read" in words(page)
    assert "How do you like the photo?" not in words(page)
    assert "cut.jpg" not in {photo.name for photo in tastes.list()["my taste"].read().photos}


def test_a_taste_is_opened_by_its_address(tastes):
    tastes.create("anna")
    tastes.create("ben")
    page = AppTest.from_file(str(PAGE), default_timeout=120)
    page.query_params["taste"] = "ben"
    settled(page.run())
    assert len(tastes.list()["ben"].read().photos) == len(samples.NAMES)
    assert not tastes.list()["anna"].read().photos


def test_a_deleted_taste_begins_anew(tastes):
    page = opened()
    rate_all(tastes)
    button(page, "taste_delete").click().run()
    settled(page)
    assert len(tastes.list()["my taste"].read().ratings) == 0


def test_a_taste_outlives_the_model_that_it_was_taught_on(tastes):
    opened()
    rate_all(tastes)
    folder = tastes.list()["my taste"]
    folder.save(folder.read().with_model("deleted"))
    page = opened()
    assert not page.error
    assert "There is no model called" in words(page)
    assert "The default model is taught instead" in words(page)
    assert folder.read().model == "default"
    assert len(folder.read().ratings) == len(samples.NAMES)


@pytest.mark.parametrize("sessions", ["", "on"])
def test_a_server_for_many_keeps_nothing_and_offers_the_download_alone(tastes, monkeypatch, sessions):
    monkeypatch.setenv("METAIQA_ALLOWED_HOSTS", "photos.example.org")
    monkeypatch.setenv("METAIQA_SESSIONS", sessions)  # photos of visitors may be kept; tastes would be shared
    page = opened()
    assert tastes.list() == {}
    assert "nothing is kept after your visit" in words(page)
    assert "taste_save" not in {one.key for one in page.button}


def test_a_damaged_record_does_not_break_the_page(tastes):
    folder = tastes.create("bad").folder
    (folder / "taste.json").write_text(json.dumps({"name": 1}))
    page = opened()
    assert not page.error
    assert list(tastes.list()) == ["my taste"]


def test_names_of_photos_are_shown_as_text(tastes):
    page = opened()
    page.file_uploader[0].set_value([("![x](http://evil/x.png).jpg", jpeg(photo_pixels(92)), "image/jpeg")]).run()
    page = settled(page)
    rate_all(tastes)
    assert "![x](http" not in words(page.run())


def teardown_module():
    for name in ("my taste",):
        if name in list_models():
            delete_personal(name)
