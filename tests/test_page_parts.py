"""The parts that the photo pages are made of, on their own."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_fixtures import cat_jpeg, jpeg, tiny_default  # noqa: F401
from PIL import Image
from skimage import data
from skimage.color import rgb2lab

from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import WORDS, QualityMap
from metaiqa_core.databases import near_duplicates
from metaiqa_core.images import decode
from metaiqa_core.preprocessing import Box, tiles
from metaiqa_core.sorting import tables
from metaiqa_core.sorting.decisions import Decisions
from pages.scoring import exports, quality_map, worst_place
from pages.scoring.rows import ranked
from pages.shared import previews, samples
from pages.shared.palette import colour_of, colour_of_word, rgb_of, text_colour_on
from pages.shared.photo_library import PhotoLibrary
from pages.shared.plain import plain
from pages.shared.session_scores import SessionScores

# How a dichromat sees linear RGB. Source: Viénot, Brettel, Mollon, Digital video colourmaps for checking the legibility
# of displays by dichromats, Color Research and Application 24 (1999), for red-green blindness; tritanopia as an
# approximation in the same form (the blue-yellow axis collapses onto the others).
DICHROMATS = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    "tritanopia": [[1, 0.1462, -0.1462], [0, 0.8509, 0.1491], [0, 0.8509, 0.1491]],
}


def seen_by(matrix, colour):
    linear = (np.array(colour) / 255) ** 2.2
    return (np.clip(matrix @ linear, 0, 1) ** (1 / 2.2))[None, None]


@pytest.mark.parametrize("kind", DICHROMATS)
def test_the_grades_stay_apart_in_every_kind_of_colour_blindness(kind):
    matrix = np.array(DICHROMATS[kind])
    colours = [rgb2lab(seen_by(matrix, rgb_of(20 * grade + 10)))[0, 0] for grade in range(5)]
    distances = [np.linalg.norm(a - b) for i, a in enumerate(colours) for b in colours[i + 1 :]]
    assert min(distances) > 15  # a just noticeable difference is about 2.3


@given(st.floats(0, 100))
def test_text_on_a_quality_colour_is_legible(score):
    background = colour_of(score)

    def luminance(colour):
        channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    light, dark = sorted((luminance(background), luminance(text_colour_on(background))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, level AA
    assert rgb_of(score) == tuple(int(background[i : i + 2], 16) for i in (1, 3, 5))


def test_a_word_has_the_colour_of_the_middle_of_its_grade():
    assert [colour_of_word(word) for word in WORDS] == [colour_of(score) for score in (10, 30, 50, 70, 90)]


def test_samples_are_the_same_bytes_every_time_and_all_different():
    first = {name: samples.content(name) for name in samples.NAMES}
    samples.content.cache_clear()
    assert first == {name: samples.content(name) for name in samples.NAMES}
    assert len(set(first.values())) == len(first)


def test_samples_and_their_damaged_versions_are_near_duplicates_and_different_scenes_are_not():
    hashes = {name: near_duplicates.perceptual_hash(previews.opened(samples.content(name))) for name in samples.NAMES}
    found = near_duplicates.groups(hashes)
    assert [{name.split(".")[0].split(",")[0] for name in group} for group in found] == [
        {"coffee"}, {"astronaut"}, {"cat"}, {"rocket"}, {"motorcycle"},
    ]  # fmt: skip
    assert sum(map(len, found)) == len(samples.NAMES)


@pytest.mark.parametrize("pixels", [np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8), data.coffee()])
def test_a_thumbnail_fits_into_16_kb(pixels):
    assert len(previews.thumbnail(Image.fromarray(pixels))) <= 16_000


def test_a_preview_keeps_the_photos_shape_after_a_reduced_decode():
    pixels = np.zeros((1501, 4001, 3), np.uint8)
    photo = decode(jpeg(pixels), minimum_short_side=160)
    assert photo.pixels.shape[1] < 4001
    assert previews.fitted(photo, 400).size == (400, 150)


def test_the_map_tints_each_part_of_the_photo_by_its_tiles_score():
    boxes = tiles(1000, 500, 500)
    grey = Image.new("RGB", (100, 50), "#000000")
    drawn = np.asarray(quality_map.draw(grey, QualityMap(tuple(boxes), (0.0, 100.0)), (1000, 500)))
    share = drawn[5, 5] / np.array(rgb_of(0))
    np.testing.assert_allclose(drawn[5, 5], np.array(rgb_of(0)) * share.mean(), atol=1.5)
    np.testing.assert_allclose(drawn[5, 95], np.array(rgb_of(100)) * share.mean(), atol=1.5)
    assert (drawn[2, :49] == drawn[2, 0]).all()
    assert (drawn[2, 51:] == drawn[2, 99]).all()


def test_the_worst_place_is_the_middle_of_its_tile():
    assert worst_place.middle_of(Box(500, 50, 500, 200)) == Box(600, 50, 300, 200)
    assert worst_place.middle_of(Box(0, 0, 280, 120)) == Box(0, 0, 280, 120)


def test_the_position_of_the_worst_place_is_named_by_ninths_of_the_photo():
    size = (3000, 1500)
    middles = [(500, 250), (1500, 250), (2500, 250), (500, 750), (1500, 750), (2500, 750), (500, 1250), (1500, 1250)]
    named = [worst_place.position_in_words(Box(x - 100, y - 100, 200, 200), size) for x, y in middles]
    assert named == ["upper left", "top", "upper right", "left", "centre", "right", "lower left", "bottom"]
    assert worst_place.position_in_words(Box(2800, 1300, 200, 200), size) == "lower right"


@pytest.mark.parametrize(("scores", "matters"), [((80, 80, 20), True), ((60, 55, 50), False), ((30, 30, 30), False)])
def test_a_place_is_the_worst_only_where_it_differs_by_more_than_a_score_is_uncertain(scores, matters):
    boxes = tuple(tiles(1500, 500, 500))
    assert worst_place.worst_matters(QualityMap(boxes, scores), half_width=15.0) is matters


@given(st.text(max_size=40))
def test_a_file_name_never_acts_as_markdown(name):
    shown = plain(name)
    for mark in "`*_[]<>#!:":
        assert all(shown[index - 1] == "\\" for index, character in enumerate(shown) if character == mark and index)
        assert not shown.startswith(mark)
    assert "\n" not in shown


@pytest.fixture
def scored(tiny_default, cat_jpeg):  # noqa: F811
    """A library of two versions of a photo, another one, and a broken file, scored by the tiny model."""
    assessor, session_scores = Assessor.load(), SessionScores(PhotoLibrary())
    files = {
        "cat.jpg": cat_jpeg,
        "cat 2.jpg": jpeg(data.chelsea(), 30),
        "cup, ö.jpg": jpeg(data.coffee()),
        "no.jpg": b"x",
    }
    for name, content in files.items():
        session_scores.of(session_scores.photos.add(name, content), assessor)
    found = {key[0]: result for key, result in session_scores.results.items()}
    return ranked(session_scores.photos.own, found, Decisions()), session_scores, assessor


def test_rows_are_ranked_with_failures_last_and_the_best_of_each_group_marked(scored):
    rows, _, _ = scored
    assert [row.photo.name for row in rows][-1] == "no.jpg"
    scores = [row.score for row in rows[:-1]]
    assert scores == sorted(scores, reverse=True)
    cats = [row for row in rows if row.stack]
    assert {row.photo.name for row in cats} == {"cat.jpg", "cat 2.jpg"}
    assert [row.best for row in cats] == [True, False]
    assert [row.stack for row in rows if "cup" in row.photo.name] == [0]


def test_every_export_holds_the_same_rows_with_model_preprocessing_and_version(scored):
    rows, session_scores, assessor = scored
    records = exports.records(rows, session_scores, assessor)
    assert json.loads(tables.to_json(records)) == records
    parquet = pd.read_parquet(io.BytesIO(tables.to_parquet(records)))
    csv = pd.read_csv(io.BytesIO(tables.to_csv(records)))
    for table in (parquet, csv):
        assert list(table["file"]) == [row.photo.name for row in rows]
        np.testing.assert_allclose(table["score"].astype(float)[:-1], [row.score for row in rows[:-1]], rtol=1e-12)
        assert pd.isna(table["score"].iloc[-1])
        assert table["error"].iloc[-1] == rows[-1].result.error
        assert set(table["model_sha256"]) == {assessor.card.sha256}
        assert set(table["metaiqa_version"]) == {"0.1.0"}
        assert json.loads(table["preprocessing"].iloc[0]) == assessor.preprocessing.to_dict()


def test_the_library_gives_back_what_it_took_in_and_forgets_on_demand(cat_jpeg):  # noqa: F811
    photos = PhotoLibrary()
    first, again, copy = (photos.add(name, cat_jpeg) for name in ("cat.jpg", "cat.jpg", "copy.jpg"))
    assert first == again
    assert list(photos.own.values()) == [first, copy]
    other = photos.add("x.bin", b"other")
    assert [photos.content(photo) for photo in (other, first, copy)] == [b"other", cat_jpeg, cat_jpeg]
    photos.clear()
    assert not photos.own
    assert photos.content(photos.add("x.bin", b"other")) == b"other"


def test_a_guest_is_no_photo_of_the_session(cat_jpeg):  # noqa: F811
    photos = PhotoLibrary()
    guest = photos.add_guest("database/cat.jpg", cat_jpeg)
    assert (guest.origin, photos.content(guest)) == ("guest", cat_jpeg)
    assert guest.key not in photos.photos()
    own = photos.add("cat.jpg", cat_jpeg)
    assert photos.add_guest("cat.jpg", cat_jpeg) is own
    assert list(photos.guests) == [guest.key]
    photos.clear()
    assert not photos.guests
