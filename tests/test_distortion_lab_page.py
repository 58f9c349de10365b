"""The distortion lab, headless, alone and in the app's frame: a photo, a type and a level give curves and files."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from page_fixtures import ROOT, cat_jpeg, jpeg, tiny_default  # noqa: F401
from PIL import Image
from skimage import data
from streamlit.testing.v1 import AppTest

from metaiqa_core import level_response
from metaiqa_core.assess import Assessor
from metaiqa_core.distortions import CATALOGUE, LEVELS, distort, find_distortion
from metaiqa_core.images import decode
from metaiqa_core.level_response import working_copy
from pages.lab import chosen_photo, downloads, named_defect
from pages.lab.bench import Bench
from pages.shared import lab_link, long_work, previews, samples
from pages.shared.photo_library import PhotoLibrary

pytestmark = pytest.mark.usefixtures("tiny_default")
PAGE = "pages/distortion_lab.py"
BLUR = [entry for entry in CATALOGUE if entry.family == "blur"]


@pytest.fixture(autouse=True)
def _small_working_size(monkeypatch):
    """A fiftieth of the pixels: the same page, much faster."""
    monkeypatch.setattr(level_response, "WORKING_PIXELS", 72 * 54)


def opened(**address):
    page = AppTest.from_file(str(ROOT / PAGE), default_timeout=120)
    page.query_params.update(address)
    page.run()
    assert not page.exception
    return page


def scored(page, button="start_lab"):
    """Ask for scores and go on until they are there; a browser's timer does this by itself."""
    page.button(key=button).click().run()
    for _ in range(100):
        assert not page.exception
        if not any(each.key.startswith("cancel_lab") for each in page.button):
            return page
        page.run()
    raise AssertionError("measuring never ends")


@pytest.fixture(autouse=True)
def bench_of(monkeypatch):
    """Returns the bench that the page looked at last."""
    found = []
    real = chosen_photo.bench_for

    def watched(*arguments):
        found.append(real(*arguments))
        return found[-1]

    monkeypatch.setattr(chosen_photo, "bench_for", watched)
    return lambda page: found[-1]


def shown(page):
    """What the browser gets: the data of the before/after slider, and the cards."""
    swipe, gallery = (json.loads(component.proto.json) for component in page.get("bidi_component"))
    return swipe, gallery["cards"]


def test_it_starts_alive_with_the_level_on_the_screen_scored_and_nothing_else(bench_of, monkeypatch):
    monkeypatch.setattr(named_defect, "_diagnosis", lambda *arguments: pytest.fail("nobody asked for a diagnosis"))
    page = opened()
    page.run()
    pixels = working_copy(decode(samples.content(samples.NAMES[0])))
    assessor = Assessor.load()
    expected = assessor.assess(distort(pixels, "kadid10k:GB", 4)).score
    assert bench_of(page).scores == {"kadid10k:GB": {4: expected}}
    swipe, cards = shown(page)
    assert swipe["left"] == f"Undistorted: {assessor.assess(pixels).score:.0f}"
    assert swipe["right"] == f"Level 4: {expected:.0f}"
    assert {card["key"] for card in cards} == {entry.key for entry in BLUR}
    assert [card["key"] for card in cards if card["chosen"]] == ["kadid10k:GB"]
    assert any(f">{expected:.1f}<" in element.proto.body for element in page.get("html"))
    assert not any(each.key.startswith("cancel_lab") for each in page.button)


def test_levels_and_types_are_scored_when_they_are_asked_for(bench_of):
    page = scored(opened(), "start_lab_levels")
    assert set(bench_of(page).scores) == {"kadid10k:GB"}
    pixels = working_copy(decode(samples.content(samples.NAMES[0])))
    expected = {level: Assessor.load().assess(distort(pixels, "kadid10k:GB", level)).score for level in LEVELS}
    assert bench_of(page).scores["kadid10k:GB"] == expected
    assert page.button(key="start_lab").label == "Score the other 3 of 4 types"
    scored(page)
    assert not bench_of(page).waiting(BLUR)
    assert not any(each.key.startswith("start_lab") for each in page.button)


