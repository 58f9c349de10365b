"""A card is judged whole: whatever is wrong in one is one sentence about that model, and the others stay usable."""

import json
import os
from dataclasses import replace

import pytest

from metaiqa_core import Assessor, json_files
from metaiqa_core.cli import main
from metaiqa_core.errors import CheckpointError
from metaiqa_core.models import judged_once
from metaiqa_core.models.card import ModelCard, check_card, check_name, read_card
from metaiqa_core.models.checkpoints import load_checkpoint, save_checkpoint
from metaiqa_core.models.model_files import list_graph_models, list_models, list_starts


@pytest.fixture
def models(tiny_checkpoint, tmp_path, monkeypatch):
    """A folder of own models with a whole one, `good`, and one to damage, `bad`."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("good", "bad"):
        for suffix in (".safetensors", ".json"):
            (folder / f"{name}{suffix}").write_bytes(tiny_checkpoint.with_suffix(suffix).read_bytes())
    monkeypatch.setenv("METAIQA_MODELS", str(folder))
    return folder


def changed(card, path, value):
    """Return a card with the value at a path such as `calibration.half_width` replaced."""
    *parents, last = path.split(".")
    inner = card
    for name in parents:
        inner = inner[name]
    inner[last] = value
    return card


def quantiles(*, at, value):
    return [value if place == at else float(place) for place in range(101)]


WRONG = [
    ("calibration.half_width", -5, "calibration.half_width must be at least 0, got -5"),
    ("calibration.half_width", "wide", "calibration.half_width must be a number, got 'wide'"),
    ("calibration.half_width", True, "calibration.half_width must be a number, got True"),
    ("calibration.half_width", 101, "calibration.half_width must be at most 100, got 101"),
    ("calibration.half_width", None, "calibration.half_width must be a number, got None"),
    ("calibration.level", 1.0, "calibration.level must be below 1, got 1.0"),
    ("calibration.level", [0.9], "calibration.level must be a number, got [0.9]"),
    ("calibration.measured_coverage", 1.2, "calibration.measured_coverage must be at most 1, got 1.2"),
    ("calibration.population", "", "calibration.population must be a text that is not empty, got ''"),
    ("calibration.population_size", 0, "calibration.population_size must be at least 1, got 0"),
    ("calibration.population_size", 2.5, "calibration.population_size must be a whole number, got 2.5"),
    ("calibration.population_quantiles", quantiles(at=50, value=3.0), "must ascend, got 49 at 49 % and 3 at 50 %"),
    ("calibration.population_quantiles", quantiles(at=7, value="7"), "population_quantiles.7 must be a number"),
    ("calibration.population_quantiles", quantiles(at=100, value=1e9), "population_quantiles.100 must be at most 100"),
    ("calibration.colour", 1, "calibration.colour is a field that this version does not know"),
    ("calibration", [], "calibration must be an object, got []"),
    ("regressor.hidden", 10**9, "hidden must be at most 4096, got 1000000000"),
    ("regressor.hidden", "8", "regressor.hidden must be a whole number, got '8'"),
    ("regressor.hidden", 8.5, "regressor.hidden must be a whole number, got 8.5"),
    ("regressor.dropout", "0", "regressor.dropout must be a number, got '0'"),
    ("regressor.dropout", -0.5, "dropout must be in [0, 1), got -0.5"),
    ("regressor.folded", 1, "regressor.folded must be true or false, got 1"),
    ("regressor.pooled", [2, 1], "pooled must be ascending numbers of stages from 1, got [2, 1]"),
    ("regressor.pooled", [10**9], "pooled must name stages of mobilenet_v3_small"),
    ("regressor.pooled", "12", "regressor.pooled must be a list, got '12'"),
    ("regressor.backbone", ["resnet18"], "regressor.backbone must be a text, got ['resnet18']"),
    ("regressor", "resnet18", "regressor must be an object, got 'resnet18'"),
    ("preprocessing.short_side", 10**9, "short_side must be at most 2048 pixels, got 1000000000"),
    ("preprocessing.minimum_side", 10**6, "minimum_side must be at most 2048 pixels, got 1000000"),
    ("preprocessing.minimum_side", -1, "minimum_side must be a positive integer, got -1"),
    ("preprocessing", None, "the preprocessing must be a table of fields, got NoneType"),
    ("name", 3, "name must be a text, got 3"),
    ("name", "", "name must be a text that is not empty, got ''"),
    ("name", "two\nlines", "name must be one line of printable characters"),
    ("name", "x" * 10_000, "name must be a text of at most 200 characters"),
    ("summary", None, "summary must be a text, got None"),
    ("licence", {"terms": "MIT"}, "licence must be a text, got {'terms': 'MIT'}"),
    ("sha256", 5, "sha256 must be a text, got 5"),
    ("recipe", [], "recipe must be an object, got []"),
    ("accuracy", {"srocc_mean": "high"}, "accuracy.srocc_mean must be a number from -1 to 1, got 'high'"),
    ("accuracy", {"plcc": 7}, "accuracy.plcc must be a number from -1 to 1, got 7"),
    ("accuracy", {"srocc": None}, "accuracy.srocc must be a number from -1 to 1, got None"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "clause"), WRONG)
def test_a_wrong_value_anywhere_is_one_sentence_about_that_model(models, path, value, clause):
    file = models / "bad.json"
    file.write_text(json.dumps(changed(json.loads(file.read_text()), path, value)))
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint("bad")
    sentence = str(caught.value)
    assert sentence.startswith("The model card bad.json ")
    assert clause in sentence
    assert "\n" not in sentence
    assert read_card(models / "good.json").name == "tiny"


@pytest.mark.parametrize("name", ["name", "summary", "architecture", "regressor", "preprocessing", "licence"])
def test_a_missing_field_is_named(models, name):
    file = models / "bad.json"
    content = json.loads(file.read_text())
    del content[name]
    file.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=f"bad.json is not valid: {name} is missing"):
        read_card(file)


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("[" * 100_000, "more than 12 levels deep in each other"),
        ('{"card_version": 1, "recipe": ' + '{"a": ' * 40 + "1" + "}" * 41, "more than 12 levels deep in each other"),
        ('{"card_version": 1, "calibration": {"half_width": NaN}}', "it has a number that is not finite: nan"),
        ('{"card_version": 1, "calibration": {"half_width": 1e999}}', "it has a number that is not finite: inf"),
        ('{"card_version": 1, "recipe": {"seed": 1' + "0" * 30 + "}}", "whole number that is larger than any that is"),
        ('{"card_version": 1, "recipe": {"seed": 1' + "0" * 5000 + "}}", "cannot be read as JSON"),
        ('{"card_version": 1, "name": "a", "name": "b"}', "it names 'name' twice"),
        ('{"card_version": 1, "name": "\\ud800"}', "it has a text with half a character in it"),
        ('{"card_version": 1, "recipe": {"a": "' + "x" * 200_000 + '"}}', "a text of 200,000 characters"),
        ('{"card_version": 1, "recipe": ["' + "x" * 2**20 + '"]}', "and at most 1 MiB are read"),
        ('{"card_version": true}', "is not a model card of version 1"),
        ("", "cannot be read as JSON"),
    ],
)
def test_what_is_no_card_at_all_is_one_sentence_too(models, text, clause):
    (models / "bad.json").write_text(text)
    with pytest.raises(CheckpointError) as caught:
        read_card(models / "bad.json")
    assert "bad.json" in str(caught.value)
    assert clause in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_card_in_place_of_which_a_folder_or_a_pipe_lies_is_refused_at_once(models):
    (models / "bad.json").unlink()
    os.mkfifo(models / "bad.json")
    (models / "folder.json").mkdir()
    for name in ("bad", "folder"):
        with pytest.raises(
            CheckpointError, match=f"The model card {name}.json cannot be read as JSON: it is no regular"
        ):
            read_card(models / f"{name}.json")


def test_the_list_of_models_names_each_bad_card_and_shows_all_others(models, capsys):
    whole = json.loads((models / "good.json").read_text())
    damages = [("calibration.half_width", "wide"), ("accuracy", {"srocc_mean": "high"}), ("name", 3)]
    for number, (path, value) in enumerate(damages):
        text = json.dumps(changed(json.loads(json.dumps(whole)), path, value))
        (models / f"bad{number}.json").write_text(text)
    (models / "bad.json").write_text("[" * 100_000)
    (models / "._good.json").write_bytes(b"\0\5\26\7")  # what macOS puts beside a copied file
    assert main(["models", "list", "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert "tiny" in [row["name"] for row in json.loads(shown.out)]
    assert sorted(line.split()[3] for line in shown.err.splitlines()) == [
        "bad.json",
        "bad0.json",
        "bad1.json",
        "bad2.json",
    ]
    assert {"good", "bad"} <= set(list_models())
    assert Assessor.load("good").card.name == "tiny"


def test_nothing_is_written_that_could_not_be_read_again(tiny_checkpoint, tmp_path):
    checkpoint = load_checkpoint(tiny_checkpoint)
    calibration = replace(checkpoint.card.calibration, half_width=-1.0)
    for wrong in (replace(checkpoint.card, summary="x" * 20_000), replace(checkpoint.card, calibration=calibration)):
        with pytest.raises(CheckpointError, match="The card of the model tiny cannot be written: "):
            save_checkpoint(checkpoint.network, wrong, tmp_path / "new.safetensors")
    assert list(tmp_path.iterdir()) == []
    check_card(checkpoint.card)


@pytest.mark.parametrize("name", ["../up", "a/b", "a\\b", ".hidden", "a:b", "line\nbreak", "x" * 300])
def test_a_name_that_no_file_can_bear_is_no_name_of_a_model(name):
    with pytest.raises(ValueError, match="a model's name is also the name of its files"):
        check_name(name)
    check_name("Ännas Modell 2.1")


@pytest.mark.parametrize(
    "path",
    [path.with_suffix(".json") for path in (list_starts() | list_graph_models()).values()],
    ids=lambda path: path.stem,
)
def test_a_card_that_was_judged_before_is_read_as_the_judge_reads_it(path):
    content = {name: value for name, value in json.loads(path.read_text()).items() if name != "card_version"}
    judged, constructed = json_files.validated(ModelCard, content), json_files.constructed(ModelCard, content)
    assert repr(constructed) == repr(judged)
    assert constructed == judged


def test_a_card_is_judged_anew_once_it_changed(tiny_checkpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("METAIQA_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "tiny.json"
    content = json.loads(tiny_checkpoint.with_suffix(".json").read_text())
    path.write_text(json.dumps(content))
    first = read_card(path)
    monkeypatch.setattr(judged_once, "validated", None)
    assert read_card(path) == first
    monkeypatch.undo()
    content["calibration"]["half_width"] = "12"
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"calibration\.half_width must be a number, got '12'"):
        read_card(path)
    with pytest.raises(CheckpointError, match=r"calibration\.half_width must be a number, got '12'"):
        read_card(path)
