"""The command line: its formats, its exit statuses, and its work from a CSV file to a model that scores."""

import csv
import errno
import io
import json
import math
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tiny_fixtures import photo_pixels, spread_network

from metaiqa_core.assess import Assessor
from metaiqa_core.cli import load_command, main
from metaiqa_core.command_catalogue import COMMANDS
from metaiqa_core.evaluation.criteria import srocc
from metaiqa_core.models.checkpoints import load_checkpoint
from metaiqa_core.models.released import ReleasedRegressor
from metaiqa_core.results.storage import read_run
from metaiqa_core.training.finetune import fine_tune

QUICK = ["--epochs", "1", "--batch-size", "4", "--crop", "48", "--frozen-stages", "9"]
BACKBONE = ["--backbone", "mobilenet_v3_small", "--initial-weights", "random"]


@pytest.fixture
def photos(tmp_path):
    """A folder with two photos, one of them deeper, a broken one, and a file that is no photo."""
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    Image.fromarray(photo_pixels(80)).save(folder / "a.png")
    Image.fromarray(photo_pixels(81, noise=30)).save(folder / "deeper" / "b.png")
    (folder / "notes.txt").write_text("no photo")
    return folder


def test_json_is_a_list_of_objects_with_the_promised_fields(run, photos, tiny_checkpoint):
    status, out, _ = run("score", photos / "a.png", "--model", tiny_checkpoint, "--format", "json")
    assert status == 0
    [row] = json.loads(out)
    assert set(row) >= {"file", "score", "interval_low", "interval_high", "word", "percentile", "model", "error"}
    expected = Assessor.load(tiny_checkpoint).assess(photos / "a.png")
    assert row["file"] == str(photos / "a.png")
    assert row["score"] == pytest.approx(expected.score, abs=1e-4)
    assert row["interval_low"] == pytest.approx(expected.interval_low, abs=1e-4)
    assert row["interval_high"] == pytest.approx(expected.interval_high, abs=1e-4)
    assert row["percentile"] == pytest.approx(expected.percentile, abs=1e-4)
    assert (row["word"], row["model"], row["error"]) == (expected.word, "tiny", None)


def test_csv_holds_the_same_rows_as_json(run, photos, tiny_checkpoint):
    _, text, _ = run("score", photos, "--model", tiny_checkpoint, "--format", "csv")
    _, objects, _ = run("score", photos, "--model", tiny_checkpoint, "--format", "json")
    rows = list(csv.DictReader(io.StringIO(text)))
    objects = json.loads(objects)
    assert list(rows[0]) == list(objects[0])
    as_text = [{key: "" if value is None else str(value) for key, value in row.items()} for row in objects]
    assert rows == as_text


def test_the_table_is_for_people(run, photos, tiny_checkpoint):
    status, out, err = run("score", photos / "a.png", "--model", tiny_checkpoint)
    header, row = out.splitlines()
    assert header.split() == ["score", "90", "%", "interval", "word", "percentile", "file"]
    assessment = Assessor.load(tiny_checkpoint).assess(photos / "a.png")
    assert row.split()[0] == f"{assessment.score:.1f}"
    assert assessment.word in row
    assert row.endswith(str(photos / "a.png"))
    assert (status, err) == (0, "")


def test_a_folder_is_searched_to_its_bottom_for_photos_only(run, photos, tiny_checkpoint):
    status, out, _ = run("score", photos, "--model", tiny_checkpoint, "--format", "json")
    assert status == 0
    assert [row["file"] for row in json.loads(out)] == [str(photos / "a.png"), str(photos / "deeper" / "b.png")]


def test_a_quoted_glob_is_expanded(run, photos, tiny_checkpoint):
    pattern = str(photos / "**" / "*.png")
    status, out, _ = run("score", pattern, "--model", tiny_checkpoint, "--format", "json")
    assert status == 0
    assert [row["file"] for row in json.loads(out)] == [str(photos / "a.png"), str(photos / "deeper" / "b.png")]


def test_the_reading_at_full_size_is_added_when_asked_for(run, photos, tiny_checkpoint):
    _, out, _ = run("score", photos / "a.png", "--model", tiny_checkpoint, "--format", "json", "--full-size")
    [row] = json.loads(out)
    expected = Assessor.load(tiny_checkpoint).assess(photos / "a.png", at_full_size=True).at_full_size.score
    assert row["score_at_full_size"] == pytest.approx(expected, abs=1e-4)
    _, out, _ = run("score", photos / "a.png", "--model", tiny_checkpoint, "--full-size")
    assert "zoomed in" in out.splitlines()[0]


