"""The comparison of the graph model with MetaIQA and hand-crafted features: features, regression, splits, records."""

import json
import sys

import numpy as np
import pandas as pd
import piq  # noqa: F401 - its module of natural scene statistics is the independent truth
import pytest
import torch
from graph_fixtures import write_distorted
from page_fixtures import ROOT
from PIL import Image
from skimage import data
from streamlit.testing.v1 import AppTest

from metaiqa_core.databases.reading import read_database
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.criteria import srocc
from metaiqa_core.experiments.compared_methods import GraphParts
from metaiqa_core.experiments.graph_comparison import METHODS, UNTRAINED
from metaiqa_core.results.records import Measured, Protocol, ResultRecord
from metaiqa_core.results.storage import read_predictions, read_run, write_run
from metaiqa_core.training.kernel_ridge import kernel_ridge
from metaiqa_core.training.natural_scene_statistics import natural_scene_features
from pages.benchmarks.comparison_view import gains_over_hand_crafted, in_words, leads_by_split


@pytest.mark.parametrize("cut", [np.s_[:], np.s_[:301, :211]])
def test_the_natural_scene_statistics_are_those_of_another_implementation(cut):
    pixels = np.ascontiguousarray(data.astronaut()[cut])
    luma = torch.from_numpy(pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))[None, None]
    theirs = sys.modules["piq.brisque"]._natural_scene_statistics
    expected = torch.cat([theirs(luma), theirs(torch.nn.functional.avg_pool2d(luma, 2))], -1).numpy().ravel()
    assert natural_scene_features(pixels) == pytest.approx(expected, abs=2e-3)


def test_statistics_of_a_photo_without_any_contrast_are_finite():
    assert np.isfinite(natural_scene_features(np.full((40, 50, 3), 128, np.uint8))).all()


def test_a_photo_too_small_for_statistics_is_refused():
    with pytest.raises(ValueError, match="expected a photo of at least 16 pixels a side"):
        natural_scene_features(np.zeros((8, 30, 3), np.uint8))


def test_kernel_ridge_regression_learns_a_curve_that_no_line_follows():
    draws = np.random.default_rng(0)
    features, asked = draws.uniform(-2, 2, (200, 2)), draws.uniform(-2, 2, (60, 2))
    curve = lambda one: 0.5 + 0.1 * one[:, 0] ** 2 - 0.05 * np.abs(one[:, 1])  # noqa: E731
    groups = [str(number) for number in range(200)]
    predicted = kernel_ridge(features, curve(features), groups, asked, seed=0)
    assert srocc(predicted, curve(asked)) > 0.95


def test_kernel_ridge_regression_needs_different_scores():
    with pytest.raises(TrainingError, match="expected two photos or more with different scores"):
        kernel_ridge(np.zeros((3, 2)), np.ones(3), ["a", "b", "c"], np.zeros((1, 2)), seed=0)


def test_a_graph_without_fusion_sees_the_columns_of_the_last_level_alone():
    assert GraphParts((9,), (2, 9), 0, 4, 8, True).columns([3, 5]) == list(range(46, 56))
    assert GraphParts((2, 9), (2, 9), 4, 4, 8, True).columns([3, 5]) == list(range(56))


def test_the_command_judges_every_method_on_the_same_splits_and_goes_on_where_it_was(run, tmp_path):
    folder = write_distorted(tmp_path / "distorted", scenes=6)
    pristine = tmp_path / "pristine"
    pristine.mkdir()
    for number in range(18):  # a few photos have too few sharp patches
        Image.fromarray(getattr(data, ("astronaut", "coffee", "rocket")[number % 3])()).save(pristine / f"{number}.png")
    methods = [METHODS[0], UNTRAINED, *METHODS[1:]]
    words = (
        "graph-compare", "--database", folder, "--typed", folder, "--prior", "mobilenet-prior", "--run-dir",
        tmp_path / "run", "--plain", "mobilenet-prior-bn", "--short-side", 128, "--seeds", 0, 1, "--width", 8,
        "--steps", 3, "--type-nodes", 3, "--defects-per-step", 2, "--quality-steps", 3, "--pristine", pristine,
    )  # fmt: skip
    status, out, err = run(*words)
    assert status == 0, err
    assert [line.split("  ")[0] for line in out.splitlines()[1:] if line][-len(methods) :] == methods
    stored = read_run(tmp_path / "run")
    assert {record.protocol for record in stored.records} == {Protocol.COMPARISON}
    assert {record.method for record in stored.records} == set(methods)
    splits = {record.source.seed: set() for record in stored.records}
    for record in stored.records:
        splits[record.source.seed].add(record.source.split_hash)
    assert all(len(hashes) == 1 for hashes in splits.values())
    images = read_database(folder).images
    for name in stored.predictions:
        judged = set(read_predictions(stored, name)["reference"])
        assert judged < {image.reference for image in images}
    before = json.loads((tmp_path / "run" / "results.json").read_text())
    assert run(*words)[0] == 0
    assert json.loads((tmp_path / "run" / "results.json").read_text()) == before


