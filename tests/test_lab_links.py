"""The distortion lab opens from a photo of another page and from a cell of the benchmark's table."""

from dataclasses import replace

import pytest
from lone_page_fixtures import opened_page, results_folder  # noqa: F401
from page_fixtures import ROOT, jpeg, tiny_default  # noqa: F401
from streamlit.testing.v1 import AppTest
from tiny_fixtures import photo_pixels

from metaiqa_core.distortions import find_distortion
from metaiqa_core.taste.record import KeptPhoto
from metaiqa_core.taste.store import TasteStore
from pages.shared import lab_link

LAB = "pages/distortion_lab.py"


@pytest.fixture
def visited(monkeypatch):
    """The pages that were switched to, in order."""
    found = []
    monkeypatch.setattr(lab_link.st, "switch_page", lambda page, query_params: found.append(page))
    return found


@pytest.mark.parametrize("entry", ["pages/gradient_maps.py", "pages/score_photos.py"])
@pytest.mark.usefixtures("tiny_default")
def test_a_photo_opens_in_the_lab(entry, visited):
    page = AppTest.from_file(str(ROOT / entry), default_timeout=120).run()
    for _ in range(60):  # Score photos scores its samples first
        if any(button.key == "to_lab" for button in page.button):
            break
        page.run()
    page.button(key="to_lab").click().run()
    assert not page.exception
    assert visited == [LAB]
    assert page.session_state["lab_photo"] == page.session_state["opened"]
    assert page.session_state["opened"] in page.session_state["photo_library"].photos()


@pytest.mark.parametrize(
    ("database", "chosen", "key"),
    [("KADID-10k", "MB: Motion blur", "kadid10k:MB"), ("TID2013", None, "tid2013:AGN")],
)
def test_a_cell_of_the_benchmark_opens_the_lab_with_its_distortion(runs, visited, database, chosen, key):
    address = {"database": database, "type": chosen} if chosen else {"database": database}
    page = opened_page("leave_one_distortion_out.py", **address)
    page.button(key="cell_to_lab").click().run()
    assert not page.exception
    assert visited == [LAB]
    assert page.session_state[lab_link.WANTED] == key
    assert find_distortion(key).key == key


@pytest.mark.usefixtures("tiny_default")
def test_an_example_of_gradient_maps_opens_in_the_lab_and_stays_out_of_the_session(visited):
    page = AppTest.from_file(str(ROOT / "pages/gradient_maps.py"), default_timeout=120).run()
    page.segmented_control(key="maps_source").set_value("examples").run()
    page.button(key="to_lab").click().run()
    assert not page.exception
    assert visited == [LAB]
    photos = page.session_state["photo_library"]
    [guest] = photos.guests.values()
    assert page.session_state["lab_photo"] == guest.key
    assert guest.name == "Overexposure.png"
    assert guest.key not in photos.photos()


@pytest.fixture
def taste(tmp_path, monkeypatch):
    """The page Teach it your taste, with the samples; and the folder of its taste."""
    monkeypatch.setenv("METAIQA_TASTES", str(tmp_path / "tastes"))
    page = AppTest.from_file(str(ROOT / "pages/teach_your_taste.py"), default_timeout=120).run()
    for _ in range(60):
        if not any(button.key == "cancel_taste_photos" for button in page.button):
            break
        page.run()
    return page, TasteStore(tmp_path / "tastes").list()["my taste"]


@pytest.mark.usefixtures("tiny_default")
def test_a_photo_that_is_being_rated_opens_in_the_lab(taste, visited):
    page, folder = taste
    asked = folder.read().photos[1]
    page.session_state["taste_rater"] = {"lab": asked.key}
    page.run()
    assert not page.exception
    assert visited == [LAB]
    assert page.session_state["lab_photo"] == page.session_state["opened"] == f"{asked.key} {asked.name}"


@pytest.mark.usefixtures("tiny_default")
def test_a_photo_of_an_earlier_visit_opens_as_the_copy_that_the_taste_keeps(taste, visited):
    page, folder = taste
    kept = KeptPhoto("a" * 64, "last year.jpg")
    folder.add_picture(kept, jpeg(photo_pixels(5)))
    folder.save(replace(folder.read(), photos=(*folder.read().photos, kept)))
    page.session_state["taste_rater"] = {"lab": kept.key}
    page.run()
    assert not page.exception
    photos = page.session_state["photo_library"]
    [guest] = photos.guests.values()
    assert (guest.name, photos.content(guest)) == ("last year.jpg", jpeg(photo_pixels(5)))
    assert page.session_state["lab_photo"] == guest.key
    page.session_state["taste_rater"] = {"lab": "no photo of this taste"}
    page.run()
    assert visited == [LAB]
