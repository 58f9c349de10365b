"""What is said to be wrong with a photo on the score page, headless: once a photo, after its score, never in doubt."""

import doctest
import io
import json

import numpy as np
import pandas as pd
import pytest
from page_fixtures import jpeg, tiny_default  # noqa: F401
from skimage import data
from test_page_score_photos import bring, opened, reading, rows, settled
from test_page_sorting import one_browser, restarted  # noqa: F401

from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import WORDS as WORDS_OF_GRADES
from metaiqa_core.defect_words import NOTHING, WORDS
from metaiqa_core.diagnosis import Diagnosis
from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.model_files import DEFAULT_GRAPH_MODEL
from metaiqa_core.sorting import tables
from metaiqa_core.sorting.decisions import Decisions
from pages.scoring import defects, details, exports
from pages.scoring.rows import ranked, up_to_date
from pages.shared import long_work
from pages.shared.plain import plain

pytestmark = pytest.mark.usefixtures("tiny_default", "one_browser")


def diagnosis(word, low=2.4, probability=0.93):
    found = word not in (None, NOTHING)
    levels = (3.2, low, 4.0) if found else (None, None, None)
    return Diagnosis(word, probability, "kadid10k:GB" if found else None, *levels, {}, (), 0.4)


SAID = {
    "0.jpg": diagnosis("blurred"),
    "1.jpg": diagnosis("noisy"),
    "2.jpg": diagnosis("blurred", low=1.0),
    "3.jpg": diagnosis("too dark"),
    "4.jpg": diagnosis(NOTHING),
    "5.jpg": diagnosis(None),
}


@pytest.fixture
def files():
    """Six photos, wide enough for a defect to be named."""
    pixels = [np.ascontiguousarray(data.chelsea()[:200, 20 * number : 20 * number + 240]) for number in range(6)]
    return [(f"{number}.jpg", jpeg(each)) for number, each in enumerate(pixels)]


@pytest.fixture
def page():
    """The page, on which the shipped graph model has looked at the samples."""
    return opened()


@pytest.fixture
def asked(page, monkeypatch):
    """Names of the photos that the graph model, whose answers are known, is asked about."""
    names = []

    def diagnose(self, source):
        names.append(source.name)
        return SAID[source.name]

    monkeypatch.setattr(Assessor, "diagnose", diagnose)
    return names


def opened_on(page, name):
    key = rows(page)[name]["key"]
    page.session_state["sorter"] = {"opened": {"key": key, "neighbours": []}}
    return settled(page.run())


def test_the_sentences_are_those_of_the_documentation():
    assert doctest.testmod(defects).failed == 0


@pytest.mark.parametrize("word", [*WORDS, None])
def test_a_defect_is_claimed_only_where_its_word_can_be_relied_on_and_its_level_is_not_the_mildest(word):
    told = defects.claim(diagnosis(word))
    assert (told is not None) == (word not in {"too dark", "too contrasty", NOTHING, None})
    assert defects.claim(diagnosis(word, low=1.0)) is None
    if told:
        assert defects.sentence(told).endswith(", about level 3 of 5 (93 % sure)")


def test_one_sentence_stands_beside_the_score_and_nothing_where_it_is_in_doubt(page, asked, files):
    page = opened_on(bring(page, *files), "0.jpg")
    assert reading(page)["why"] == "Looks blurred, about level 3 of 5 (93 % sure)"
    assert any(caption.value == plain("Blurred: level 2.4 to 4.0 of 5") for caption in page.caption)
    assert {name: row["why"] for name, row in rows(page).items() if row["why"]} == {
        "0.jpg": "Looks blurred, about level 3 of 5 (93 % sure)",
        "1.jpg": "Looks noisy, about level 3 of 5 (93 % sure)",
    }
    assert {name: row["defect"] for name, row in rows(page).items() if row["defect"]} == {
        "0.jpg": "Blurred",
        "1.jpg": "Noisy",
    }
    page = opened_on(page, "3.jpg")
    assert not any("dark" in caption.value for caption in page.caption)


def test_of_a_weak_photo_without_a_certain_defect_the_page_says_so_and_where_to_look(page, asked, files, monkeypatch):
    page = bring(page, *files)
    for weak in (WORDS_OF_GRADES, ()):
        monkeypatch.setattr(details, "WEAK", weak)
        for file, said in SAID.items():
            page = opened_on(page, file)
            is_told = defects.NOT_CERTAIN in {caption.value for caption in page.caption}
            assert is_told == (bool(weak) and defects.claim(said) is None), file
    assert "Where does this score come from?" in {button.label for button in page.button}


def test_every_score_comes_before_the_first_diagnosis_and_no_photo_is_diagnosed_twice(page, asked, files, monkeypatch):
    order, original = [], Assessor.assess
    monkeypatch.setattr(Assessor, "assess", lambda self, photo: order.append(len(asked)) or original(self, photo))
    page = bring(page, *files)
    assert order == [0] * len(files)
    assert sorted(asked) == sorted(SAID)
    page.run()
    assert len(asked) == len(files)


