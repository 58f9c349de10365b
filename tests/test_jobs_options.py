"""What a form needs to know of a command, what it makes of a filled form, and how a run's end is foretold."""

import argparse
import shlex
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaiqa_core.errors import JobError
from metaiqa_core.jobs.command_options import MAIN_GROUP, options_of, parse, words_of
from metaiqa_core.jobs.job import shell_lines
from metaiqa_core.jobs.outlook import outlook
from metaiqa_core.results.older_run_log import OLDER_COLUMNS, with_places


def declare(parser):
    parser.add_argument("--database", required=True, type=Path, nargs="+", help="some 100 %% real photos")
    parser.add_argument("--start", action="append", required=True)
    parser.add_argument("--run-dir", required=True, type=Path)
    parser.add_argument("--shard")
    parser.add_argument("--preset", choices=("paper", "recommended"), default="recommended")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--methods", nargs="+", choices=("A", "B"), default=["A", "B"])
    parser.add_argument("--only", action="store_true")
    parser.add_argument("--name")
    parser.add_argument("--model", default="default", help="(default: %(default)s)")
    parser.add_argument("--images", type=Path)
    group = parser.add_argument_group("configuration")
    group.add_argument("--epochs", type=int)
    group.add_argument("--rate", type=float)
    group.add_argument("--flip", action=argparse.BooleanOptionalAction, default=None)
    group.add_argument("--order", choices=("up", "down"))


OPTIONS = options_of(declare)
REQUIRED = {"database": "/data", "start": "A=default"}


def made(**values):
    return words_of("train", OPTIONS, REQUIRED | values, None)[1:]


def read(**values):
    return parse(declare, made(**values), Path("r"))


def test_every_option_is_a_field_but_for_those_that_the_page_or_a_worker_sets():
    assert {option.name: option.kind for option in OPTIONS} == {
        "database": "lines",
        "start": "lines",
        "seeds": "words",
        "methods": "choices",
        "only": "switch",
        "name": "text",
        "model": "text",
        "images": "text",
        "epochs": "whole number",
        "rate": "text",
        "flip": "yes or no",
        "order": "choice",
    }
    by_name = {option.name: option for option in OPTIONS}
    assert by_name["database"].help == "some 100 % real photos"
    assert by_name["model"].help == "(default: default)"
    assert (by_name["name"].group, by_name["rate"].group) == (MAIN_GROUP, "configuration")


def test_what_is_left_as_it_is_is_not_typed():
    nothing = {"seeds": "0 1", "methods": ["A", "B"], "only": False, "name": "", "model": "default", "flip": None}
    assert made(**nothing) == ["--database", "/data", "--start=A=default"]
    assert words_of("train", OPTIONS, REQUIRED, "paper")[-2:] == ["--preset", "paper"]


def test_what_is_filled_in_arrives():
    arguments = read(
        database="/a b\n\n/c\n",
        start="A=x\nB=y z",
        seeds="3",
        methods=["B"],
        only=True,
        epochs=0,
        rate="1e-4",
        flip=False,
    )
    assert arguments.database == [Path("/a b"), Path("/c")]
    assert arguments.start == ["A=x", "B=y z"]
    assert (arguments.seeds, arguments.methods, arguments.only) == ([3], ["B"], True)
    assert (arguments.epochs, arguments.rate, arguments.flip) == (0, 1e-4, False)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs"))).map(str.strip).filter(bool))
def test_any_text_stays_one_value_in_the_command_and_in_a_shell(text):
    if text == "default":
        return
    words = made(name=text)
    assert parse(declare, words, Path("r")).name == text
    assert shlex.split(shell_lines([["train", *words]]))[3:] == ["train", *words]


@pytest.mark.parametrize("path", ["--model", "-x", "~/photos"])
def test_a_path_is_never_taken_for_an_option_and_knows_the_home_folder(path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    expected = {"--model": "./--model", "-x": "./-x", "~/photos": "/home/ann/photos"}[path]
    assert made(images=path)[-1] == expected
    assert made(database=path)[1] == expected
    assert read(images=path).images == Path(expected)


def test_a_mistake_is_told_by_the_command_itself():
    with pytest.raises(JobError, match=r"^Argument --rate: invalid float value: 'fast'\.$"):
        read(rate="fast")
    with pytest.raises(JobError, match=r"^The following arguments are required: --start\.$"):
        read(start="")
    with pytest.raises(JobError, match=r"^--seeds: a quotation mark is not closed in \"1 '2\"\.$"):
        made(seeds="1 '2")


def lines(*rows):
    return with_places(pd.DataFrame(rows, columns=OLDER_COLUMNS))


def steps(stage, total, begin, end, pace=1.0, since=0.0):
    return [(since + pace * (n - begin + 1), stage, n, total, "loss", 1.0) for n in range(begin, end + 1)]


def test_a_steady_run_ends_when_it_will():
    view = outlook(lines(*steps("training", 100, 1, 25, pace=2.0)))
    assert (view.stage, view.share) == ("training", 0.25)
    assert view.seconds_left == pytest.approx(150)


def test_only_the_recent_speed_counts():
    slow = steps("training", 2000, 1, 100, pace=20.0)
    view = outlook(lines(*slow, *steps("training", 2000, 101, 1000, pace=1.0, since=2000.0)))
    assert view.seconds_left == pytest.approx(1000)


def test_folds_count_as_parts_of_the_whole():
    rows = steps("GB MetaIQA (1 of 4): meta-training", 10, 1, 10)
    rows.append((10.0, "GB MetaIQA (1 of 4): done", 1, 4, "srocc", 0.5))
    rows += steps("WN MetaIQA (2 of 4): meta-training", 10, 1, 5, since=10.0)
    view = outlook(lines(*rows))
    assert view.share == pytest.approx(0.375)
    assert view.seconds_left == pytest.approx(25)
    assert outlook(lines(*rows[:11])).share == 0.25


def test_what_was_finished_before_a_run_was_continued_does_not_make_it_fast():
    rows = [(100.0, f"x ({n} of 10): done", n, 10, name, 0.5) for n in range(1, 9) for name in ("srocc", "plcc")]
    rows += steps("x (9 of 10): training", 10, 1, 5, pace=4.0, since=100.0)
    assert outlook(lines(*rows)).seconds_left == pytest.approx(60)  # 15 steps of 4 s


def test_steps_that_are_repeated_after_a_kill_do_not_confuse():
    rows = steps("training", 100, 1, 50) + steps("training", 100, 41, 50, pace=3.0, since=50.0)
    assert outlook(lines(*rows)).seconds_left == pytest.approx(150)


def test_an_unknown_speed_and_an_end_are_what_they_are():
    assert outlook(lines()) is None
    assert outlook(lines(*steps("training", 10, 1, 1))).seconds_left is None
    assert outlook(lines(*steps("training", 10, 1, 10))).seconds_left == 0.0
    assert outlook(lines((1.0, "x", 1, 0, "loss", 1.0))).share == 0.0
