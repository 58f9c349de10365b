"""Many photos at once, headless: portions go to the disk one after the other, and two thousand are not sent twice."""

import json

import numpy as np
import pytest
from page_fixtures import ROOT, jpeg, tiny_default  # noqa: F401
from test_page_score_photos import acted, bring, opened, rows, settled, sorter

from metaiqa_core.assess import Assessor
from pages.shared import arrival, long_work
from pages.shared.photo_library import PhotoLibrary

pytestmark = pytest.mark.usefixtures("tiny_default")
APP = ROOT / "app.py"


@pytest.fixture(scope="module")
def files():
    draws = np.random.default_rng(3)
    return [(f"{number}.jpg", jpeg(draws.integers(0, 256, (40 + number, 60, 3), np.uint8))) for number in range(7)]


def said(page):
    """What the script in the page is told."""
    [told] = [json.loads(e.proto.json) for e in page.get("bidi_component") if e.proto.component_name == "arrival"]
    return told


def announced(page, total, number=1):
    """The page after the browser said how many photos are on their way."""
    page.session_state[arrival.KEY] = {"photos": {"number": number, "total": total}}
    return page.run()


def hand_over(page, *files):
    uploader = page.file_uploader(key=said(page)["uploader"])
    return uploader.set_value([(name, content, "image/jpeg") for name, content in files]).run()


def own(page):
    return [photo.name for photo in page.session_state["photo_library"].own.values()]


def test_portions_come_one_after_the_other_through_an_uploader_of_their_own(files):
    page = opened(APP)
    assert said(page)["uploader"] == ""
    page = announced(page, 7)
    first = said(page)["uploader"]
    page = hand_over(page, *files[:4])
    second = said(page)["uploader"]
    assert own(page) == [name for name, _ in files[:4]]
    assert second not in {"", first}
    assert said(page)["taken"] == {"uploader": first, "sizes": [len(content) for _, content in files[:4]]}
    page = hand_over(page, *files[4:])
    assert own(page) == [name for name, _ in files]
    page.session_state[arrival.KEY] = {"photos": None}
    page = settled(page.run())
    assert said(page)["uploader"] == ""
    assert set(rows(page)) == {name for name, _ in files}


def test_what_is_open_stays_open_while_more_photos_come(files):
    page = settled(hand_over(announced(opened(APP), 7), *files[:2]))
    page = acted(page, opened={"key": rows(page)["1.jpg"]["key"], "neighbours": []})
    page = settled(hand_over(page, *files[2:3]))
    assert sorter(page)["open"]["key"] == rows(page)["1.jpg"]["key"]


def test_a_portion_that_comes_again_is_not_kept_twice(files):
    page = hand_over(announced(opened(APP), 7), *files[:3])
    page = hand_over(page, *files[1:4])
    assert own(page) == [name for name, _ in files[:4]]


def test_a_full_disk_ends_the_arrival_says_what_is_missing_and_keeps_what_has_come(files, monkeypatch):
    page, original = announced(opened(APP), 7), PhotoLibrary.add

    def add(self, name, content):
        if name == "2.jpg":
            raise OSError(28, "No space left on device")
        return original(self, name, content)

    monkeypatch.setattr(PhotoLibrary, "add", add)
    page = hand_over(page, *files[:4])
    assert own(page) == ["0.jpg", "1.jpg"]
    assert said(page)["problem"].startswith("There is no room for more photos here: remove photos")
    assert said(page)["uploader"] == ""
    monkeypatch.setattr(PhotoLibrary, "add", original)
    page = hand_over(announced(page, 4, number=2), *files[2:6])
    assert own(page) == [name for name, _ in files[:6]], "there is room again"


def test_cancelled_scoring_does_not_begin_again_with_each_portion(files, monkeypatch):
    monkeypatch.setattr(long_work, "SLICE", 0.0)  # one photo a slice
    page = hand_over(announced(opened(APP), 7), *files[:4])
    page.button(key="cancel_scoring").click().run()
    monkeypatch.setattr(Assessor, "assess", None)  # any further call would fail
    page = hand_over(page, *files[4:])
    assert not page.exception
    assert page.warning[0].value.startswith("Cancelled: ")
    assert page.warning[0].value.endswith(" of 7 photos are not scored.")


def test_the_uploads_of_a_portion_are_let_go_once_they_are_kept(files, monkeypatch):
    released = []
    monkeypatch.setattr("pages.shared.intake.release_upload", lambda file: released.append(file.name))
    hand_over(announced(opened(APP), 7), *files[:4])
    assert released == [name for name, _ in files[:4]]


def test_a_browser_that_has_the_photos_gets_the_decisions_alone_until_something_else_changes(files):
    page = bring(opened(), *files[:4])
    version, key = sorter(page)["version"], rows(page)["1.jpg"]["key"]
    keep = {"page": "p", "list": [{"n": 1, "do": "keep", "keys": [key]}], "has": version}
    place = list(rows(page)).index("1.jpg")
    page = acted(page, moves=keep)
    assert sorter(page)["photos"] is None
    assert sorter(page)["decisions"] == "".join("k" if number == place else "u" for number in range(4))
    page = acted(page, moves={**keep, "has": "another"})
    assert rows(page)["1.jpg"]["decision"] == "keep"
    assert sorter(page)["version"] == version
    page = acted(bring(page, files[4]), moves=keep)
    assert len(sorter(page)["photos"]) == 5
    assert sorter(page)["version"] != version
