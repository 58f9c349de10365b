"""The score page, headless, alone and in the app's frame: what people bring gets an answer, and keeps it."""

import json
from dataclasses import replace

import pytest
from page_fixtures import ROOT, cat_jpeg, jpeg, tiny_default  # noqa: F401
from skimage import data
from streamlit.testing.v1 import AppTest

from metaiqa_core.assess import TILE, Assessor
from metaiqa_core.assessment import QualityMap, word_of
from metaiqa_core.models.model_files import DEFAULT_MODEL
from metaiqa_core.preprocessing import tiles
from pages.scoring.reading import Reading
from pages.shared import long_work, samples
from pages.shared.plain import plain

pytestmark = pytest.mark.usefixtures("tiny_default")
DECISIONS = {"k": "keep", "r": "reject", "u": "undecided"}
ENTRIES = [ROOT / "pages" / "score_photos.py", ROOT / "app.py"]


def opened(entry=ENTRIES[0]):
    page = AppTest.from_file(str(entry), default_timeout=120).run()
    return settled(page)


def settled(page):
    """Go on until nothing waits; a browser's timer does this by itself."""
    for _ in range(100):
        assert not page.exception
        if not page.button or not any(button.key == "cancel_scoring" for button in page.button):
            return page
        page.run()
    raise AssertionError("scoring never ends")


def bring(page, *files):
    page.file_uploader[0].set_value([(name, content, "image/jpeg") for name, content in files]).run()
    return settled(page)


def sorter(page):
    """What the page's photos are drawn from, as the browser gets it."""
    [sent] = [json.loads(e.proto.json) for e in page.get("bidi_component") if e.proto.component_name == "sorter"]
    for photo, letter in zip(sent["photos"] or (), sent["decisions"], strict=False):
        photo["decision"] = DECISIONS[letter]
    return sent


def rows(page):
    return {photo["name"]: photo for photo in sorter(page)["photos"]}


def acted(page, **sent):
    """Let the browser send moves, the open photo or ticks."""
    page.session_state["sorter"] = sent
    return settled(page.run())


def results_of(page):
    kept = page.session_state["session_scores"].results
    return {key[0].split(" ", 1)[1]: result for key, result in kept.items()}


def reading(page):
    """Score, grade and sentence beside the open photo."""
    sent = sorter(page)
    return sent["reading"] or next(photo for photo in sent["photos"] if photo["key"] == sent["open"]["key"])


@pytest.mark.parametrize("entry", ENTRIES, ids=["alone", "in the app"])
def test_the_page_starts_alive_with_every_sample_scored_and_the_first_one_open(entry):
    page = opened(entry)
    assert set(rows(page)) == set(samples.NAMES)
    assert all(row["status"] == word_of(float(row["score"])) for row in rows(page).values())
    first = results_of(page)[samples.NAMES[0]].assessment
    assert reading(page)["score"] == f"{first.score:.1f}"
    assert not page.error


def test_an_uploaded_photo_gets_the_same_bits_as_the_assessor_gives(cat_jpeg):  # noqa: F811
    page = bring(opened(), ("cat.jpg", cat_jpeg))
    expected = Assessor.load().assess(cat_jpeg)
    assert results_of(page)["cat.jpg"].assessment == expected
    assert reading(page)["score"] == f"{expected.score:.1f}"
    assert reading(page)["sentence"] == f"Better than {min(expected.percentile, 99):.0f} of 100 tiny photos"
    assert "filter_words" not in {pills.key for pills in page.pills}, "a single photo needs no filter"


def test_no_photo_is_better_than_all_of_a_hundred(cat_jpeg):  # noqa: F811
    best = replace(Assessor.load().assess(cat_jpeg), percentile=99.9)
    assert Reading.percentile(best) == "Better than 99 of 100 tiny photos"
    assert Reading.percentile(replace(best, percentile=71.2)) == "Better than 71 of 100 tiny photos"


def test_a_broken_file_becomes_a_row_with_its_reason_and_the_others_keep_their_scores(cat_jpeg):  # noqa: F811
    page = bring(opened(), ("cut.jpg", cat_jpeg[:3000]), ("cat.jpg", cat_jpeg), ("list.txt", b"milk, eggs"))
    table = rows(page)
    assert table["cat.jpg"]["score"] == f"{Assessor.load().assess(cat_jpeg).score:.1f}"
    assert [table[name]["status"] for name in ("cut.jpg", "list.txt")] == ["Failed", "Failed"]
    assert table["cut.jpg"]["remark"] == (
        "cut.jpg is damaged or cut off and cannot be decoded: copy or export it again."
    )
    assert "list.txt" in table["list.txt"]["remark"]


def test_a_files_name_stands_once_in_its_error(cat_jpeg):  # noqa: F811
    page = bring(opened(), ("trip/cut.jpg", cat_jpeg[:3000]), ("trip/cat.jpg", cat_jpeg))
    [told] = [markdown.value for markdown in page.markdown if "damaged" in markdown.value]
    assert told == plain("trip/cut.jpg is damaged or cut off and cannot be decoded: copy or export it again.")
    assert rows(page)["cut.jpg"]["sentence"].count("cut.jpg") == 1
    assert not page.error, "the reason stands beside the photo and in the list of failures, and nowhere else"