def test_the_open_photo_is_diagnosed_next(page, asked, files, monkeypatch):
    monkeypatch.setattr(long_work, "SLICE", 0.0)  # one photo a slice
    page.file_uploader[0].set_value([(name, content, "image/jpeg") for name, content in files]).run()
    while not asked:
        page.run()
    other = next(name for name in reversed(SAID) if name not in asked)
    before = len(asked)
    page.session_state["sorter"] = {"opened": {"key": rows(page)[other]["key"], "neighbours": []}}
    page.run()  # the work comes before the move is taken
    page.run()
    assert other in asked[before : before + 2]


def test_a_search_that_is_cancelled_goes_on_when_it_is_asked_for(page, asked, files, monkeypatch):
    monkeypatch.setattr(long_work, "SLICE", 0.0)
    page.file_uploader[0].set_value([(name, content, "image/jpeg") for name, content in files]).run()
    while not asked:
        page.run()
    page.button(key="cancel_scoring").click().run()
    assert all(row["score"] for row in rows(page).values())
    left = len(files) - len(asked)
    assert 0 < left < len(files)
    assert page.warning[0].value == f"Cancelled: {left} of {len(files)} photos were not searched for defects."
    page.run()
    assert len(asked) == len(files) - left
    next(button for button in page.button if button.label == "Search the rest").click().run()
    settled(page)
    assert sorted(asked) == sorted(SAID)


def test_a_restart_loses_no_diagnosis_and_makes_none_again(page, asked, files):
    before = rows(bring(page, *files))
    assert sorted(asked) == sorted(SAID)
    again = restarted()
    assert {name: row["why"] for name, row in rows(again).items()} == {name: row["why"] for name, row in before.items()}
    assert len(asked) == len(files)


def test_a_filter_offers_the_defects_that_were_found_with_their_numbers(page, asked, files):
    page = bring(page, *files)
    choice = page.pills(key="filter_defects")
    assert choice.options == ["Blurred (1)", "Noisy (1)"]
    choice.set_value(["blurred"]).run()
    assert set(rows(page)) == {"0.jpg"}
    assert any(markdown.value == "**1 of 6**: blurred" for markdown in page.markdown)
    page.button(key="clear_filters").click().run()
    assert len(rows(page)) == 6


def test_where_nothing_was_found_no_filter_offers_it(page, asked, files):
    page = bring(page, files[4], files[5])
    assert "filter_defects" not in {pills.key for pills in page.pills}


def test_tables_hold_what_may_be_said_and_nothing_else(page, asked, files):
    session_scores, assessor = bring(page, *files).session_state["session_scores"], Assessor.load()
    photos = session_scores.photos.own
    found = {key: session_scores.find(photo, assessor) for key, photo in photos.items()}
    diagnosed = up_to_date(ranked(photos, found, Decisions()), Decisions(), lambda photo: SAID[photo.name])
    records = exports.records(diagnosed, session_scores, assessor)
    by_name = {record["file"]: record for record in records}
    fields = ("defect", "defect_probability", "defect_type", "defect_level", "defect_level_low", "defect_level_high")
    assert [by_name["0.jpg"][name] for name in fields] == ["blurred", 0.93, "kadid10k:GB", 3.2, 2.4, 4.0]
    assert [by_name["4.jpg"][name] for name in fields] == [NOTHING, 0.93, None, None, None, None]
    for name in ("2.jpg", "3.jpg", "5.jpg"):
        assert [by_name[name][field] for field in fields] == [None] * 6
    assert {record["defect_model"] for record in records} == {DEFAULT_GRAPH_MODEL}
    assert json.loads(tables.to_json(records)) == records
    parquet = pd.read_parquet(io.BytesIO(tables.to_parquet(records)))
    assert parquet["defect_level"].dtype == "Float64"
    csv = pd.read_csv(io.BytesIO(tables.to_csv(records)))
    assert list(csv["defect"].dropna()) == [record["defect"] for record in records if record["defect"]]


def test_a_graph_model_that_fails_leaves_the_scores_and_says_nothing(page, files, monkeypatch):
    def fail(self, source):
        raise CheckpointError("The model is damaged.")

    monkeypatch.setattr(Assessor, "diagnose", fail)
    page = bring(page, *files)
    assert all(row["score"] and not row["why"] for row in rows(page).values())
    assert not page.error


def test_a_photo_too_small_to_be_diagnosed_is_scored_all_the_same(page, asked):
    small = jpeg(np.ascontiguousarray(data.chelsea()[:100, :140]))
    page = bring(page, ("small.jpg", small))
    assert rows(page)["small.jpg"]["score"]
    assert not asked
    assert not page.warning


def test_samples_that_were_damaged_are_called_what_they_are_and_no_original_is_accused(page):
    said = {name: row["defect"] for name, row in rows(page).items() if row["defect"]}
    assert said.items() >= {"coffee, strong JPEG.jpg": "Compressed (blocky)", "cat, noisy.png": "Noisy"}.items()
    assert all(", " in name for name in said), "originals are called by one word, such as coffee.png"
