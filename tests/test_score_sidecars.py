"""`score --write-xmp`: stars beside the photos, and what was there before stays."""

import contextlib
import json
import shutil
from pathlib import Path

import pytest
from page_fixtures import jpeg
from test_sorting_files import DARKTABLE, read_back
from tiny_fixtures import photo_pixels

from metaiqa_core import __version__
from metaiqa_core.assessment import WORDS
from metaiqa_core.commands.score_journal import ScoreJournal


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(photo_pixels(number)))
    return tmp_path


@pytest.fixture
def score(run, tiny_checkpoint):
    return lambda *words: run("score", *words, "--model", tiny_checkpoint, "--format", "json")


def sidecars_in(folder):
    return {file.name for file in folder.rglob("*.xmp")}


def test_each_photo_gets_the_stars_of_its_grade(score, folder):
    status, out, err = score(folder, "--write-xmp")
    assert (status, err) == (0, "")
    for row in json.loads(out):
        stars, label, written = read_back((folder / f"{Path(row['file']).name}.xmp").read_bytes())
        assert (stars, label) == (str(WORDS.index(row["word"]) + 1), None)
        assert float(written) == pytest.approx(row["score"], abs=0.0051)
    assert sidecars_in(folder) == {"0.jpg.xmp", "1.jpg.xmp", "2.jpg.xmp"}


def test_without_the_option_nothing_is_written(score, folder):
    assert score(folder)[0] == 0
    assert not sidecars_in(folder)


def test_stars_of_somebody_else_stay_and_are_told_until_they_may_be_replaced(score, folder):
    (folder / "1.jpg.xmp").write_text(DARKTABLE % "5")
    status, _, err = score(folder, "--write-xmp")
    assert status == 0
    assert "kept the stars that somebody else gave in 1 sidecar (1.jpg.xmp): --replace-stars would replace them" in err
    assert (folder / "1.jpg.xmp").read_text() == DARKTABLE % "5"
    assert score(folder, "--write-xmp", "--replace-stars")[0] == 0
    assert b'darktable:history_end="7"' in (folder / "1.jpg.xmp").read_bytes()
    assert read_back((folder / "1.jpg.xmp").read_bytes())[2] is not None


def test_a_damaged_sidecar_is_one_sentence_and_the_status_and_the_rows_are_still_there(score, folder):
    (folder / "1.jpg.xmp").write_text("stars!")
    status, out, err = score(folder, "--write-xmp")
    assert (status, len(json.loads(out))) == (1, 3)
    assert "1.jpg.xmp stays as it is, since it is no well-formed XML" in err
    assert (folder / "1.jpg.xmp").read_text() == "stars!"
    assert "0.jpg.xmp" in sidecars_in(folder)


def test_a_photo_that_cannot_be_read_gets_no_sidecar(score, folder):
    (folder / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    assert score(folder, "--write-xmp")[0] == 1
    assert "cut.jpg.xmp" not in sidecars_in(folder)


def test_a_way_of_naming_that_does_not_exist_is_answered_with_those_that_do(run, folder):
    status, _, err = run("score", folder, "--write-xmp", "--xmp-names", "bogus")
    assert status == 2
    assert "invalid choice: 'bogus' (choose from 'full', 'stem')" in err.replace("full, stem", "'full', 'stem'")


def test_two_photos_never_share_a_sidecar(score, folder):
    shutil.copy(folder / "0.jpg", folder / "0.png")
    status, _, err = score(folder, "--write-xmp", "--xmp-names", "stem")
    assert status == 1
    assert "0.xmp holds the stars of 0.jpg, so that 0.png has none: use --xmp-names full" in err
    assert sidecars_in(folder) == {"0.xmp", "1.xmp", "2.xmp"}


def test_rows_of_a_run_without_sidecars_are_not_taken_for_those_of_one_with(score, folder, tiny_checkpoint):
    output = folder.parent / f"{folder.name}.json"
    assert score(folder, "--write-xmp", "--output", output)[0] == 0
    assert len(json.loads(output.read_text())) == len(sidecars_in(folder)) == 3
    # What an interrupted run without sidecars leaves behind.
    card = json.loads(tiny_checkpoint.with_suffix(".json").read_text())
    settings = {"model": "tiny", "model_sha256": card.get("sha256"), "full_size": False, "engine": "onnx"}
    with contextlib.closing(ScoreJournal(output, settings | {"version": __version__}, resume=False)) as journal:
        journal.append(folder / "0.jpg", {"error": None})
    status, _, err = score(folder, "--write-xmp", "--output", output, "--resume")
    assert status == 2
    assert "keeps rows that were made otherwise (without write_xmp)" in err
