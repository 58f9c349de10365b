"""Ratings and tastes come back from the disk as they were, and damaged files are explained."""

import json

import numpy as np
import pytest

from metaiqa_core.errors import TasteError
from metaiqa_core.taste.ratings import Choice, Ratings, Star
from metaiqa_core.taste.ratings_file import from_csv_text, read_ratings, to_csv_text
from metaiqa_core.taste.record import KeptPhoto, TasteRecord
from metaiqa_core.taste.store import TasteFolder, TasteStore

A, B = "a" * 64, "b" * 64


def test_a_later_rating_replaces_and_undo_brings_the_earlier_one_back():
    ratings = Ratings.of([Star("x", 2), Choice("x", "y"), Choice("y", "x"), Star("x", 5)])
    assert ratings.stars == {"x": 5}
    assert ratings.choices == (Choice("y", "x"),)
    assert (len(ratings), ratings.photos) == (2, ("x", "y"))
    assert ratings.without_last().stars == {"x": 2}
    assert len(Ratings().without_last()) == 0
    assert ratings.without_photo("x").given == ()


@pytest.mark.parametrize("stars", [0, 6, -1])
def test_stars_out_of_range_are_refused(stars):
    with pytest.raises(ValueError, match="stars must be a whole number from 1 to 5"):
        Star("x", stars)


def test_ratings_come_back_from_csv_and_leave_no_formula():
    ratings = Ratings.of([Star("=1+1.jpg", 4), Star("b, c.jpg", 1), Choice("=1+1.jpg", "ü\n.jpg")])
    text = to_csv_text(ratings)
    assert "\n=1" not in text
    assert ",=1" not in text
    assert from_csv_text(text, "r.csv").given == ratings.given


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.csv holds no ratings: expected a header line with the columns image and stars, or better and worse"),
        ("name,mos\na,3\n", "found name, mos"),
        ("image,stars\na.jpg,6\n", "r.csv, line 2: stars must be a whole number from 1 to 5, got '6'"),
        ("image,stars\n,3\n", "r.csv, line 2: no photo is named under image"),
        ("better,worse\na.jpg,\n", "r.csv, line 2: a choice needs two different photos"),
        ("better,worse\na.jpg,a.jpg\n", "a choice needs two different photos"),
    ],
)
def test_a_file_that_holds_no_ratings_says_why(text, message):
    with pytest.raises(TasteError, match=message):
        from_csv_text(text, "r.csv")


def test_a_missing_or_binary_file_of_ratings_says_why(tmp_path):
    with pytest.raises(TasteError, match="There is no file"):
        read_ratings(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TasteError, match=r"binary.csv cannot be read as a CSV file"):
        read_ratings(tmp_path / "binary.csv")


def test_a_taste_comes_back_as_it_was_left(tmp_path):
    store = TasteStore(tmp_path)
    folder = store.create("Mine: évening", "some-model")
    record = TasteRecord(
        "Mine: évening", (KeptPhoto(A, "a.jpg"), KeptPhoto(B, "a.jpg")), skipped=((A,), (A, B)), model="some-model"
    ).with_ratings(Ratings.of([Star(A, 3), Choice(A, B)]))
    folder.save(record)
    seen = np.arange(5, dtype=np.float32)
    folder.add_picture(record.photos[0], b"jpeg")
    folder.keep_seen(A, "0123", seen)
    found = TasteStore(tmp_path).list()["Mine: évening"]
    assert found.read() == record
    assert found.picture(A) == b"jpeg"
    assert found.picture(B) is None
    assert found.seen(A, "0123", 5).tolist() == seen.tolist()
    assert found.seen(A, "0123", 6) is None
    assert found.seen(A, "4567", 5) is None
    assert record.names() == {A: "a.jpg", B: "a (2).jpg"}


def test_creating_a_taste_twice_keeps_its_ratings(tmp_path):
    store = TasteStore(tmp_path)
    folder = store.create("mine")
    folder.save(folder.read().with_ratings(Ratings.of([Star(A, 3)])))
    assert len(store.create("mine").read().ratings) == 1


def test_removing_a_photo_removes_its_copies_and_ratings(tmp_path):
    folder = TasteStore(tmp_path).create("mine")
    photos = (KeptPhoto(A, "a.jpg"), KeptPhoto(B, "b.jpg"))
    folder.save(TasteRecord("mine", photos).with_ratings(Ratings.of([Star(A, 3), Star(B, 4), Choice(A, B)])))
    folder.add_picture(photos[0], b"jpeg")
    folder.keep_seen(A, "0123", np.zeros(3, np.float32))
    left = folder.remove_photo(folder.read(), A)
    assert folder.read() == left
    assert (left.photos, left.ratings.given) == ((photos[1],), (Star(B, 4),))
    assert not list((folder.folder / "photos").iterdir())


def test_a_deleted_taste_is_gone(tmp_path):
    folder = TasteStore(tmp_path).create("mine")
    folder.delete()
    assert TasteStore(tmp_path).list() == {}
    assert not folder.folder.exists()


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        json.dumps({"name": "x", "photos": [{"key": "../" * 20 + "etcd", "name": "x"}]}),
        json.dumps({"name": "x", "said": [{"photo": A, "stars": 9}]}),
        json.dumps({"name": "x", "said": [{"better": A, "worse": A}]}),
        json.dumps({"name": "x", "version": 2}),
        json.dumps({"name": "x", "unknown": 1}),
    ],
)
def test_a_damaged_or_hostile_record_is_explained_and_left_out_of_the_list(tmp_path, content):
    folder = TasteStore(tmp_path).create("good")
    bad = TasteFolder(tmp_path / "bad")
    bad.folder.mkdir()
    (bad.folder / "taste.json").write_text(content)
    with pytest.raises(TasteError, match="cannot be read"):
        bad.read()
    assert list(TasteStore(tmp_path).list()) == ["good"]
    assert folder.read().name == "good"
