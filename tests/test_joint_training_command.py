"""The experiment and the command of joint training: a model of two databases, measured on splits of one."""

import csv
import json

import pytest
from PIL import Image
from tiny_fixtures import photo_pixels

from metaiqa_core.databases.reading import read_database
from metaiqa_core.errors import TrainingError
from metaiqa_core.experiments.held_out import read_held_out
from metaiqa_core.experiments.joint_configuration import JointTrainingConfig
from metaiqa_core.experiments.joint_training import joint_training
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin
from metaiqa_core.progress import finish
from metaiqa_core.training.joint_configuration import JointConfig

QUICK = JointConfig(steps=3, batch_size=8, crop=48, frozen_stages=9, head_crops=16, head_epochs=2)
SMALL = ("--steps", 3, "--batch-size", 8, "--crop", 48, "--frozen-stages", 9, "--head-crops", 16, "--head-epochs", 2)
START = ("--backbone", "mobilenet_v3_small", "--initial-weights", "random", "--short-side", 72)
ORIGIN = Origin(backbone="mobilenet_v3_small", weights="random", short_side=72)


@pytest.fixture(scope="module")
def other_csv(tmp_path_factory):
    """A second database, of other photos, rated from 0 to 10."""
    folder = tmp_path_factory.mktemp("other")
    with (folder / "other.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "mos"])
        for number in range(12):
            noise = 5.0 * (number * 5 % 12)
            Image.fromarray(photo_pixels(100 + number, noise, (96, 72))).save(folder / f"other-{number:02}.png")
            writer.writerow([f"other-{number:02}.png", round(9 - 0.14 * noise, 2)])
    (folder / "database.json").write_text(json.dumps({"name": "other", "raw_range": [0, 10]}))
    return folder / "other.csv"


def test_two_databases_make_one_model_that_scores(run, tiny_csv, other_csv, tmp_path):
    folder, held = tmp_path / "run", tmp_path / "held.txt"
    held.write_text("other-03.png\nother-07.png\nother-09.png\n")
    status, _, err = run(
        *("joint-train", "--database", tiny_csv, other_csv, *START, *SMALL, "--run-dir", folder, "--repeats", 2),
        *("--share", "tiny=2", "--held-out", held, "--pooled", 9, 12, "--name", "both"),
    )
    assert status == 0, err
    card = json.loads((folder / "both.json").read_text())
    assert card["regressor"]["pooled"] == [9, 12]
    assert card["recipe"]["shares"] == {"tiny": 2.0}
    assert card["recipe"]["configuration"]["steps"] == 3
    assert card["accuracy"]["splits"] == 2
    assert card["calibration"]["population"] == "tiny photos"
    judged = read_held_out(folder / "held_out.json")
    assert [one.database for one in judged] == ["other"]
    assert judged[0].images == ("other-03.png", "other-07.png", "other-09.png")
    status, out, err = run("score", tiny_csv.parent / "photo-00.png", "--model", folder / "both.safetensors")
    assert status == 0, err


def test_the_same_run_from_python_takes_three_lines(tiny_csv, other_csv, tmp_path):
    databases = [read_database(tiny_csv), read_database(other_csv)]
    model = finish(joint_training(databases, ORIGIN, JointTrainingConfig(joint=QUICK), RunFolder(tmp_path / "one")))
    assert model.file == tmp_path / "one" / "one.safetensors"
    again = finish(joint_training(databases, ORIGIN, JointTrainingConfig(joint=QUICK), RunFolder(tmp_path / "two")))
    assert again.file.read_bytes() == model.file.read_bytes()


def test_a_held_out_image_changes_no_weight(tiny_csv, other_csv, tmp_path):
    databases = [read_database(tiny_csv), read_database(other_csv)]
    config = JointTrainingConfig(joint=QUICK, held_out=frozenset({"other-03.png"}))
    one = finish(joint_training(databases, ORIGIN, config, RunFolder(tmp_path / "one"))).file.read_bytes()
    spoiled = other_csv.with_name("spoiled.csv")
    spoiled.write_text(other_csv.read_text().replace(_row(other_csv, "other-03.png"), "other-03.png,0.5"))
    folder = tmp_path / "spoiled"
    folder.mkdir()
    (folder / "other.csv").write_text(spoiled.read_text())
    (folder / "database.json").write_text((other_csv.parent / "database.json").read_text())
    changed = [databases[0], read_database(folder / "other.csv", images=other_csv.parent)]
    other = finish(joint_training(changed, ORIGIN, config, RunFolder(tmp_path / "two"))).file.read_bytes()
    assert one == other


def _row(file, name):
    return next(line for line in file.read_text().splitlines() if line.startswith(name))


def test_a_database_that_is_not_there_is_named(tiny_csv, other_csv, tmp_path):
    databases = [read_database(tiny_csv), read_database(other_csv)]
    with pytest.raises(TrainingError, match="There is no database koniq among those to learn from: tiny, other"):
        finish(joint_training(databases, ORIGIN, JointTrainingConfig(judged="koniq"), RunFolder(tmp_path / "run")))


def test_two_databases_with_a_photo_in_common_are_refused(tiny_csv, tmp_path):
    (tmp_path / "copied.png").write_bytes((tiny_csv.parent / "photo-04.png").read_bytes())
    (tmp_path / "again.csv").write_text("image,mos\ncopied.png,50\nother.png,70\n")
    Image.fromarray(photo_pixels(200)).save(tmp_path / "other.png")
    databases = [read_database(tiny_csv), read_database(tmp_path / "again.csv")]
    with pytest.raises(TrainingError, match=r"copied\.png of again is to be learned from and is also"):
        finish(joint_training(databases, ORIGIN, JointTrainingConfig(joint=QUICK), RunFolder(tmp_path / "run")))


@pytest.mark.parametrize("share", ["tiny", "tiny=0", "tiny=nan", "=3", "tiny=much"])
def test_a_share_is_a_positive_number_for_a_name(run, tiny_csv, tmp_path, share):
    status, _, err = run("joint-train", "--database", tiny_csv, *START, "--run-dir", tmp_path / "run", "--share", share)
    assert status == 2
    assert "--share takes NAME=NUMBER with a number above 0" in err


def test_held_out_predictions_of_another_file_are_refused(tmp_path):
    (tmp_path / "held_out.json").write_text("[{}]")
    with pytest.raises(Exception, match="holds no held-out predictions"):
        read_held_out(tmp_path / "held_out.json")
