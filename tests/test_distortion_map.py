"""The map of distortions: axes, neighbours, confusion, its file, and the view of the distortion lab that shows it."""

import numpy as np
import pytest
from page_fixtures import ROOT, tiny_default  # noqa: F401
from streamlit.testing.v1 import AppTest

from metaiqa_core import level_response
from metaiqa_core.defect_words import NOTHING, Defect
from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.defects import DefectReadings
from metaiqa_core.evaluation.distortion_map import AXES, TypeGraph, map_of, read_map
from metaiqa_core.models.card import read_card
from metaiqa_core.models.model_files import DEFAULT_GRAPH_MODEL, SHIPPED_GRAPH_MODELS
from pages.lab.how_it_sees import VIEWS

KNOWN = (Defect("", NOTHING), Defect("kadid10k:GB", "blurred"), Defect("kadid10k:WN", "noisy"))
SHIPPED = SHIPPED_GRAPH_MODELS / f"{DEFAULT_GRAPH_MODEL}.map.npz"


def some_map(count=60):
    draws = np.random.default_rng(0)
    numbers = np.arange(count) % 3
    codes = draws.normal(0, 0.1, (count, 20))
    codes[np.arange(count), numbers] += 3
    readings = DefectReadings(
        logits=5 * np.eye(3)[numbers],
        level=np.full(count, 3.0),
        deviation=np.ones(count),
        type_code=codes,
        known=KNOWN,
        defects=tuple(KNOWN[number] for number in numbers),
        levels=np.where(numbers == 0, 0, 4).astype(float),
        contents=tuple(f"scene {number % 4}" for number in range(count)),
    )
    edges = np.array([[0.5, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.3, 0.5]])
    graphs = {"kadid10k:GB": TypeGraph(np.array([1, 4, 7]), edges)}
    return codes, map_of(readings, graphs, model="0" * 64, measured_on="drawn", types=readings.true_types)


def test_the_axes_are_those_of_the_largest_variance_and_a_code_lands_where_its_photo_is():
    codes, seen = some_map()
    values = np.linalg.eigvalsh(np.cov(codes.T))[::-1]
    assert seen.shares == pytest.approx((values / values.sum())[:AXES], abs=1e-6)
    assert seen.axes @ seen.axes.T == pytest.approx(np.eye(AXES), abs=1e-9)
    assert seen.place(codes[5]) == pytest.approx(seen.places[5])
    assert seen.most_alike(seen.place(codes[5]), 3)[0] == 5
    with pytest.raises(ValueError, match="expected a type code of 20 values, got 3"):
        seen.place(np.zeros(3))


def test_types_that_lie_apart_are_retrieved_and_not_mixed_up():
    _, seen = some_map()
    assert seen.clear.sum() == 40
    assert seen.retrieval() == 1
    names, table = seen.confusion()
    assert names == ["kadid10k:GB", "kadid10k:WN"]
    assert table.tolist() == [[20, 0], [0, 20]]


def test_the_strongest_and_the_weakest_edge_join_two_different_nodes():
    _, seen = some_map()
    assert seen.graphs["kadid10k:GB"].strongest() == (1, 2, 0.3)
    assert seen.graphs["kadid10k:GB"].weakest() == (0, 2, 0.1)


def test_a_map_is_read_as_it_was_written(tmp_path):
    _, seen = some_map()
    seen.write(tmp_path / "a.map.npz")
    read = read_map(tmp_path / "a.map.npz")
    assert (read.model, read.measured_on) == (seen.model, seen.measured_on)
    assert read.places == pytest.approx(seen.places, abs=5e-3)
    assert read.types.tolist() == seen.types.tolist()
    assert read.graphs["kadid10k:GB"].edges == pytest.approx(seen.graphs["kadid10k:GB"].edges, abs=1e-3)


@pytest.mark.parametrize("content", [None, b"no map", b""])
def test_a_damaged_map_is_refused(tmp_path, content):
    file = tmp_path / "a.map.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EvaluationError, match=r"a.map.npz cannot be read: make it again"):
        read_map(file)


def test_the_shipped_map_is_that_of_the_shipped_model_and_small():
    seen = read_map(SHIPPED)
    assert SHIPPED.stat().st_size < 300_000
    assert seen.model == read_card(SHIPPED_GRAPH_MODELS / f"{DEFAULT_GRAPH_MODEL}.json").sha256
    assert len(set(seen.types.tolist()) - {""}) == 25
    assert set(seen.graphs) == set(seen.types.tolist()) - {""}
    assert seen.retrieval() > 0.7
    for graph in seen.graphs.values():
        assert graph.edges == pytest.approx(graph.edges.T, abs=1e-3)


@pytest.mark.usefixtures("tiny_default")
@pytest.mark.parametrize("view", VIEWS)
def test_each_view_of_the_lab_has_a_sentence_about_what_it_shows(monkeypatch, view):
    monkeypatch.setattr(level_response, "WORKING_PIXELS", 200 * 150)
    page = AppTest.from_file(str(ROOT / "pages/distortion_lab.py"), default_timeout=120)
    page.query_params.update({"type": "kadid10k:GB", "level": "4", "lab_sight": view})
    page.run()
    assert not page.exception
    captions = [caption.value for caption in page.caption]
    wanted = {
        VIEWS[0]: "the closest photo of another scene has the same type of damage",
        VIEWS[1]: "the more the model mixes what it sees in the two photos",
        VIEWS[2]: "Most often mixed up",
        VIEWS[3]: "photos that look most like yours to the model",
    }
    assert any(wanted[view] in caption for caption in captions)
    assert any("contents of CID22 that nothing was learned from" in caption for caption in captions)


@pytest.mark.usefixtures("tiny_default")
def test_nothing_is_drawn_before_a_view_is_chosen_and_a_photo_too_small_is_no_failure(monkeypatch):
    monkeypatch.setattr(level_response, "WORKING_PIXELS", 72 * 54)
    page = AppTest.from_file(str(ROOT / "pages/distortion_lab.py"), default_timeout=120).run()
    assert any("Choose a view" in caption.value for caption in page.caption)
    page.query_params["lab_sight"] = VIEWS[3]
    page.run()
    assert not page.exception
