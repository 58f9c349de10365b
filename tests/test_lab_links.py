"""The distortion lab opens from a photo of another page and from a cell of the benchmark's table."""

import pytest
from lone_page_fixtures import opened_page, results_folder  # noqa: F401
from page_fixtures import ROOT, tiny_default  # noqa: F401
from streamlit.testing.v1 import AppTest

from metaiqa_core.distortions import find_distortion
from pages.shared import lab_link

LAB = "pages/distortion_lab.py"


@pytest.fixture
def visited(monkeypatch):
    """The pages that were switched to, in order."""
    found = []
    monkeypatch.setattr(lab_link.st, "switch_page", found.append)
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