@pytest.mark.parametrize("style", ["json", "csv", "table"])
def test_a_bad_photo_is_a_row_with_its_reason_and_the_status_is_1(run, photos, tiny_checkpoint, style):
    (photos / "broken.jpg").write_bytes(b"no photo")
    missing = photos / "missing.jpg"
    status, out, _ = run("score", photos, missing, "--model", tiny_checkpoint, "--format", style)
    assert status == 1
    assert "broken.jpg" in out
    assert "missing.jpg does not exist: check the path." in out
    if style == "json":
        rows = json.loads(out)
        assert [row["error"] is None for row in rows] == [True, False, True, False]
        assert [row["score"] is None for row in rows] == [False, True, False, True]
        assert {row["model"] for row in rows} == {"tiny"}
    else:
        assert len(out.splitlines()) == 5


def test_output_goes_to_a_file_whole(run, photos, tiny_checkpoint, tmp_path):
    target = tmp_path / "new" / "scores.json"
    status, out, _ = run("score", photos, "--model", tiny_checkpoint, "--format", "json", "--output", target)
    assert (status, out) == (0, "")
    assert len(json.loads(target.read_text())) == 2
    assert list(target.parent.iterdir()) == [target]


BAD_USAGE = {
    "no command": [],
    "an unknown command": ["judge"],
    "no photo": ["score"],
    "an unknown option": ["score", "a.png", "--colour"],
    "an abbreviated option": ["score", "a.png", "--form", "json"],
    "an unknown format": ["score", "a.png", "--format", "xml"],
    "a photo that is not there": ["score", "{empty}/none.jpg"],
    "an unknown model": ["score", "{csv}", "--model", "nobody"],
    "an empty folder": ["score", "{empty}"],
    "a glob without a match": ["score", "{empty}/*.png"],
    "a missing database": ["evaluate", "--database", "{empty}/none.csv"],
    "a folder without a CSV file": ["evaluate", "--database", "{empty}"],
    "a range that is no number": ["evaluate", "--database", "{csv}", "--mos-range", "low", "high"],
    "a range upside down": ["evaluate", "--database", "{csv}", "--mos-range", "5", "1"],
    "no run folder": ["fine-tune", "--database", "{csv}"],
    "an unknown backbone": ["fine-tune", "--database", "{csv}", "--run-dir", "{empty}", "--backbone", "alexnet"],
    "zero epochs": ["fine-tune", "--database", "{csv}", "--run-dir", "{empty}", "--epochs", "0"],
    "a rate that is no number": ["fine-tune", "--database", "{csv}", "--run-dir", "{empty}", "--learning-rate", "x"],
    "a negative number of repeats": ["fine-tune", "--database", "{csv}", "--run-dir", "{empty}", "--repeats", "-1"],
    "measuring without repeats": ["fine-tune", "--database", "{csv}", "--run-dir", "{empty}", "--only-measure"],
    "a device that torch does not know": [
        *("fine-tune", "--database", "{csv}", "--run-dir", "{empty}", "--device", "gpu")
    ],
    "a resolution below the least": [
        *("fine-tune", "--database", "{csv}", "--run-dir", "{empty}", *BACKBONE, "--short-side", "8")
    ],
    "weights that are not there": [
        *("fine-tune", "--database", "{csv}", "--run-dir", "{empty}", *BACKBONE[:2], "--initial-weights", "{empty}/w")
    ],
    "a model to show that is not there": ["models", "show", "nobody"],
    "a file to import that is not there": ["models", "import", "{empty}/none.pth"],
}


