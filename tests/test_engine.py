"""The engine: the network's scores without torch."""

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from metaiqa_core.assess import Assessor
from metaiqa_core.engine import graph_files
from metaiqa_core.engine.graph import export_graph
from metaiqa_core.engine.graph_check import largest_difference
from metaiqa_core.engine.graph_files import MOST_DIFFERENCE, SHIPPED_GRAPHS, graph_name, make_graph, own_graphs
from metaiqa_core.engine.onnx_engine import OnnxEngine
from metaiqa_core.engine.stored_graph import Graph
from metaiqa_core.errors import CheckpointError, EngineError
from metaiqa_core.models.backbones import BACKBONES
from metaiqa_core.models.card import read_card
from metaiqa_core.models.model_files import list_graph_models, list_models, list_priors
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.models.released import ReleasedRegressor

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("METAIQA_CACHE", str(tmp_path / "cache"))
    return own_graphs()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_graph_of_each_backbone_gives_the_networks_scores_at_even_and_odd_sizes(backbone):
    network = Regressor(RegressorConfig(backbone=backbone, hidden=8))
    assert largest_difference(network, export_graph(network)) < MOST_DIFFERENCE


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "mobilenet_v2"])
def test_the_graph_of_a_folded_network_that_pools_several_stages_gives_its_scores(backbone):
    network = Regressor(RegressorConfig(backbone=backbone, hidden=8, folded=True, pooled=(2, 4, 6)))
    assert largest_difference(network, export_graph(network)) < MOST_DIFFERENCE


def test_the_graph_of_the_released_code_gives_its_scores():
    network = ReleasedRegressor()
    assert largest_difference(network, export_graph(network)) < MOST_DIFFERENCE


def test_the_comparison_finds_a_graph_that_computes_something_else():
    network = Regressor(RegressorConfig(backbone="mobilenet_v3_small", hidden=8))
    other = Regressor(RegressorConfig(backbone="mobilenet_v3_small", hidden=8))
    other.head[2] = torch.nn.Sigmoid()
    assert largest_difference(network, export_graph(other)) > 10 * MOST_DIFFERENCE


def test_a_network_with_a_layer_that_has_no_counterpart_is_refused_by_its_name():
    network = Regressor(RegressorConfig(backbone="mobilenet_v3_small", hidden=8))
    network.head[2] = torch.nn.Tanhshrink()
    with pytest.raises(EngineError, match=r"tanhshrink has no counterpart in a graph"):
        export_graph(network)


def test_shipped_graphs_are_those_of_the_shipped_models_and_no_others():
    cards = [
        read_card(file.with_suffix(".json")) for file in (list_models() | list_priors() | list_graph_models()).values()
    ]
    shipped = {file.name: Graph.from_bytes(file.read_bytes()) for file in SHIPPED_GRAPHS.glob("*.graph")}
    assert shipped == {
        graph_name(card): make_graph(card) for card in {graph_name(card): card for card in cards}.values()
    }


def test_a_graph_holds_no_weights(tiny_checkpoint):
    graph = make_graph(read_card(tiny_checkpoint.with_suffix(".json")))
    assert len(graph.to_bytes()) < tiny_checkpoint.stat().st_size / 10