def test_the_lab_scores_with_the_engine_and_builds_no_network(bench_of, monkeypatch):
    monkeypatch.setattr(Assessor, "network", property(lambda self: pytest.fail("torch's network was asked for")))
    page = scored(opened(), "start_lab_levels")
    assert bench_of(page).assessor.engine.name == "onnx"


def test_the_photo_has_the_score_that_other_pages_show(cat_jpeg):  # noqa: F811
    photos = PhotoLibrary()
    cat = photos.add("cat.jpg", cat_jpeg)
    page = AppTest.from_file(str(ROOT / PAGE), default_timeout=120)
    page.session_state["photo_library"], page.session_state["opened"] = photos, cat.key
    page.run()
    score = Assessor.load().assess(cat_jpeg).score
    captions = [caption.value for caption in page.caption]
    assert any(f"scores **{score:.1f}** as a whole, as on the other pages" in caption for caption in captions)


def test_a_photo_of_another_place_is_distorted_beside_those_of_the_session(cat_jpeg):  # noqa: F811
    photos = PhotoLibrary()
    own, guest = photos.add("own.jpg", jpeg(data.coffee())), photos.add_guest("guest.jpg", cat_jpeg)
    page = AppTest.from_file(str(ROOT / PAGE), default_timeout=120)
    state = {"photo_library": photos, "opened": own.key, "lab_photo": guest.key}
    for name, value in state.items():
        page.session_state[name] = value
    page.run()
    assert not page.exception
    assert page.selectbox(key="lab_photo").value == guest.key
    assert page.selectbox(key="lab_photo").options == ["own.jpg", "guest.jpg"]
    score = Assessor.load().assess(cat_jpeg).score
    assert any(f"scores **{score:.1f}** as a whole" in caption.value for caption in page.caption)
    page.selectbox(key="lab_photo").set_value(own.key).run()
    page.selectbox(key="lab_photo").set_value(guest.key).run()
    assert page.session_state["opened"] == own.key, "other pages go on with their own photo"


def test_another_page_opens_it_with_a_distortion_whatever_was_chosen_before(bench_of):
    page = opened(type="kadid10k:HS", level="1")
    page.session_state[lab_link.WANTED] = "tid2013:ICQD"
    page.run()
    assert page.selectbox(key="lab_type").value == "tid2013:ICQD"
    assert page.query_params["type"] == "tid2013:ICQD"
    page.run()
    assert page.selectbox(key="lab_type").value == "tid2013:ICQD"


def test_the_damage_is_named_where_that_is_asked_for(monkeypatch):
    named = []
    monkeypatch.setattr(named_defect, "list_graph_models", lambda: [named_defect.DEFAULT_GRAPH_MODEL])
    monkeypatch.setattr(named_defect, "load", lambda name: Assessor.load())
    monkeypatch.setattr(
        named_defect,
        "_diagnosis",
        lambda model, seed, key, level, pixels: named.append((key, level)) or SimpleNamespace(sentence="Blurred."),
    )
    page = opened()
    assert not named
    page.toggle(key="lab_name_defect").set_value(True).run()
    assert named == [("kadid10k:GB", 4)]
    assert any("What was applied" in caption.value for caption in page.caption)


def test_in_the_app_it_opens_with_the_photo_that_was_just_scored(bench_of, cat_jpeg):  # noqa: F811
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    page.file_uploader[0].set_value([("cat.jpg", cat_jpeg, "image/jpeg")]).run()
    page.switch_page(PAGE).run()
    assert not page.exception
    assert page.title[0].value == "Distortion lab"
    assert page.selectbox(key="lab_photo").value.endswith(" cat.jpg")
    np.testing.assert_array_equal(bench_of(page).pixels, working_copy(decode(cat_jpeg)))


def test_a_level_a_family_and_a_seed_change_what_is_shown_and_the_address(bench_of):
    page = opened()
    page.slider(key="lab_level").set_value(2).run()
    assert shown(page)[0]["right"] == f"Level 2: {bench_of(page).scores['kadid10k:GB'][2]:.0f}"
    page.pills(key="lab_family").set_value("sharpness").run()
    assert page.selectbox(key="lab_type").value == "kadid10k:HS"
    page.number_input(key="lab_seed").set_value(5).run()
    assert bench_of(page).seed == 5
    assert (page.query_params["type"], page.query_params["level"]) == ("kadid10k:HS", "2")