@pytest.mark.parametrize("words", BAD_USAGE.values(), ids=BAD_USAGE)
def test_bad_usage_is_one_line_on_stderr_and_status_2(run, words, tiny_csv, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    status, out, err = run(*[word.format(empty=empty, csv=tiny_csv) for word in words])
    assert (status, out) == (2, "")
    lines = [line for line in err.splitlines() if not line.startswith("WARNING")]
    assert len(lines) == 1
    assert len(lines[0]) > 20
    assert list(empty.iterdir()) == []


def test_the_sentences_of_refusals(run, tiny_csv, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("score", empty)[2] == (
        f"The folder {empty} holds no photo: expected files such as .jpg, .png or .heic.\n"
    )
    assert run("score", f"{empty}/*.png")[2] == f"Nothing matches {empty}/*.png: check the folder and the pattern.\n"
    assert run("evaluate", "--database", empty)[2] == (
        f"The folder {empty} holds no database: looked for scores.csv or one other CSV file; mos_with_names.txt "
        "(TID2013); dmos.csv (KADID-10k); CID2013 data*.xlsx (CID2013); Data/AllMOS_release.mat (LIVE Challenge); "
        "koniq10k_scores_and_distributions.csv (KonIQ-10k); Train (Images and MOS).csv (BIQ2021).\n"
    )
    assert run("score", "a.png", "--format", "xml")[2] == (
        "python -m metaiqa_core score: argument --format: invalid choice: 'xml' (choose from 'table', 'csv', 'json') "
        "(see python -m metaiqa_core score --help)\n"
    )


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.ENOSPC, "The disk is full for runs/metrics.csv: make room and start the same command again."),
        (errno.EROFS, "Access refused for runs/metrics.csv (Read-only file system): choose another place, or change "
                      "its permissions."),
        (errno.EIO, "Input/output error for runs/metrics.csv."),
    ],
)  # fmt: skip
def test_what_the_system_refuses_is_a_sentence(run, monkeypatch, code, sentence):
    def refuse(arguments):
        raise OSError(code, os.strerror(code), "runs/metrics.csv")

    monkeypatch.setattr(load_command("models"), "run", refuse)
    assert run("models", "list") == (2, "", f"{sentence}\n")


