"""Re-synthesised databases: the same bytes however they are made, complete or marked incomplete, honestly labelled."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthesis_fixtures import write_photos

from metaiqa_core.databases.reading import read_database
from metaiqa_core.distortions import distort
from metaiqa_core.distortions.opinion_scores import opinion_of
from metaiqa_core.errors import DatabaseError
from metaiqa_core.progress import finish
from metaiqa_core.synthesis import SynthesisConfig, find_photos, select_references, synthesise
from metaiqa_core.synthesis.generation import image_seed

ROOT = Path(__file__).resolve().parents[1]
TINY = {"like": "kadid10k", "size": (128, 96), "smallest_size": (128, 96)}
TYPES = ("kadid10k:WN", "kadid10k:CB")  # both draw at random


def config(types=TYPES, levels=(1, 3), **changes):
    return SynthesisConfig(**{**TINY, "types": types, "levels": levels, **changes})


def make(photos, folder, wanted=None, workers=1, show=None):
    wanted = wanted or config()
    selection = finish(select_references(find_photos([photos]), wanted))
    return finish(synthesise(wanted, selection, folder, labels="means", workers=workers), show)


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return write_photos(tmp_path_factory.mktemp("synthesis") / "photos")


@pytest.fixture(scope="module")
def database(photos):
    folder = photos.parent / "database"
    make(photos, folder)
    return folder


def rows(folder):
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_two_processes_write_the_same_bytes_as_one(photos, database, tmp_path):
    steps = []
    done = make(photos, tmp_path / "other", workers=2, show=lambda progress: steps.append(progress))
    assert (done.images, done.made) == (8, 8)
    assert content(tmp_path / "other") == content(database)
    assert [step.step for step in steps if step.stage == "distorting"] == list(range(9))


def test_another_seed_draws_other_noise_and_leaves_the_labels(photos, database, tmp_path):
    make(photos, tmp_path / "other", config(seed=1))
    first, second = content(database), content(tmp_path / "other")
    images = [name for name in first if name.startswith("images/")]
    assert len(images) == 8
    assert all(first[name] != second[name] for name in images)
    assert first["scores.csv"] == second["scores.csv"]


def test_an_image_is_its_reference_distorted_by_its_type_at_its_level(database):
    for row in rows(database):
        reference = np.array(Image.open(database / "references" / f"{row['reference']}.png"))
        seed = image_seed(0, row["reference"], int(row["level"]))
        expected = distort(reference, row["type"], int(row["level"]), seed=seed, stretch=True)
        assert np.array_equal(np.array(Image.open(database / row["image"])), expected)


def test_types_and_photos_do_not_leak_into_each_other(photos, database, tmp_path):
    more = write_photos(tmp_path / "photos", count=3)
    done = make(more, tmp_path / "other", config(types=("kadid10k:CB",)))
    assert done.images == 6
    assert {row["type"] for row in rows(tmp_path / "other")} == {"kadid10k:CB"}
    alone, together = content(tmp_path / "other"), content(database)
    shared = [name for name in alone if name.startswith("images/") and name in together]
    assert sorted(shared) == sorted(f"images/scene-{n}_23_{level}.png" for n in (1, 2) for level in (1, 3))
    assert all(alone[name] == together[name] for name in shared)


def test_levels_draw_their_noise_afresh(database):
    first, third = (np.array(Image.open(database / f"images/scene-1_23_{level}.png")).astype(int) for level in (1, 3))
    reference = np.array(Image.open(database / "references/scene-1.png"))
    stretched = distort(reference, "kadid10k:MS", 3, stretch=True)  # a shift by nothing
    changed = [(image != stretched).any(axis=-1) for image in (first, third)]
    assert changed[0].any()
    assert (changed[0] & ~changed[1]).any()  # level 3 does not just add blocks to those of level 1


def test_finished_images_are_not_made_again(photos, database, tmp_path):
    shutil.copytree(database, tmp_path / "database")
    lost = tmp_path / "database" / "images" / "scene-2_11_3.png"
    lost.unlink()
    before = {path: path.stat().st_mtime_ns for path in lost.parent.iterdir()}
    done = make(photos, tmp_path / "database")
    assert (done.images, done.made) == (8, 1)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert content(tmp_path / "database") == content(database)


WHOLE_RUN = """
import sys, pathlib
from metaiqa_core.progress import finish
from metaiqa_core.synthesis import SynthesisConfig, find_photos, select_references, synthesise
config = SynthesisConfig("kadid10k", types=tuple(sys.argv[3:]), size=(128, 96), smallest_size=(128, 96))
selection = finish(select_references(find_photos([pathlib.Path(sys.argv[1])]), config))
finish(synthesise(config, selection, pathlib.Path(sys.argv[2]), labels="means", workers=2))
"""


def test_a_killed_run_goes_on_with_the_same_bytes_and_nothing_done_twice(photos, tmp_path):
    folder = tmp_path / "database"
    types = ("kadid10k:GB", "kadid10k:WN", "kadid10k:IN", "kadid10k:MN", "kadid10k:CB", "kadid10k:NEP")
    command = [sys.executable, "-c", WHOLE_RUN, str(photos), str(folder), *types]
    process = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    deadline = time.monotonic() + 300  # loaded machines take long to start Python
    while len(list((folder / "images").glob("[!.]*.png"))) < 3 and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)  # the parent alone: its workers have to notice
    process.communicate()  # ends when the last of them has closed the pipe
    (folder / "images" / ".scene-1_01_1.png.cut-off.png").write_bytes(b"half an image")
    made = {path: path.stat().st_mtime_ns for path in (folder / "images").glob("[!.]*.png")}
    assert 3 <= len(made) < 60
    assert not (folder / "database.json").exists()

    wanted = config(types=types, levels=(1, 2, 3, 4, 5))
    done = make(photos, folder, wanted)
    assert done.made == 60 - len(made)
    assert {path: path.stat().st_mtime_ns for path in made} == made
    make(photos, tmp_path / "at-once", wanted)
    assert content(folder) == content(tmp_path / "at-once")


def test_a_cancelled_run_is_not_marked_complete_and_leaves_no_halves(photos, tmp_path):
    selection = finish(select_references(find_photos([photos]), config()))
    work = synthesise(config(), selection, tmp_path / "database", labels="means", workers=1)
    for progress in work:
        if progress.stage == "distorting" and progress.step == 3:
            work.close()
    names = {path.name for path in (tmp_path / "database").rglob("*") if path.is_file()}
    assert {"database.json", "scores.csv"} & names == set()
    assert len([name for name in names if "_" in name]) == 3
    assert not [name for name in names if name.startswith(".")]


def test_the_csv_reader_reads_it_with_its_name_types_and_levels(database):
    read = read_database(database / "scores.csv", mos_range=(1, 5))
    assert len(read) == 8
    assert {(image.distortion_type, image.level) for image in read} == {(t, level) for t in TYPES for level in (1, 3)}
    assert set(read.groups()) == {"scene-1", "scene-2"}
    for image in read:
        entry = next(entry for entry in config().distortions if entry.key == image.distortion_type)
        assert image.unit_score == pytest.approx(opinion_of(entry, image.level).mean, abs=1e-5)


def test_labels_fall_with_the_level_and_say_where_they_come_from(database):
    labels = {(row["type"], row["level"]): row for row in rows(database)}
    for key in TYPES:
        assert float(labels[key, "1"]["mos"]) > float(labels[key, "3"]["mos"])
    assert {row["label_source"] for row in rows(database)} == {"means"}
    assert all(0 < float(row["mos_std"]) < 1.5 for row in rows(database))


def test_the_description_names_the_resynthesis_and_its_scale(database):
    description = json.loads((database / "database.json").read_text(encoding="utf-8"))
    wanted = {"name": "kadid10k-style", "raw_range": [1.0, 5.0], "like": "kadid10k", "seed": 0, "labels": "means"}
    assert description.items() >= wanted.items()
    assert description["windows"]["scene-1"]["photo"] == "scene-1.png"


def refusal(work):
    with pytest.raises(DatabaseError) as caught:
        finish(work)
    return str(caught.value)


def test_a_folder_of_another_recipe_is_refused(photos, database):
    before = content(database)
    selection = finish(select_references(find_photos([photos]), config(seed=2)))
    assert refusal(synthesise(config(seed=2), selection, database, labels="means")) == (
        f"{database} holds images of another seed, size, set of photos or version of the program: "
        "choose another --output, or delete that folder."
    )
    assert content(database) == before


def test_a_folder_with_other_things_is_refused(photos, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    selection = finish(select_references(find_photos([photos]), config()))
    assert refusal(synthesise(config(), selection, tmp_path, labels="means")) == (
        f"{tmp_path} is not empty and holds no recipe.json: choose a new folder for the images."
    )


def test_a_disk_without_room_is_refused_before_anything_is_written(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9 - 10**5, 10**5))
    selection = finish(select_references(find_photos([photos]), config()))
    folder = tmp_path / "new" / "database"
    assert refusal(synthesise(config(), selection, folder, labels="means")) == (
        # 8 images and 2 references of 128x96 pixels at 2.2 bytes
        f"The images need about 270.3 kB, but the disk of {folder} has 100.0 kB free: "
        "free some, choose another folder, or make fewer types, levels or photos."
    )
    assert not folder.parent.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"like": "live"}, "like must be kadid10k or tid2013, got 'live'"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"levels": (3, 1)}, "levels must be different ones of 1 to 5 in ascending order, got (3, 1)"),
        ({"levels": ()}, "levels must be different ones of 1 to 5 in ascending order, got ()"),
        ({"types": ("tid2013:GB",)}, "tid2013:GB is no type of kadid10k"),
        ({"size": (32, 32)}, "no side of a window may be below 64 pixels, got (32, 32)"),
        ({"like": "tid2013", "types": ()}, "the windows of tid2013-kodak are 512x384: people scored no others"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(changes, sentence):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        config(**changes)
    assert str(caught.value) == sentence
