"""`explain` from the command line: files, metadata, and one line for every mistake."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_fixtures import photo_pixels

from metaiqa_core.cli import main


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(photo_pixels(1, 20, (130, 90))).save(path)
    return str(path)


def test_one_map_becomes_a_picture_of_the_photos_size(photo, tiny_checkpoint, tmp_path, capsys):
    target = tmp_path / "map.png"
    arguments = ["--model", str(tiny_checkpoint), "--method", "saliency", "--output", str(target), "--evidence"]
    assert main(["explain", photo, *arguments]) == 0
    said = json.loads(capsys.readouterr().out)
    with Image.open(target) as image:
        assert image.size == (130, 90)
    assert (said["method"], said["model"], said["photo_size"]) == ("saliency", "tiny", [130, 90])
    assert said["localisation"] is None
    assert len(said["worst_regions"]) == 3
    assert set(said["evidence"]) >= {"deletion_gain", "insertion_gain", "correlation_with_random_weights"}


def test_several_maps_become_a_folder_of_pictures_numbers_and_metadata(photo, tiny_checkpoint, tmp_path, capsys):
    arguments = ["--model", str(tiny_checkpoint), "--methods", "grad-cam, saliency", "--output", str(tmp_path / "maps")]
    assert main(["explain", photo, *arguments, "--signed", "--opacity", "0.3"]) == 0
    assert capsys.readouterr().out == ""
    names = sorted(path.name for path in (tmp_path / "maps").iterdir())
    assert names == ["grad-cam.npz", "grad-cam.png", "maps.json", "saliency.npz", "saliency.png"]
    said = json.loads((tmp_path / "maps" / "maps.json").read_text(encoding="utf-8"))
    assert [entry["method"] for entry in said] == ["grad-cam", "saliency"]
    with np.load(tmp_path / "maps" / "saliency.npz") as content:
        assert content["values"].shape == (90, 130)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "lime"], "There is no method called 'lime': expected one of saliency,"),
        (["--methods", "saliency,lime"], "There is no method called 'lime': expected one of saliency,"),
        (["--opacity", "3"], "The opacity must be in 0 to 1, got 3."),
        (["--output", "map.gif"], "A map is written as .png or .npz, got 'map.gif': choose one of the two endings."),
        (["--model", "nobody"], "There is no model called 'nobody'"),
        (["--methods", "saliency", "--output", "{photo}"], "Several maps go into a folder, but photo.png is a file"),
        (["--methods", "saliency", "--output", "-"], "Several files go into a folder, but - is a stream"),
        (
            ["--methods", "saliency", "--output", "/dev/stdout"],
            "Several files go into a folder, but /dev/stdout is a stream",
        ),
    ],
)
def test_bad_input_is_one_line_and_status_two(options, message, photo, tiny_checkpoint, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where a folder that should not be made would be found, and left
    options = [option.format(photo=photo) for option in options]
    start = ["explain", photo, "--model", str(tiny_checkpoint), "--output", str(tmp_path / "map.png")]
    assert main([*start, *options]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(message)
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not (tmp_path / "map.png").exists()
    assert not Path("-").exists()


def test_a_missing_photo_is_one_line_and_status_two(tiny_checkpoint, tmp_path, capsys):
    start = ["explain", str(tmp_path / "none.jpg"), "--model", str(tiny_checkpoint)]
    assert main([*start, "--output", str(tmp_path / "map.npz")]) == 2
    assert capsys.readouterr().err == "none.jpg does not exist: check the path.\n"