def test_a_full_disk_says_that_a_run_goes_on_where_there_is_a_run(run, monkeypatch, tmp_path):
    def refuse(arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/metrics.csv")

    monkeypatch.setattr(load_command("fine-tune"), "run", refuse)
    status, _, err = run("fine-tune", "--database", "mine.csv", "--run-dir", tmp_path)
    assert (status, err) == (
        2,
        "The disk is full for runs/metrics.csv: make room and start the same command again; what a run has finished "
        "is kept, and it goes on from there.\n",
    )


def test_a_gpu_that_is_too_small_is_a_sentence_and_other_errors_of_torch_are_not(run, monkeypatch):
    refusals = iter([torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("a programmer's mistake")])

    def refuse(arguments):
        raise next(refusals)

    monkeypatch.setattr(load_command("models"), "run", refuse)
    status, out, err = run("models", "list")
    assert (status, out) == (2, "")
    assert err.startswith("The GPU's memory is too small for this: free it and")
    with pytest.raises(RuntimeError, match="a programmer's mistake"):
        run("models", "list")


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["models", "import"], ["databases", "check"]])
def test_every_command_explains_itself(run, command):
    status, out, err = run(*command, "--help")
    assert (status, err) == (0, "")
    assert out.startswith("usage: python -m metaiqa_core")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_their_modules_say(name):
    assert load_command(name).__doc__.splitlines()[0] == COMMANDS[name].summary


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["scroe", "photo.jpg"], []])
def test_help_and_a_mistyped_name_wait_for_no_module_that_they_do_not_need(words):
    slow = {"torch", "pandas", "numpy", "pydantic", "argcomplete", "typing", "dataclasses", "pathlib", "ctypes"}
    code = (
        "import runpy, sys\nearlier = set(sys.modules)\n"
        "try: runpy.run_module('metaiqa_core', run_name='__main__')\n"
        f"except SystemExit: sys.exit(' '.join({slow} & (set(sys.modules) - earlier)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_the_module_runs_as_a_program(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["metaiqa_core", "score", "a.png", "--colour"])
    with pytest.raises(SystemExit, match="^2$"):
        runpy.run_module("metaiqa_core", run_name="__main__")
    assert capsys.readouterr() == (
        "",
        "python -m metaiqa_core: unrecognized arguments: --colour (see python -m metaiqa_core --help)\n",
    )


def test_evaluate_prints_one_object_with_all_criteria(run, tiny_csv, tiny_database, tiny_checkpoint, tmp_path):
    table = tmp_path / "predictions.csv"
    words = ("evaluate", "--model", tiny_checkpoint, "--database", tiny_csv, "--format", "json")
    status, out, _ = run(*words, "--predictions", table)
    answer = json.loads(out)
    assert status == 0
    assert set(answer) >= {
        "n",
        "srocc",
        "plcc",
        "plcc_logistic",
        "krocc",
        "rmse",
        "interval_level",
        "model",
        "database",
    }
    assert set(answer) >= {"srocc_interval", "plcc_interval", "krocc_interval", "rmse_interval", "seed", "model_sha256"}
    assert (answer["n"], answer["model"], answer["database"]) == (24, "tiny", "tiny")
    assessor = Assessor.load(tiny_checkpoint)
    scores = [assessor.assess(image.path).score for image in tiny_database]
    opinion = [image.raw_score for image in tiny_database]
    assert answer["srocc"] == pytest.approx(srocc(scores, opinion))
    assert answer["rmse"] == pytest.approx(
        math.sqrt(sum((score - raw) ** 2 for score, raw in zip(scores, opinion, strict=True)) / 24) / 100
    )
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert [row["image"] for row in rows] == [image.path.name for image in tiny_database]
    assert [float(row["predicted"]) for row in rows] == pytest.approx(scores, abs=1e-4)


def test_evaluate_takes_a_folder_with_one_csv_file_and_prints_a_table(run, tiny_csv, tiny_checkpoint):
    status, out, _ = run("evaluate", "--model", tiny_checkpoint, "--database", tiny_csv.parent)
    assert status == 0
    assert out.splitlines()[0] == "tiny on tiny, n = 24"
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["SROCC", "PLCC", "PLCC", "KROCC", "RMSE,"]


def test_evaluate_refuses_a_database_with_an_unreadable_photo(run, tmp_path, tiny_checkpoint):
    (tmp_path / "x.jpg").write_bytes(b"no photo")
    (tmp_path / "mine.csv").write_text("image,mos\nx.jpg,50\n")
    status, out, err = run("evaluate", "--model", tiny_checkpoint, "--database", tmp_path / "mine.csv")
    assert (status, out) == (2, "")
    assert err.startswith("The database cannot be evaluated whole: x.jpg ")


@pytest.fixture(scope="module")
def start(tiny_photos, tmp_path_factory):
    """Options that start from a backbone whose weights lie in a file, as ImageNet weights would."""
    weights = tmp_path_factory.mktemp("weights") / "backbone.safetensors"
    save_file(
        {f"features.{key}": value for key, value in spread_network(tiny_photos).backbone.state_dict().items()}, weights
    )
    return ["--backbone", "mobilenet_v3_small", "--initial-weights", weights, "--short-side", "64"]


@pytest.fixture(scope="module")
def tuned(start, tiny_csv, tmp_path_factory):
    """The run folder of a fine-tuning with two measured splits; its seconds are shared by the tests below."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    words = ["fine-tune", *start, "--database", tiny_csv, "--run-dir", folder, *QUICK, "--repeats", "2"]
    assert main([str(word) for word in words]) == 0
    return folder


def test_fine_tuning_ends_with_a_model_that_scores(run, tuned, photos):
    status, out, _ = run("score", photos / "a.png", "--model", tuned / "mine.safetensors", "--format", "json")
    assert status == 0
    [row] = json.loads(out)
    assert row["model"] == "mine"
    assert 0 <= row["interval_low"] <= row["score"] <= row["interval_high"] <= 100
    assert 0 <= row["percentile"] <= 100


def test_the_new_models_card_tells_how_it_was_made_and_measured(tuned):
    card = Assessor.load(tuned / "mine.safetensors").card
    assert card.preprocessing.short_side == 64
    assert card.recipe["configuration"]["epochs"] == 1
    assert "backbone.safetensors" in card.recipe["start"]
    assert card.accuracy["splits"] == 2
    assert card.accuracy["seeds"] == [0, 1]
    assert len(card.accuracy["srocc_by_split"]) == 2
    assert card.calibration.population == "tiny photos"
    assert card.training_data == "tiny, 24 photos"
    assert str(tuned.parent) not in (tuned / "mine.json").read_text()  # no path of the machine it was made on


@pytest.mark.parametrize("policy", ["frozen", "adapt"])
def test_a_tuned_model_is_folded_and_can_be_learned_from_by_any_policy(
    run, tuned, tiny_csv, tmp_path, monkeypatch, policy
):
    before = load_checkpoint(tuned / "mine.safetensors").network
    assert before.config.folded
    learning = []
    monkeypatch.setattr(
        "metaiqa_core.experiments.tuning.fine_tune",
        lambda network, *rest, **more: learning.append(network.config) or fine_tune(network, *rest, **more),
    )
    words = ["fine-tune", "--model", tuned / "mine.safetensors", "--database", tiny_csv, "--run-dir", tmp_path / "mine"]
    status, _, err = run(*words, *QUICK, "--batch-norm", policy)
    assert status == 0, err
    assert [config.folded for config in learning] == [policy == "frozen"]
    assert load_checkpoint(tmp_path / "mine" / "mine.safetensors").network.config.folded


@pytest.mark.parametrize(("words", "epochs"), [(["--least-steps", "10"], 10), (["--epochs", "2"], 2)])
def test_few_photos_get_more_epochs_unless_told_how_many(run, tuned, tiny_csv, tmp_path, words, epochs):
    start = ["--model", tuned / "mine.safetensors", "--frozen-stages", "9", "--crop", "48"]
    folder = ["--run-dir", tmp_path / "mine"]
    assert run("fine-tune", *start, "--database", tiny_csv, *folder, *words)[0] == 0
    card = Assessor.load(tmp_path / "mine" / "mine.safetensors").card
    assert card.recipe["configuration"]["epochs"] == epochs  # 24 photos are one batch


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """A database of other photos, as a prior may have learned from."""
    folder = tmp_path_factory.mktemp("others") / "damaged"
    folder.mkdir()
    rows = ["image,mos"]
    for number in range(8):
        Image.fromarray(photo_pixels(100 + number, noise=60)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{5 + 12 * number}")
    (folder / "damaged.csv").write_text("\n".join(rows))
    return folder


def test_rehearsed_images_are_learned_from_and_never_tested_on(run, start, tuned, tiny_csv, others, tmp_path):
    words = ["fine-tune", *start, "--database", tiny_csv, "--run-dir", tmp_path / "mine", *QUICK, "--repeats", "1"]
    status, _, err = run(*words, "--rehearse", others, "--rehearsal-share", "0.25")
    assert status == 0, err
    card = Assessor.load(tmp_path / "mine" / "mine.safetensors").card
    assert (card.recipe["rehearsed"], card.recipe["rehearsal_share"]) == ("damaged", 0.25)
    assert card.summary.endswith("fine-tuned on tiny, rehearsing damaged.")
    with_them, without = (json.loads((at / "splits" / "split-0.json").read_text()) for at in (tmp_path / "mine", tuned))
    assert with_them["test"] == without["test"]
    assert with_them["predicted"] != without["predicted"]


def test_rehearsing_a_photo_that_may_be_tested_on_is_refused(run, start, tiny_csv, others, tiny_database, tmp_path):
    others = shutil.copytree(others, tmp_path / "damaged")
    shutil.copy(tiny_database.images[3].path, others / "7.png")
    words = ["fine-tune", *start, "--database", tiny_csv, "--run-dir", tmp_path / "mine", *QUICK, "--rehearse", others]
    status, _, err = run(*words)
    assert status == 2
    assert err == (
        f"{others / '7.png'} is to be rehearsed and is also a photo of tiny, on which a split may test: rehearse other "
        "images.\n"
    )
    assert run(*words, "--rehearsal-share", "0")[2] == "--rehearsal-share must be above 0, got 0.\n"


def test_finished_splits_stay_and_their_training_states_go(tuned):
    files = {file.name for file in (tuned / "splits").iterdir()}
    assert files == {"split-0.json", "split-1.json", "recipe.json"}


def test_splits_of_another_recipe_are_not_taken_over(run, start, tuned, tiny_csv):
    words = ["fine-tune", *start, "--database", tiny_csv, "--run-dir", tuned, *QUICK, "--repeats", "2"]
    status, out, err = run(*words, "--learning-rate", "0.01", "--only-measure")
    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == (
        f"The splits in {tuned / 'splits'} were made by another configuration, from other weights or "
        "of other images: choose another --run-dir, or delete it."
    )


def test_a_split_that_ranks_nothing_is_named_and_the_others_are_in_the_results(run, start, tuned, tiny_csv, tmp_path):
    folder = tmp_path / tuned.name
    shutil.copytree(tuned, folder)
    split = folder / "splits" / "split-0.json"
    content = json.loads(split.read_text())
    split.write_text(json.dumps(content | {"predicted": [0.5] * len(content["predicted"])}))
    words = ["fine-tune", *start, "--database", tiny_csv, "--run-dir", folder, *QUICK, "--repeats", "2"]
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert "1 of 2 folds gave every image the same score, which ranks nothing: split-0. The others are in" in err
    assert {record.source.seed for record in read_run(folder).records} == {1}


def test_a_tuned_model_can_be_tuned_further_and_its_card_keeps_the_command(run, tuned, tiny_csv, tmp_path, monkeypatch):
    words = ["fine-tune", "--model", tuned / "mine.safetensors", "--database", tiny_csv, "--run-dir", tmp_path / "next"]
    words = [str(word) for word in [*words, *QUICK, "--licence", "free for all " * 30]]
    monkeypatch.setattr(sys, "argv", ["metaiqa_core", *words])
    status, _, err = run(*words)
    assert status == 0
    assert err.splitlines()[-1] == f"wrote {tmp_path / 'next' / 'next.safetensors'} and its card"
    recipe = Assessor.load(tmp_path / "next" / "next.safetensors").card.recipe
    assert recipe["start"] == "mine"
    start = "python -m metaiqa_core fine-tune --model mine.safetensors --database tiny.csv --run-dir next --epochs 1 "
    assert recipe["command"].startswith(start)


def test_models_are_listed_shown_and_imported(run, tmp_path, monkeypatch, photos):
    monkeypatch.setenv("METAIQA_MODELS", str(tmp_path / "models"))
    torch.save(ReleasedRegressor().state_dict(), tmp_path / "theirs.pth")
    status, _, err = run("models", "import", tmp_path / "theirs.pth", "--licence", "theirs")
    assert (status, err) == (0, "imported as theirs: use it with --model theirs\n")
    _, out, _ = run("models", "list")
    assert out.splitlines()[0].split() == ["name", "backbone", "SROCC", "summary"]
    [line] = [line for line in out.splitlines() if line.startswith("theirs")]
    assert line.split()[1:5] == ["released", "code", "not", "measured"]
    _, out, _ = run("models", "list", "--format", "json")
    assert "theirs" in {row["name"] for row in json.loads(out)}
    _, out, _ = run("models", "show", "theirs")
    assert (json.loads(out)["architecture"], json.loads(out)["licence"]) == ("released-code", "theirs")
    status, out, _ = run("score", photos / "a.png", "--model", "theirs", "--format", "json")
    assert status == 0
    assert 0 <= json.loads(out)[0]["score"] <= 100
    status, _, err = run("models", "import", tmp_path / "theirs.pth")
    assert (status, err) == (2, "There is a model called theirs already: choose another with --name.\n")
    status, _, err = run("fine-tune", "--model", "theirs", "--database", tmp_path, "--run-dir", tmp_path / "run")
    assert status == 2


def test_a_damaged_card_does_not_hide_the_other_models(run, tmp_path, monkeypatch, tiny_checkpoint):
    monkeypatch.setenv("METAIQA_MODELS", str(tmp_path))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "tiny.json").write_bytes(tiny_checkpoint.with_suffix(".json").read_bytes())
    status, out, err = run("models", "list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines() if "tests" in line] == ["tiny"]
    assert err.startswith("The model card broken.json cannot be read as JSON")


@pytest.mark.parametrize(
    "words",
    [
        ["synthesize", "--like", "kadid10k", "--photos", ".", "--output", "-"],
        ["bulk-score", "--manifest", "photos.txt", "--output", "-"],
        ["fine-tune", "--database", "scores.csv", "--backbone", "resnet18", "--run-dir", "-"],
    ],
)
def test_a_stream_is_refused_where_a_folder_is_needed(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (600, 500)).save("a.png")
    Path("scores.csv").write_text("image,mos\na.png,50\n", encoding="utf-8")
    Path("photos.txt").write_text("a.png\n", encoding="utf-8")
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "Several files go into a folder, but - is a stream: name a folder with --" in said
    assert not Path("-").exists()