def test_an_address_that_was_shared_opens_its_type_and_nonsense_in_it_the_first_one():
    assert opened(type="kadid10k:HS", level="1").selectbox(key="lab_type").value == "kadid10k:HS"
    page = opened(type="<b>", level="9")
    assert (page.selectbox(key="lab_type").value, page.slider(key="lab_level").value) == ("kadid10k:GB", 4)


def test_cancel_keeps_what_is_measured_until_the_rest_is_asked_for(bench_of, monkeypatch):
    monkeypatch.setattr(long_work, "SLICE", 0.0)  # one level a slice
    page = opened()
    page.button(key="start_lab").click().run()
    page.button(key="cancel_lab").click().run()
    bench = bench_of(page)
    known = {key: dict(scores) for key, scores in bench.scores.items()}
    assert known["kadid10k:GB"].keys() >= {1, 4}
    assert not bench.is_done(BLUR[-1])
    page.run()
    assert bench.scores == known, "nothing goes on unasked"
    assert {card["note"] for card in shown(page)[1] if not card["chosen"]} == {"not scored yet"}
    assert [card["note"] for card in shown(page)[1] if card["chosen"]] == [
        f"{len(known['kadid10k:GB'])} of 5 levels scored"
    ]
    scored(page)
    assert not bench.waiting(BLUR)


def test_the_table_has_a_row_for_each_measured_level_and_what_is_needed_to_repeat_it(bench_of):
    page = scored(opened(type="kadid10k:HS"))
    bench, photo = bench_of(page), page.session_state["photo_library"].photos()[page.selectbox(key="lab_photo").value]
    rows = downloads.table(bench, photo, Assessor.load())
    measured = [entry.key for entry in CATALOGUE if entry.family == "sharpness"]
    assert [(row["type"], row["level"]) for row in rows[1:]] == [(key, level) for key in measured for level in LEVELS]
    assert (rows[0]["level"], rows[0]["score"]) == (0, bench.undistorted)
    assert {row["level"]: row["score"] for row in rows if row["type"] == "kadid10k:HS"} == bench.scores["kadid10k:HS"]
    assert {row["model_sha256"] for row in rows} == {Assessor.load().card.sha256}
    assert downloads.to_csv(rows).decode("utf-8-sig").splitlines()[0].startswith("type,level,score,seed,width")


@pytest.fixture
def bench():
    pixels = np.ascontiguousarray(data.chelsea()[:90, :120])
    return Bench(Assessor.load(), pixels, 7, 50.0)


def test_the_downloaded_photo_is_the_distorted_one_to_the_last_bit(bench):
    content = bench.picture(find_distortion("kadid10k:WN"), 3)
    np.testing.assert_array_equal(previews.opened(content), distort(bench.pixels, "kadid10k:WN", 3, seed=7))
    np.testing.assert_array_equal(previews.opened(bench.picture(BLUR[0], 0)), bench.pixels)


def test_a_type_that_cannot_be_applied_is_a_reason_and_the_others_go_on(bench, monkeypatch):
    monkeypatch.setattr(bench, "pixels", bench.pixels[:20].copy())
    bench.step(BLUR[0])
    assert bench.failures == {
        "kadid10k:GB": "Expected a photo of at least 32x32 pixels, got 120x20; choose a larger one."
    }
    assert bench.is_done(BLUR[0])
    assert bench.response(BLUR[0]) is None


def test_a_photo_that_is_too_small_is_one_sentence():
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    small = jpeg(np.asarray(Image.new("RGB", (40, 20), "#808080")))
    page.file_uploader[0].set_value([("small.jpg", small, "image/jpeg")]).run()
    page.switch_page(PAGE).run()
    assert not page.exception
    assert page.error[0].value.startswith("Expected a photo of at least 32x32 pixels, got 40x20")