def test_results_survive_a_visit_to_another_page_and_are_not_computed_again(cat_jpeg, monkeypatch):  # noqa: F811
    page = bring(opened(ROOT / "app.py"), ("cat.jpg", cat_jpeg))
    before = results_of(page)["cat.jpg"]
    monkeypatch.setattr(Assessor, "assess", None)  # any further call would fail
    page.switch_page("pages/about.py").run()
    assert page.title[0].value == "About"
    page.switch_page("pages/score_photos.py").run()
    assert not page.exception
    assert results_of(page)["cat.jpg"] is before
    assert reading(page)["score"] == f"{before.assessment.score:.1f}"


def test_cancel_leaves_the_rest_unscored_until_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(long_work, "SLICE", 0.0)  # one photo a slice
    page = opened()
    files = [(f"{number}.jpg", jpeg(data.chelsea()[:, number * 8 :])) for number in range(6)]
    page.file_uploader[0].set_value([(name, content, "image/jpeg") for name, content in files]).run()
    page.button(key="cancel_scoring").click().run()
    waiting = [row for row in rows(page).values() if row["status"] == "Waiting"]
    assert waiting
    assert page.warning[0].value == f"Cancelled: {len(waiting)} of 6 photos are not scored."
    page.run()
    assert len([row for row in rows(page).values() if row["status"] == "Waiting"]) == len(waiting)
    next(button for button in page.button if button.label == "Score the rest").click().run()
    assert all(row["status"] != "Waiting" for row in rows(settled(page)).values())


def test_a_large_photo_is_read_at_full_size_tile_by_tile():
    photo = jpeg(data.retina()[:1100, :1100])
    page = bring(opened(), ("eye.jpg", photo))
    page.segmented_control(key="reading").set_value("Zoomed in").run()
    page.button(key="start_quality_map").click().run()
    for _ in range(100):
        if page.session_state["session_scores"].quality_maps:
            break
        page.run()
    [quality] = page.session_state["session_scores"].quality_maps.values()
    assert quality == Assessor.load().assess(photo, at_full_size=True).at_full_size
    assert len(quality.scores) == 9
    assert reading(page.run())["score"] == f"{quality.score:.1f}"


def test_the_worst_place_is_looked_for_where_it_is_asked_for_and_never_unasked():
    page = bring(opened(), ("eye.jpg", jpeg(data.retina()[:1100, :1100])))
    maps = page.session_state["session_scores"].quality_maps
    page.run()
    assert not maps
    assert page.segmented_control(key="reading").value == "Whole photo"
    assert page.button(key="start_quality_map").label == "Show the worst place (9 tiles)"
    page.button(key="start_quality_map").click().run()
    for _ in range(100):
        if maps:
            break
        page.run()
    page.run()
    assert len(maps) == 1
    assert "start_quality_map" not in {button.key for button in page.button}
    assert told_of_the_worst(page) != ([], [])


def told_of_the_worst(page):
    """Captions of the worst place, and sentences on why none is shown."""
    shown = [image.caption for element in page.get("image") for image in element.proto.imgs]
    return shown, [caption.value for caption in page.caption if caption.value.startswith("No place is clearly worse")]


def test_the_worst_place_is_shown_only_where_it_is_much_worse_than_the_photo():
    page = bring(opened(), ("eye.jpg", jpeg(data.retina()[:1100, :1100])))
    session_scores, assessor = page.session_state["session_scores"], Assessor.load()
    [photo], boxes = session_scores.photos.own.values(), tuple(tiles(1100, 1100, TILE))
    half_width = assessor.card.calibration.half_width
    for lowest, captions, sentences in (
        (80.0 - half_width / 2, [], ["No place is clearly worse than the rest"]),
        (79.0 - 2 * half_width, ["The worst place, pixel for pixel"], []),
    ):
        quality = QualityMap(boxes, (*[80.0] * (len(boxes) - 1), lowest))
        session_scores.keep_quality_map(photo, assessor, quality)
        page.run()
        found, told = told_of_the_worst(page)
        assert [caption.partition(":")[0] for caption in found] == captions
        assert [sentence.partition(":")[0] for sentence in told] == sentences
    assert "lower right" in found[0]


def test_filters_keep_what_passes(cat_jpeg):  # noqa: F811
    page = opened()
    word = next(iter(rows(page).values()))["status"]
    page.pills(key="filter_words").set_value([word]).run()
    assert {row["status"] for row in rows(page).values()} == {word}
    page.pills(key="filter_words").set_value([]).run()
    page.toggle(key="filter_best").set_value(True).run()
    assert len(rows(page)) == 5, "five scenes, each with its best version"


def test_removing_photos_brings_the_samples_back(cat_jpeg):  # noqa: F811
    page = bring(opened(), ("cat.jpg", cat_jpeg))
    page.button(key="clear").click().run()
    assert set(rows(settled(page))) == set(samples.NAMES)
    assert "cat.jpg" not in results_of(page)


def test_a_missing_model_is_one_sentence(tiny_default):  # noqa: F811
    for file in tiny_default.iterdir():
        file.unlink()
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not page.exception
    name = DEFAULT_MODEL.replace("-", r"\-")
    assert page.error[0].value.startswith(rf"The weights file {name}\.safetensors cannot be opened")


def test_an_unexpected_failure_is_a_sentence_too_and_logged(monkeypatch, caplog, cat_jpeg):  # noqa: F811
    def fail(self, source):
        raise ZeroDivisionError("secret detail")

    page = opened()
    monkeypatch.setattr(Assessor, "assess", fail)
    bring(page, ("odd.jpg", cat_jpeg))
    assert results_of(page)["odd.jpg"].error.startswith("Something unexpected went wrong")
    assert not any("secret detail" in json.dumps(str(element)) for element in page.error)
    assert "secret detail" in caplog.text