def test_both_engines_give_a_photo_the_same_score_within_a_hundredth_of_a_point():
    onnx, plain = Assessor.load(engine="onnx"), Assessor.load(engine="torch")
    draws = np.random.default_rng(0)
    for size in ((48, 64), (500, 400), (333, 517), (700, 90)):
        coarse = draws.integers(256, size=(size[0] // 8 + 1, size[1] // 8 + 1, 3), dtype=np.uint8)
        photo = coarse.repeat(8, 0).repeat(8, 1)[: size[0], : size[1]]
        assert onnx.assess(photo).score == pytest.approx(plain.assess(photo).score, abs=0.01)
    assert (onnx.engine.name, plain.engine.name) == ("onnx", "torch")


def test_a_photo_gets_the_same_bits_alone_and_from_several_threads_at_once(tiny_checkpoint, cache):
    assessor = Assessor.load(tiny_checkpoint)
    photos = np.random.default_rng(1).integers(256, size=(6, 80, 96, 3), dtype=np.uint8)
    alone = [assessor.assess(photo).score for photo in photos]
    together = {}
    threads = [
        threading.Thread(target=lambda place=place: together.update({place: assessor.assess(photos[place]).score}))
        for place in range(len(photos))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[place] for place in range(len(photos))] == alone


def test_the_graph_of_an_own_model_is_made_once_and_kept_without_its_weights(tiny_checkpoint, cache, monkeypatch):
    assert Assessor.load(tiny_checkpoint).engine.name == "onnx"
    (kept,) = cache.iterdir()
    assert kept.name == graph_name(read_card(tiny_checkpoint.with_suffix(".json")))

    def made_again(card):
        raise AssertionError("the kept graph was there")

    monkeypatch.setattr(graph_files, "make_graph", made_again)
    assert Assessor.load(tiny_checkpoint).engine.name == "onnx"


def test_a_cache_that_cannot_be_written_costs_no_scores(tiny_checkpoint, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("METAIQA_CACHE", str(tmp_path / "file"))
    assert Assessor.load(tiny_checkpoint).engine.name == "onnx"


@pytest.mark.parametrize("content", [b"", b"no graph at all", b'{"weights": []}\nno graph'])
def test_a_kept_graph_that_is_damaged_is_not_used(content, tiny_checkpoint, cache):
    cache.mkdir(parents=True)
    (cache / graph_name(read_card(tiny_checkpoint.with_suffix(".json")))).write_bytes(content)
    engine = Assessor.load(tiny_checkpoint).engine
    assert engine.name == "torch"
    assert engine.remark.startswith("ONNX Runtime cannot run here, so torch scores, more slowly: ")


def test_a_kept_graph_of_another_architecture_is_not_used(tiny_checkpoint, cache):
    cache.mkdir(parents=True)
    other = make_graph(read_card(list_models()["mobilenet-metaiqa-livec"].with_suffix(".json")))
    (cache / graph_name(read_card(tiny_checkpoint.with_suffix(".json")))).write_bytes(other.to_bytes())
    assert Assessor.load(tiny_checkpoint).engine.name == "torch"


def test_architectures_have_names_of_their_own_and_dropout_is_no_part_of_them(tiny_checkpoint):
    card = read_card(tiny_checkpoint.with_suffix(".json"))
    configs = [card.regressor, replace(card.regressor, hidden=9), replace(card.regressor, pooled=(1,))]
    assert len({graph_name(replace(card, regressor=config)) for config in configs}) == 3
    assert graph_name(replace(card, regressor=replace(card.regressor, dropout=0.7))) == graph_name(card)


def test_torch_takes_over_with_one_remark_where_onnx_runtime_cannot_run(
    tiny_checkpoint, cache, monkeypatch, run, tmp_path
):
    def broken(self, *arguments, **options):
        raise EngineError("ONNX Runtime cannot run this model: illegal instruction")

    monkeypatch.setattr(OnnxEngine, "__init__", broken)
    monkeypatch.setattr("metaiqa_core.engine.graph_files.make_graph", lambda card: Graph((), b""))
    photo = tmp_path / "photo.png"
    shutil.copy(next(iter((tiny_checkpoint.parent.parent).glob("tiny*/photo-00.png"))), photo)
    status, out, err = run("score", photo, "--model", tiny_checkpoint)
    assert (status, err.count("so torch scores, more slowly")) == (0, 1)
    assert "photo.png" in out
    status, _, err = run("score", photo, "--model", tiny_checkpoint, "--engine", "onnx")
    assert status != 0
    assert "The engine onnx was asked for and cannot run here" in err


def test_weights_that_do_not_fit_are_the_reason_that_is_given(tiny_checkpoint, tmp_path, cache):
    card = json.loads(tiny_checkpoint.with_suffix(".json").read_text())
    card["regressor"]["hidden"] += 1
    shutil.copy(tiny_checkpoint, tmp_path / "odd.safetensors")
    (tmp_path / "odd.json").write_text(json.dumps(card))
    with pytest.raises(CheckpointError, match=r"odd\.safetensors does not fit the architecture on its card"):
        Assessor.load(tmp_path / "odd.safetensors")


def test_an_engine_is_chosen_by_option_and_by_setting(tiny_checkpoint, cache, monkeypatch):
    assert Assessor.load(tiny_checkpoint, engine="torch").engine.name == "torch"
    monkeypatch.setenv("METAIQA_ENGINE", "torch")
    assert Assessor.load(tiny_checkpoint).engine.name == "torch"
    monkeypatch.setenv("METAIQA_ENGINE", "steam")
    with pytest.raises(EngineError, match=r"There is no engine called 'steam': expected one of auto, onnx, torch\."):
        Assessor.load(tiny_checkpoint)


def test_it_computes_with_as_many_threads_as_it_says(tiny_checkpoint, cache, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert Assessor.load(tiny_checkpoint).engine.threads == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert Assessor.load(tiny_checkpoint).engine.threads == len(os.sched_getaffinity(0))


WITHOUT = """
import sys

class Refuses:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchvision", "pandas", "streamlit", "scipy", "skimage", "captum", "onnx"}:
            raise AssertionError(f"{name} is imported")

sys.meta_path.insert(0, Refuses())
from metaiqa_core.cli import main
sys.exit(main(["score", *sys.argv[1:]]))
"""


def test_score_imports_neither_torch_nor_any_other_large_library(tmp_path):
    from PIL import Image

    pixels = np.random.default_rng(0).integers(256, size=(60, 80, 3), dtype=np.uint8)
    for name in ("one.jpg", "two.png"):
        Image.fromarray(pixels).save(tmp_path / name)
    outcome = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path), "--format", "json"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr[-2000:]
    assert [row["error"] for row in json.loads(outcome.stdout)] == [None, None]


def test_fields_that_do_nothing_are_no_part_of_a_graph_models_name():
    card = read_card(list_graph_models()["lite0-graph"].with_suffix(".json"))
    named = graph_name(card)
    backbone = card.graph.backbone
    for change in ({"centres": 0}, {"studies": 0}, {"adapters": ()}, {"fused": 0}, {"dropout": 0.5}):
        same = replace(card.graph, backbone=replace(backbone, **change))
        assert graph_name(replace(card, graph=same)) == named
    for change in ({"adapters": (3,)}, {"fused": 16}):
        other = replace(card.graph, backbone=replace(backbone, **change))
        assert graph_name(replace(card, graph=other)) != named
