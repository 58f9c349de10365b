"""A fold's file is judged whole before anything is made of it."""

import json

import pytest

from metaiqa_core.errors import EvaluationError
from metaiqa_core.results.finished_fold import read_fold

FOLD = {
    "seed": 0,
    "test": [0, 1, 2],
    "predicted": [0.1, 0.2, 0.3],
    "opinion": [0.2, 0.3, 0.5],
    "name": "split-0",
    "held_out": "",
    "method": "MetaIQA",
    "protocol": "authentic",
    "database": "mine",
    "images": [["a.jpg", "", "", 0], ["b.jpg", "", "", 0], ["c.jpg", "", "", 0]],
    "configuration": {},
    "date": "2026-11-26",
    "code_version": "0.2.0",
}


def test_a_whole_fold_comes_back_and_so_does_one_of_version_0_1(tmp_path):
    file = tmp_path / "split-0.json"
    file.write_text(json.dumps(FOLD))
    assert read_fold(file).images[1] == ("b.jpg", "", "", 0)
    file.write_text(json.dumps({name: FOLD[name] for name in ("seed", "test", "predicted", "opinion")}))
    assert (read_fold(file).method, read_fold(file).split.name) == ("", "split-0")


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"predicted": [0.1, 0.2]}, "test, predicted and opinion must be equally long"),
        ({"predicted": [0.1, 0.2, float("nan")]}, "it has a number that is not finite: nan"),
        ({"predicted": ["0.1", 0.2, 0.3]}, "predicted.0 must be a number, got '0.1'"),
        ({"test": [0, 1, -2]}, "test.2 must be at least 0, got -2"),
        ({"seed": None}, "seed must be a whole number, got None"),
        ({"protocol": "guess"}, "protocol must be leave-one-distortion-out, authentic"),
        ({"images": []}, "images and test must be equally long"),
        ({"images": [[1, "", "", 0]] * 3}, "images.0.0 must be a text, got 1"),
    ],
)
def test_a_damaged_fold_is_one_sentence(tmp_path, change, clause):
    file = tmp_path / "split-0.json"
    file.write_text(json.dumps(FOLD | change))
    with pytest.raises(EvaluationError) as caught:
        read_fold(file)
    assert str(caught.value) == f"The finished split in {file} is damaged: delete it to compute it again."
    assert clause in str(caught.value.__cause__)


@pytest.mark.parametrize("text", ["", "[]", "3", "[" * 100_000, "{"])
def test_what_is_no_fold_is_one_sentence_too(tmp_path, text):
    file = tmp_path / "split-0.json"
    file.write_text(text)
    with pytest.raises(EvaluationError, match="is damaged: delete it to compute it again"):
        read_fold(file)
