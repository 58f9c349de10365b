"""Sorting on the page, headless: moves are made once, an undo takes them back, and a new visit finds all of it."""

import json
import re
import shutil

import numpy as np
import pytest
from page_fixtures import cat_jpeg, jpeg, tiny_default  # noqa: F401
from skimage import data
from test_page_score_photos import acted, bring, opened, reading, results_of, rows, settled, sorter

from metaiqa_core.assess import Assessor
from metaiqa_core.models.model_files import DEFAULT_MODEL
from metaiqa_core.sorting.decisions import Decision
from pages.scoring import rows as page_rows
from pages.scoring.filters import Filter
from pages.shared import browser_session, long_work, photo_library

pytestmark = pytest.mark.usefixtures("tiny_default")


@pytest.fixture(autouse=True)
def one_browser(monkeypatch, tmp_path):
    """A browser that keeps its cookie from one visit to the next."""
    monkeypatch.setenv("METAIQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(browser_session, "cookie_of_browser", lambda: "c" * 32)
    yield
    photo_library._libraries.clear()


@pytest.fixture
def files():
    return [(f"trip/{number}.jpg", jpeg(np.ascontiguousarray(data.chelsea()[:, 60 * number :]))) for number in range(4)]


def restarted():
    """The page after the app was started again: nothing of the old process is left but what is on the disk."""
    for library in list(photo_library._libraries.values()):
        if library.folder:
            library.folder._journal.close()
    photo_library._libraries.clear()
    return opened()


def key_of(page, name):
    return rows(page)[name]["key"]


def moves(page, *steps, name="p"):
    listed = [
        {"n": number, "do": do, "keys": [key_of(page, each) for each in names]}
        for number, (do, *names) in enumerate(steps, 1)
    ]
    return acted(page, moves={"page": name, "list": listed})


def decisions(page):
    return {name: row["decision"] for name, row in rows(page).items()}


def test_moves_are_made_once_and_an_undo_takes_the_last_one_back(files):
    page = bring(opened(), *files)
    sent = [("keep", "0.jpg"), ("reject", "1.jpg", "2.jpg"), ("undo",)]
    page = moves(page, *sent[:2])
    assert decisions(page) == {"0.jpg": "keep", "1.jpg": "reject", "2.jpg": "reject", "3.jpg": "undecided"}
    assert sorter(page)["made"] == {"page": "p", "n": 2}
    page = moves(page, *sent)  # all that the browser does not know to be made come again
    assert decisions(page) == {"0.jpg": "keep", "1.jpg": "undecided", "2.jpg": "undecided", "3.jpg": "undecided"}
    assert sorter(page)["open"]["key"] == key_of(page, "1.jpg"), "an undo shows what it changed"
    assert sorter(page)["summary"].endswith("1 kept, 0 rejected, 3 undecided")


def test_photos_scores_decisions_order_and_the_open_photo_survive_a_restart_without_scoring_again(files, monkeypatch):
    page = bring(opened(), *files)
    page = moves(page, ("keep", "0.jpg"), ("reject", "1.jpg"), ("removed", "3.jpg"))
    page = acted(page, opened={"key": key_of(page, "2.jpg"), "neighbours": []})
    before, results = sorter(page), results_of(page)
    monkeypatch.setattr(Assessor, "assess", None)  # any further call would fail
    again = restarted()
    assert decisions(again) == {"0.jpg": "keep", "1.jpg": "reject", "2.jpg": "undecided"}
    assert reading(again)["name"] == "2.jpg"
    for row, found in zip(before["photos"], sorter(again)["photos"], strict=True):
        assert {**row, "picture": ""} == {**found, "picture": ""}
    assert {name: result.assessment for name, result in results_of(again).items()} == {
        name: result.assessment for name, result in results.items() if name.startswith("trip/")
    }
    again = moves(again, ("undo",), name="another page")
    assert decisions(again)["3.jpg"] == "undecided", "what was removed before comes back"


def test_a_session_that_was_left_half_way_goes_on_with_the_rest(files, monkeypatch):
    page, original, scored = opened(), Assessor.assess, []
    monkeypatch.setattr(long_work, "SLICE", 0.0)  # one photo a slice
    page.file_uploader[0].set_value([(name, content, "image/jpeg") for name, content in files]).run()
    done = {name for name, row in rows(page).items() if row["score"]}
    assert 0 < len(done) < 4
    monkeypatch.setattr(Assessor, "assess", lambda self, photo: scored.append(photo) or original(self, photo))
    again = restarted()
    assert all(row["score"] for row in rows(again).values())
    assert len(rows(again)) == 4
    assert len(scored) == 4 - len(done)


def test_another_browser_sees_nothing_of_it(files, monkeypatch):
    bring(opened(), *files)
    monkeypatch.setattr(browser_session, "cookie_of_browser", lambda: "d" * 32)
    assert "0.jpg" not in rows(opened())
    monkeypatch.setattr(browser_session, "cookie_of_browser", lambda: "../" * 11)
    assert "0.jpg" not in rows(opened())


def test_two_tabs_of_one_browser_share_their_decisions(files):
    first = bring(opened(), *files)
    second = opened()
    moves(first, ("keep", "0.jpg"), name="first")
    assert decisions(settled(second.run()))["0.jpg"] == "keep"
    moves(second, ("undo",), name="second")
    assert decisions(settled(first.run()))["0.jpg"] == "undecided"


def test_on_request_everything_is_deleted_from_the_disk(files, tmp_path):
    page = bring(opened(), *files)
    assert list((tmp_path / "cache" / "sessions").glob("*/photos/*"))
    page.button(key="clear").click().run()
    assert not list((tmp_path / "cache" / "sessions").glob("*/photos/*"))
    assert not list((tmp_path / "cache" / "sessions").glob("*/thumbnails/*"))
    assert "0.jpg" not in rows(restarted())


def test_where_sessions_are_off_nothing_is_written_and_the_page_says_so(files, monkeypatch, tmp_path):
    monkeypatch.setenv("METAIQA_SESSIONS", "off")
    page = bring(opened(), *files)
    assert not (tmp_path / "cache" / "sessions").exists()
    assert any("until you close or reload this page" in caption.value for caption in page.caption)
    assert "0.jpg" not in rows(restarted())


def test_the_page_says_in_one_line_what_is_kept(files):
    page = bring(opened(), *files)
    assert any("kept on this computer for a day after your last visit" in caption.value for caption in page.caption)


def test_a_photo_that_comes_alone_is_opened_whatever_was_open_before(files):
    page = bring(opened(), *files[:2])
    clicked = {"key": key_of(page, "0.jpg"), "neighbours": []}
    page = acted(page, opened={**clicked, "told": sorter(page)["open"]["number"]})
    assert reading(page)["name"] == "0.jpg"
    page = bring(page, files[3])
    assert reading(page)["name"] == "3.jpg"
    told = sorter(page)["open"]["number"]
    page = acted(page, opened={**clicked, "told": told - 1})
    assert reading(page)["name"] == "3.jpg", "what was opened before it came is past"
    page = acted(page, opened={**clicked, "told": told})
    assert reading(page)["name"] == "0.jpg"


def test_ticked_photos_never_stand_in_the_way_of_opening_another_one(files):
    page = bring(opened(), *files)
    page = acted(page, ticked=[key_of(page, "0.jpg")], opened={"key": key_of(page, "2.jpg"), "neighbours": []})
    assert reading(page)["name"] == "2.jpg"


def test_after_zooming_in_the_next_photo_still_has_its_score():
    large = [jpeg(np.ascontiguousarray(data.retina()[:1100, 10 * number : 1100])) for number in range(2)]
    page = bring(opened(), ("a.jpg", large[0]), ("b.jpg", large[1]))
    page = acted(page, opened={"key": key_of(page, "a.jpg"), "neighbours": []})
    page.segmented_control(key="reading").set_value("Zoomed in").run()
    page = acted(page, opened={"key": key_of(page, "b.jpg"), "neighbours": []})
    assert page.segmented_control(key="reading").value == "Zoomed in"
    assert reading(page)["score"] == rows(page)["b.jpg"]["score"]


def test_a_photo_of_about_the_models_size_offers_no_second_reading(cat_jpeg):  # noqa: F811
    short_side = Assessor.load().preprocessing.short_side
    pixels = np.ascontiguousarray(data.chelsea()[: short_side + 12, : short_side + 60])
    page = bring(opened(), ("small.jpg", jpeg(pixels)))
    assert "reading" not in {control.key for control in page.segmented_control}


def test_file_names_stand_without_their_folders(files):
    page = bring(opened(), *files)
    assert {(row["name"], row["folder"]) for row in rows(page).values()} == {(f"{n}.jpg", "trip") for n in range(4)}


def test_pictures_are_addresses_and_scores_have_one_digit(files):
    page = bring(opened(), *files)
    for row in rows(page).values():
        assert re.search(r"/media/\w+\.jpg$", row["picture"])
        assert len(row["score"].partition(".")[2]) == 1
    assert "base64" not in str(sorter(page))


def test_filters_say_what_they_show_and_can_be_cleared(files):
    page = moves(bring(opened(), *files), ("keep", "0.jpg"))
    page.pills(key="filter_decisions").set_value([Decision.KEEP]).run()
    assert set(rows(page)) == {"0.jpg"}
    assert any(markdown.value == "**1 of 4**: kept" for markdown in page.markdown)
    page.button(key="clear_filters").click().run()
    assert len(rows(page)) == 4


def test_a_filter_outlives_a_reload_until_all_are_shown(files):
    page = moves(bring(opened(), *files), ("keep", "0.jpg"))
    page.pills(key="filter_decisions").set_value([Decision.KEEP]).run()
    again = restarted()
    assert set(rows(again)) == {"0.jpg"}
    assert set(rows(again.run())) == {"0.jpg"}
    again.button(key="clear_filters").click().run()
    assert len(rows(again)) == 4
    assert len(rows(restarted())) == 4


def test_a_filter_that_was_kept_is_taken_for_what_it_still_means():
    kept = Filter(("Poor",), ("blurred",), (Decision.KEEP,), (10, 60), only_best=True)
    record = json.loads(json.dumps(kept.to_record()))
    assert Filter.from_record(record) == kept
    assert record == kept.to_record(), "what is kept already is not noted again"
    for nonsense in (None, 3, {"words": "Poor", "scores": [60, 10], "decisions": ["sold"], "only_best": "yes"}):
        assert Filter.from_record(nonsense) == Filter()


def test_keeping_one_of_a_stack_is_one_step_that_one_undo_takes_back(files):
    page = bring(opened(), *files)
    sent = [("keep_only", "1.jpg", "0.jpg", "2.jpg"), ("undo",)]
    page = moves(page, *sent[:1])
    assert decisions(page) == {"1.jpg": "keep", "0.jpg": "reject", "2.jpg": "reject", "3.jpg": "undecided"}
    page = moves(page, *sent)
    assert sorter(page)["open"]["key"] == key_of(page, "1.jpg")
    assert set(decisions(page).values()) == {"undecided"}


def test_the_worst_can_come_first_and_stacks_lie_together_with_their_best_on_top(files):
    page = bring(opened(), *files)
    for order, reverse in ((page_rows.BEST_FIRST, True), (page_rows.WORST_FIRST, False)):
        page.selectbox(key="order").set_value(order).run()
        shown = sorter(page)["photos"]
        tops, seen = [], set()
        for row in shown:
            if not row["stack"] or row["stack"] not in seen:
                tops.append(float(row["score"]))
            seen.add(row["stack"])
        assert tops == sorted(tops, reverse=reverse)


def test_without_stacks_every_photo_has_the_place_of_its_own_score(files):
    page = bring(opened(), *files, ("cup.jpg", jpeg(data.coffee())))
    for order, reverse in ((page_rows.BEST_FIRST, True), (page_rows.WORST_FIRST, False)):
        page.selectbox(key="order").set_value(order).run()
        page.toggle(key="stacked_True").set_value(False).run()
        scores = [float(row["score"]) for row in sorter(page)["photos"]]
        assert scores == sorted(scores, reverse=reverse)


def test_each_drawing_tells_the_browser_how_the_photos_are_shown_also_after_a_reload(files):
    page = bring(opened(), *files)
    page.selectbox(key="order").set_value(page_rows.WORST_FIRST).run()
    page.segmented_control(key="layout").set_value("List").run()
    page.toggle(key="stacked_True").set_value(False).run()
    again = restarted()
    for _ in range(2):
        assert list(again.segmented_control(key="layout").proto.default) == [1]
        assert again.selectbox(key="order").proto.default == 1
        assert again.toggle(key="stacked_True").proto.default is False
        assert (sorter(again)["layout"], sorter(again)["stacked"]) == ("list", False)
        again.run()
    again.toggle(key="stacked_True").set_value(True).run()
    assert [again.run().toggle(key="stacked_True").proto.default for _ in "ab"] == [True, True]


def test_a_new_visit_goes_on_with_the_model_that_was_chosen_and_with_the_default_one_where_that_is_gone(
    files,
    tiny_default,  # noqa: F811
    tiny_checkpoint,
):
    own = [tiny_default / f"mine{file.suffix}" for file in (tiny_checkpoint, tiny_checkpoint.with_suffix(".json"))]
    for file in own:
        shutil.copy(tiny_checkpoint.with_suffix(file.suffix), file)
    page = bring(opened(), *files[:1])
    model_of(page).set_value("mine").run()
    assert model_of(restarted()).value == "mine"
    third = tiny_default / "third.json"
    for file in own:
        file.rename(third.with_suffix(file.suffix))
    again = restarted()
    assert model_of(again).value == DEFAULT_MODEL
    assert not again.exception


def model_of(page):
    return next(box for box in page.selectbox if box.label == "Model")


def test_a_guest_is_scored_and_left_out_of_the_session_and_its_folder(files, cat_jpeg):  # noqa: F811
    page = bring(opened(), *files)
    photos, scores = page.session_state["photo_library"], page.session_state["session_scores"]
    guest = photos.add_guest("of a database.jpg", cat_jpeg)
    assert scores.of(guest, Assessor.load()).assessment == Assessor.load().assess(cat_jpeg)
    page = settled(page.run())
    assert "of a database.jpg" not in rows(page)
    page = restarted()
    assert set(rows(page)) == {"0.jpg", "1.jpg", "2.jpg", "3.jpg"}
    assert "of a database.jpg" not in results_of(page)