def test_the_comparison_needs_types(run, tiny_csv, tmp_path):
    status, _, err = run("graph-compare", "--database", tiny_csv, "--typed", tiny_csv, "--run-dir", tmp_path / "run")
    assert status == 2
    assert "The comparison needs a database with distortion types" in err


def test_the_last_level_is_what_the_head_of_metaiqa_sees(run, tmp_path):
    folder = write_distorted(tmp_path / "distorted", scenes=6)
    words = ("graph-compare", "--database", folder, "--typed", folder, "--run-dir", tmp_path / "run", "--levels", 4, 7)
    status, _, err = run(*words, "--plain", "mobilenet-prior-bn")
    assert status == 2
    assert "The last level must be the last stage of the backbone, 19 for mobilenet-prior" in " ".join(err.split())


def test_gains_are_means_over_both_criteria_and_rank_by_database():
    table = pd.DataFrame(
        {
            "method": ["hand-crafted (BRISQUE)", "graph model"],
            "database": "LIVE Challenge",
            "srocc": [0.5, 0.6],
            "plcc": [0.5, 0.55],
            "seeds": 3,
            "images": 930,
            "seen": False,
        }
    )
    assert gains_over_hand_crafted(table)["gain"].tolist() == pytest.approx([15])


def comparison_run(folder):
    """Write a run of two splits on a re-synthesised database, whose scores the prior has learned from."""
    configuration = {"images": 600, "start_has_seen_these_scores": False}
    values = {METHODS[0]: 0.5, "graph model": 0.65, "graph model, no meta-learning": 0.6}
    records = [
        ResultRecord(
            method=method,
            database="tid2013-kodak",
            protocol=Protocol.COMPARISON,
            distortion_type=None,
            metric=metric,
            value=value,
            interval=None,
            n=120,
            source=Measured(
                run=folder.name,
                model_hash="not kept",
                configuration=configuration | {"start_has_seen_these_scores": method == "graph model"},
                seed=seed,
                split_hash="0" * 64,
                date="2026-11-26",
                code_version="0.1.0",
            ),
        )
        for method, value in values.items()
        for metric in ("srocc", "plcc")
        for seed in (0, 1)
    ]
    write_run(folder, records)


@pytest.fixture
def no_shipped_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("metaiqa_core.results.storage.SHIPPED_RUNS", tmp_path / "shipped")


def test_the_page_shows_the_shipped_comparisons_on_four_databases():
    page = AppTest.from_file(str(ROOT / "pages/authentic_databases.py"), default_timeout=120)
    page.query_params["view"] = "Graph model"
    page.run()
    assert not page.exception
    said = " ".join(text.value for text in page.markdown).replace("\\", "")
    assert "on 4 of 4 databases" in said
    assert "head on 4 of 4" in said
    assert "Splits disagree: on tid2013-kodak it leads in 6 of 10 splits." in said


def test_the_page_shows_a_comparison_beside_what_is_reported(tmp_path, monkeypatch, no_shipped_runs):
    comparison_run(tmp_path / "compared")
    monkeypatch.setenv("METAIQA_RUNS", str(tmp_path))
    page = AppTest.from_file(str(ROOT / "pages/authentic_databases.py"), default_timeout=120)
    page.query_params["view"] = "Graph model"
    page.run()
    assert not page.exception
    captions = " ".join(caption.value for caption in page.caption).replace("\\", "")
    assert "+30.0 % on tid2013-kodak (it has learned from these scores; +20.0 % without meta-learning)" in captions
    assert "*Reported in the paper*: 3.6 to 36.6 % on four databases" in captions
    assert "is re-synthesised: not TID2013" in captions


def test_the_page_says_how_a_comparison_is_made_where_there_is_none(tmp_path, monkeypatch, no_shipped_runs):
    monkeypatch.setenv("METAIQA_RUNS", str(tmp_path))
    page = AppTest.from_file(str(ROOT / "pages/authentic_databases.py"), default_timeout=120)
    page.query_params["view"] = "Graph model"
    page.run()
    assert not page.exception
    assert any("graph-compare" in code.value for code in page.code)


def test_the_conclusion_says_where_the_graph_is_not_ahead_of_metaiqas_head():
    rows = [("graph model", "A", 9.0), ("MetaIQA", "A", 5.0), ("graph model", "B", 2.0), ("MetaIQA", "B", 3.0)]
    gains = pd.DataFrame(rows, columns=["method", "database", "gain"])
    no_splits = leads_by_split([])
    assert in_words(gains, no_splits) == (
        "The graph model is ahead of hand-crafted features on 2 of 2 databases, and of MetaIQA's head on 1 of 2; B is "
        "where it is not."
    )
    assert in_words(gains[::2], no_splits) == "The graph model is ahead of hand-crafted features on 2 of 2 databases."
    leads = pd.DataFrame({"wins": [6, 3], "splits": [10, 3]}, index=["A", "B"])
    assert in_words(gains, leads).endswith("where it is not. Splits disagree: on A it leads in 6 of 10 splits.")
