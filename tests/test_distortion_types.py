"""Agreement by distortion type: within each, and between them."""

import json

import numpy as np
import pytest

from metaiqa_core.cli import main
from metaiqa_core.evaluation.distortion_types import agreement_by_type

TYPES = ["a", "a", "a", "b", "b", "b", None, "c", "c", "c"]


def test_each_type_is_ranked_alone_and_the_types_by_their_means():
    opinion = [1, 2, 3, 11, 12, 13, 99, 21, 22, 23]
    predicted = [2, 3, 4, 3, 2, 1, -99, 12, 14, 13]  # all of a, none of b, half of c; the types are a, b, c by 3, 2, 13
    agreement = agreement_by_type(predicted, opinion, TYPES)
    assert agreement.n == {"a": 3, "b": 3, "c": 3}
    assert agreement.srocc == pytest.approx({"a": 1.0, "b": -1.0, "c": 0.5})
    assert agreement.within == pytest.approx(0.5 / 3)
    assert agreement.between == pytest.approx(0.5)


def test_what_has_no_rank_correlation_has_no_number():
    agreement = agreement_by_type([1, 1, 1, 1, 2], [1, 2, 3, 1, 2], ["a", "a", "a", "b", "b"])
    assert agreement.srocc == {"a": None, "b": None}  # a constant, and two images
    assert (agreement.ranked, agreement.within, agreement.between) == (0, None, None)


def test_a_model_that_knows_types_but_not_levels_differs_from_one_that_knows_levels_but_not_types():
    generator = np.random.default_rng(0)
    types = [kind for kind in "abcdefgh" for _ in range(20)]
    offset = np.repeat(generator.permutation(8), 20)
    level = np.tile(generator.permutation(20), 8) / 10
    opinion = offset + level
    of_types = agreement_by_type(offset + 0.01 * generator.random(160), opinion, types)
    of_levels = agreement_by_type(level + 0.01 * np.repeat(generator.permutation(8), 20), opinion, types)
    assert of_types.between == 1.0
    assert of_levels.within == 1.0
    assert abs(of_types.within) < 0.3
    assert of_levels.between < 0.7


@pytest.fixture
def typed_csv(tiny_csv, tmp_path):
    """The tiny database with every third image of one type, and the others of another."""
    header, *rows = tiny_csv.read_text().splitlines()
    typed = [f"{row},{'kadid10k:GB' if number % 3 else 'kadid10k:WN'}" for number, row in enumerate(rows)]
    table = tmp_path / "typed.csv"
    table.write_text("\n".join([f"{header},type", *typed]) + "\n")
    return table


def test_evaluate_shows_types_where_a_database_has_them(typed_csv, tiny_csv, tiny_checkpoint, capsys):
    words = [
        "evaluate",
        "--model",
        str(tiny_checkpoint),
        "--database",
        str(typed_csv),
        "--images",
        str(tiny_csv.parent),
    ]
    assert main(words) == 0
    last = [line.split() for line in capsys.readouterr().out.splitlines()[-4:]]
    assert [line[:2] for line in last[:2]] == [["kadid10k:WN", "8"], ["kadid10k:GB", "16"]]
    assert last[2][:4] == ["mean", "within", "2", "types"]
    assert last[3] == ["between", "the", "means", "of", "2", "types", "-"]  # two have no rank correlation
    assert main([*words, "--format", "json"]) == 0
    by_type = json.loads(capsys.readouterr().out)["by_distortion_type"]
    assert by_type["n"] == {"kadid10k:WN": 8, "kadid10k:GB": 16}
    assert by_type["within"] == pytest.approx(np.mean(list(by_type["srocc"].values())))
    assert [f"{value:.4f}" for value in by_type["srocc"].values()] == [line[2] for line in last[:2]]
