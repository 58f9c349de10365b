"""Near-duplicates and series of one scene: exact groups, and no split of one's own that separates them."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from metaiqa_core.databases import near_duplicates, series
from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.errors import PhotoError
from metaiqa_core.evaluation.protocols import random_folds


def test_an_even_picture_has_no_hash_so_that_two_walls_are_no_duplicates():
    assert near_duplicates.perceptual_hash(Image.new("RGB", (64, 64), "#808080")) is None
    assert near_duplicates.groups({"wall": None, "sky": None}) == []


@pytest.fixture(params=["all with all", "index"])
def way(request, monkeypatch):
    """Few hashes are all compared, many are looked up in an index; both must find the same."""
    monkeypatch.setattr(near_duplicates, "_FEW", 1500 if request.param == "all with all" else -1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=12))
@pytest.mark.usefixtures("way")
def test_groups_are_the_connected_components_of_the_close_pairs(hashes):
    found = near_duplicates.groups({str(index): value for index, value in enumerate(hashes)})
    # Independent truth: spread labels along close pairs until nothing changes.
    labels = list(range(len(hashes)))
    changed = True
    while changed:
        changed = False
        for i, a in enumerate(hashes):
            for j, b in enumerate(hashes):
                if (a ^ b).bit_count() <= near_duplicates.SAME_SCENE and labels[j] > labels[i]:
                    labels[j], changed = labels[i], True
    expected = [[str(i) for i, label in enumerate(labels) if label == group] for group in sorted(set(labels))]
    assert found == [group for group in expected if len(group) > 1]


def test_chains_of_close_pictures_are_one_group():
    near, between, far, other = 0, 2**10 - 1, 2**20 - 1, 2**64 - 1
    assert near_duplicates.groups({"a": near, "x": other, "c": far, "b": between}) == [["a", "c", "b"]]


def test_planted_neighbours_are_found_among_thousands_of_random_hashes():
    generator = np.random.default_rng(0)
    hashes = [int(value) for value in generator.integers(0, 2**64, 20_000, np.uint64)]
    planted = {}
    for index in range(0, 1000, 10):
        bits = generator.permutation(64)[: index // 10 % 13]  # 0 to 12 bits: the last two are too many
        hashes[index + 1] = hashes[index] ^ sum(1 << int(bit) for bit in bits)
        planted[index] = len(bits) <= near_duplicates.SAME_SCENE
    pairs = {tuple(group) for group in near_duplicates.groups({str(i): value for i, value in enumerate(hashes)})}
    assert {index: (str(index), str(index + 1)) in pairs for index in planted} == planted
    assert len(pairs) <= sum(planted.values()) + 12  # by chance, about two of 200 million pairs are near


def one_scene(count, most_bits):
    generator = np.random.default_rng(1)
    return [sum(1 << int(bit) for bit in generator.permutation(64)[: index % most_bits]) for index in range(count)]


def test_thousands_of_copies_and_of_pictures_of_one_scene_are_one_group(monkeypatch):
    monkeypatch.setattr(near_duplicates, "_EDGES_AT_ONCE", 1000)  # what is joined is summed up many times
    hashes = {str(index): value for index, value in enumerate([5] * 4000 + one_scene(2500, 5))}
    hashes["other"] = 2**64 - 1
    assert near_duplicates.groups(hashes) == [[key for key in hashes if key != "other"]]


def test_linked_photos_share_a_group_even_without_a_hash():
    hashes = {"a": 0, "night": None, "b": 2**64 - 1, "other": 2**32 - 1}
    assert near_duplicates.groups(hashes, [("b", "night"), ("night", "a")]) == [["a", "night", "b"]]


def pattern(seed):
    """A picture of large soft shapes, unlike that of any other seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((96, 96), Image.Resampling.BICUBIC), np.float32)


@pytest.fixture
def photos(tmp_path):
    """Two series of one scene and two single photos, numbered as they were taken; every score is another one."""
    pictures = {
        1: pattern(1),
        2: pattern(1) * 0.6,
        3: pattern(1) * 0.01,  # a night shot: too dark for a hash
        4: pattern(1) * 0.8 + 20,
        5: pattern(2),
        6: pattern(3),
        7: pattern(3) * 0.5 + 60,
        20: pattern(4),
        31: pattern(1),  # the first scene again, far away
    }
    for number, pixels in pictures.items():
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"ss01 ({number}).png")
    return tmp_path


def database_in(folder, **options):
    paths = sorted(folder.glob("*.png"), key=lambda path: len(path.name) * 1000 - path.stat().st_size)
    images = tuple(RatedImage(path, number / 10, number / 10) for number, path in enumerate(paths))
    return Database("BIQ2021", images, (0.0, 1.0), **options)


def by_number(database):
    numbers = [int(image.path.stem[6:-1]) for image in database]
    scenes = {}
    for number, group in zip(numbers, database.groups(), strict=True):
        scenes.setdefault(group, set()).add(number)
    return sorted(map(sorted, scenes.values()))


def test_photos_of_one_scene_share_a_group_and_so_does_what_lies_between_them(photos):
    assert by_number(database_in(photos, series=True)) == [[1, 2, 3, 4, 31], [5], [6, 7], [20]]


def test_without_series_only_identical_files_share_a_group(photos):
    assert by_number(database_in(photos)) == [[1, 31], [2], [3], [4], [5], [6], [7], [20]]


def test_no_random_split_separates_a_series(photos):
    database = database_in(photos, series=True)
    for fold in random_folds(database, range(20), test_share=0.4):
        names = [{int(database.images[i].path.stem[6:-1]) for i in part} for part in (fold.training, fold.test)]
        for scene in ({1, 2, 3, 4, 31}, {6, 7}):
            assert any(scene <= part for part in names)


def test_every_photo_is_decoded_once_until_its_file_changes(photos, monkeypatch):
    decoded = []
    original = series.decode
    monkeypatch.setattr(series, "decode", lambda path, **options: decoded.append(path) or original(path, **options))
    database = database_in(photos, series=True)
    database.groups()
    assert sorted(decoded) == sorted(photos.glob("*.png"))
    database.take([0, 1, 2]).groups()
    assert len(decoded) == 9
    changed = photos / "ss01 (7).png"
    Image.fromarray(pattern(9).astype(np.uint8)).save(changed)
    os.utime(changed, ns=(1, 1))
    assert [6] in by_number(database)
    assert decoded[9:] == [changed]


def test_photos_with_a_reference_keep_it_as_their_group(photos):
    database = database_in(photos, series=True)
    images = tuple(dataclasses.replace(image, reference="lake") for image in database)
    assert set(dataclasses.replace(database, images=images).groups()) == {"lake"}


def test_a_photo_of_a_series_that_cannot_be_read_is_one_sentence(tmp_path):
    path = tmp_path / "ss01 (1).jpg"
    path.write_bytes(b"no picture")
    database = Database("BIQ2021", (RatedImage(Path(path), 0.5, 0.5),), (0.0, 1.0), series=True)
    with pytest.raises(PhotoError, match=r"^ss01 \(1\)\.jpg is not a photo that can be read: "):
        database.groups()
