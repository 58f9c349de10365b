"""Training on another device than the processor: everything goes there, and nothing else changes."""

import argparse
import dataclasses

import pytest
import torch
from pretend_device import ELSEWHERE, PretendDevice
from test_meta_training import SMALL, MemoryPhotos, database, folded_toy, tasks  # noqa: F401 - two are fixtures
from torch import distributed

from metaiqa_core.cli import main
from metaiqa_core.commands.options.device import read_device
from metaiqa_core.errors import SettingsError, TrainingError
from metaiqa_core.experiments.start import Start
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import finish
from metaiqa_core.training.baseline import train_baseline
from metaiqa_core.training.configuration import FineTuneConfig
from metaiqa_core.training.finetune import fine_tune
from metaiqa_core.training.meta import meta_train
from metaiqa_core.training.meta_configuration import BaselineConfig
from metaiqa_core.training.photos import predict
from metaiqa_core.training.processes import Processes, join_processes

STUDY = [
    "--epochs",
    "1",
    "--inner-steps",
    "1",
    "--tasks",
    "1",
    "--steps",
    "1",
    "--tasks-per-batch",
    "1",
    "--crop",
    "48",
]
TUNING = FineTuneConfig(epochs=2, batch_size=4, crop=32, validation_share=0.2, correlation_weight=0.5)
BASELINE = BaselineConfig(image_passes=24, batch_size=4, crop=32)
STATISTICS = {"MetaIQA": ["meta", "carried", "frozen"], "Baseline": ["carried", "frozen"], "tuned": ["adapt", "frozen"]}


def learning(method, network, photos, tasks, state_file, **changes):  # noqa: F811
    if method == "tuned":
        changes.pop("frozen_input")
        positions = [position for task in tasks for position in task.positions]
        config = dataclasses.replace(TUNING, **changes)
        return fine_tune(
            network, photos, positions[8:], config, validation=positions[:8], state_file=state_file / "state.pt"
        )
    if method == "Baseline":
        config = dataclasses.replace(BASELINE, **changes)
        return train_baseline(network, photos, tasks, config, state_file=state_file / "state.pt")
    return meta_train(network, photos, tasks, dataclasses.replace(SMALL, **changes), state_file=state_file / "state.pt")


def learned(method, device, images, tasks, folder, interrupted_after=0, **changes):  # noqa: F811
    """Weights, curves and predictions of a run, on the processor."""
    frozen_stages = changes["frozen_stages"]

    def start():
        photos = MemoryPhotos(images)
        network = folded_toy()
        network.head.insert(0, torch.nn.Dropout(0.5))
        network.to(device)
        return photos, learning(method, network, photos, tasks, folder, **changes)

    photos, work = start()
    if interrupted_after:
        for _ in range(interrupted_after):
            next(work)
        work.close()
        photos, work = start()
    outcome = finish(work)
    assert outcome.network.mean.device.type == torch.device(device).type
    scores = predict(outcome.network, photos, range(5), frozen_stages)
    return {name: value.cpu() for name, value in outcome.network.state_dict().items()}, outcome.history, scores


@pytest.mark.parametrize(("frozen_stages", "frozen_input"), [(0, "photo"), (1, "photo"), (1, "crop")])
@pytest.mark.parametrize(
    ("method", "batch_norm"), [(method, policy) for method, policies in STATISTICS.items() for policy in policies]
)
def test_another_device_learns_the_same(
    database,  # noqa: F811
    tasks,  # noqa: F811
    tmp_path,
    monkeypatch,
    method,
    batch_norm,
    frozen_stages,
    frozen_input,
):
    monkeypatch.setenv("METAIQA_STATE_SECONDS", "0")  # keep the state after every step
    how = {"batch_norm": batch_norm, "frozen_stages": frozen_stages, "frozen_input": frozen_input}
    weights, history, scores = learned(method, "cpu", database.images, tasks, tmp_path / "here", **how)
    # Tensors that only wrap others cannot do the former.
    monkeypatch.setattr(torch, "inference_mode", lambda mode=True: torch.no_grad())
    with PretendDevice():
        other = learned(method, ELSEWHERE, database.images, tasks, tmp_path / "there", interrupted_after=3, **how)
    assert weights.keys() == other[0].keys()
    assert all(torch.equal(weights[name], other[0][name]) for name in weights)
    assert history == other[1]
    assert (scores == other[2]).all()


def test_a_run_does_not_go_on_on_another_kind_of_device(database, tasks, tmp_path):  # noqa: F811
    how = {"batch_norm": "meta", "frozen_stages": 0, "frozen_input": "photo"}
    learned("MetaIQA", "cpu", database.images, tasks, tmp_path, **how)
    with PretendDevice(), pytest.raises(TrainingError, match="was started with another configuration"):
        learned("MetaIQA", ELSEWHERE, database.images, tasks, tmp_path, **how)


def test_the_pretended_device_minds_what_is_elsewhere():
    with PretendDevice():
        there = torch.ones(3).to(ELSEWHERE)
        assert float((there + 1).sum()) == 6
        with pytest.raises(RuntimeError, match="some of the tensors are on the processor"):
            there + torch.ones(3)
        there.mul_(2)
        assert torch.equal(there.cpu(), torch.full((3,), 2.0))


def pretend_gpus(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    for name in ("deterministic", "allow_tf32"):  # restored after the test
        monkeypatch.setattr(torch.backends.cudnn, name, getattr(torch.backends.cudnn, name))


def asked_for(text, **others):
    return read_device(argparse.Namespace(device=text, **others))


@pytest.mark.parametrize(
    ("text", "gpus", "sentence"),
    [
        ("gpu", 1, "--device takes cpu, cuda or cuda:N, such as cuda:1, got 'gpu'"),
        ("cuda:", 1, "got 'cuda:'"),
        ("cuda", 0, "--device cuda was asked for, and torch finds no GPU here"),
        ("cuda:2", 2, "the last GPU here is cuda:1"),
    ],
)
def test_a_device_that_is_not_there_is_refused(monkeypatch, text, gpus, sentence):
    pretend_gpus(monkeypatch, gpus)
    with pytest.raises(TrainingError, match=sentence):
        asked_for(text)


def test_processes_of_one_run_take_the_gpus_in_turn(monkeypatch):
    pretend_gpus(monkeypatch, 2)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert asked_for("cuda") == torch.device("cuda", 0)
    assert asked_for("cuda:1") == torch.device("cuda", 1)
    assert [asked_for("cuda", shard=(number, 3)).index for number in (1, 2, 3)] == [0, 1, 0]
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert asked_for("cuda") == torch.device("cuda", 1)
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("place", ["-1", "two", "1.5", "9" * 12])
def test_a_place_among_processes_that_is_no_number_is_one_sentence(monkeypatch, place):
    pretend_gpus(monkeypatch, 2)
    monkeypatch.setenv("LOCAL_RANK", place)
    with pytest.raises(SettingsError, match="LOCAL_RANK must be a whole number from 0 to"):
        asked_for("cuda")


def test_one_hears_of_a_gpu_that_stays_idle(monkeypatch, capsys):
    pretend_gpus(monkeypatch, 1)
    assert asked_for("cpu") == torch.device("cpu")
    assert "--device cuda" in capsys.readouterr().err
    pretend_gpus(monkeypatch, 0)
    asked_for("cpu")
    assert not capsys.readouterr().err


@pytest.mark.parametrize(("device", "backend"), [("cpu", "gloo"), ("cuda", "cpu:gloo,cuda:nccl")])
def test_tensors_on_gpus_are_added_up_by_nccl(monkeypatch, device, backend):
    joined = []
    monkeypatch.setattr(torch, "zeros", lambda *sizes, device: torch.ones(*sizes))  # there is no GPU to put them on
    monkeypatch.setattr(distributed, "all_reduce", lambda tensor: None)
    monkeypatch.setattr(distributed, "init_process_group", joined.append)
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(distributed, "destroy_process_group", lambda: None)
    pretend_gpus(monkeypatch, 2)
    with join_processes(torch.device(device), {"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}) as processes:
        assert processes == Processes(1, 4)
    assert joined == [backend]


@pytest.mark.parametrize("text", ["soon", "0", "-1", "2.0"])
def test_a_number_of_processes_that_is_none_is_one_sentence(text):
    with (
        pytest.raises(
            SettingsError,
            match=rf"^WORLD_SIZE must be a whole number from 1 to 1000000 \(processes\), got '{text}': correct it\.$",
        ),
        join_processes(torch.device("cpu"), {"WORLD_SIZE": text}),
    ):
        pass


def test_processes_that_share_a_gpu_hear_of_it_before_they_train(monkeypatch):
    def refuse(tensor):
        raise RuntimeError("NCCL error: invalid usage\nDuplicate GPU detected")

    monkeypatch.setattr(torch, "zeros", lambda *sizes, device: torch.ones(*sizes))
    monkeypatch.setattr(distributed, "init_process_group", lambda backend: None)
    monkeypatch.setattr(distributed, "all_reduce", refuse)
    with (
        pytest.raises(
            TrainingError, match=r"\(NCCL error: invalid usage\): start them with torchrun, one for each GPU"
        ),
        join_processes(torch.device("cuda"), {"WORLD_SIZE": "2"}),
    ):
        pass


def test_a_start_is_built_on_the_processor_and_learns_on_its_device():
    start = Start(folded_toy, Preprocessing(), "a toy", "toy", device=ELSEWHERE)
    with PretendDevice():
        assert start.build(0).mean.device == torch.device("cpu")
        network = start.network(0)
        assert {one.device for one in (*network.parameters(), *network.buffers())} == {ELSEWHERE}
    assert start.hash == dataclasses.replace(start, device=torch.device("cpu")).hash


class AskedError(Exception):
    """Where the commands would go on to train."""


ANOTHER = torch.device("cpu", 0)
"""The processor by a name that no option's default gives."""


@pytest.mark.parametrize(
    ("words", "trainer"),
    [
        (["fine-tune", "--database", "{csv}", "--model", "{model}"], "tuning.Tuning.train"),
        (["ablation", "--database", "{csv}", "--start", "A={model}"], "adaptation.fine_tuner"),
        (
            ["ablation", "--database", "{csv}", "--start", "A=mobilenet_v3_small:random"],
            "adaptation.fine_tuner",
        ),
        (["meta-train", "--database", "{typed}", "--model", "{model}"], "prior_recipe.PriorRecipe.train"),
        (
            ["meta-train", "--database", "{typed}", "--backbone", "mobilenet_v3_small", "--initial-weights", "random"],
            "prior_recipe.PriorRecipe.train",
        ),
        (
            ["parameter-study", "--database", "{typed}", "--target", "{csv}", "--model", "{model}", *STUDY],
            "parameter_study.fine_tuner",
        ),
    ],
)
def test_commands_train_where_they_are_told_to(words, trainer, tiny_csv, tiny_checkpoint, tmp_path, monkeypatch):
    header, *rows = tiny_csv.read_text().splitlines()
    typed = tiny_csv.with_name("typed.csv")
    typed.write_text("\n".join([f"{header},type", *(f"{row},kadid10k:GB" for row in rows)]) + "\n")
    names = {"csv": tiny_csv, "typed": typed, "model": tiny_checkpoint}
    seen = []

    def train(first, *others, **more):
        seen.append(getattr(first, "start", first).device)
        raise AskedError

    monkeypatch.setattr("metaiqa_core.commands.options.start.read_device", lambda arguments: ANOTHER)
    monkeypatch.setattr(f"metaiqa_core.experiments.{trainer}", train)
    with pytest.raises(AskedError):
        main([*(word.format(**names) for word in words), "--run-dir", str(tmp_path / "run")])
    assert seen == [ANOTHER]


@pytest.mark.parametrize(
    ("capabilities", "precision", "is_told"),
    [
        ({"architecture": "x86_64", "avx512_bf16": False, "amx_bf16": False}, "bf16", True),
        ({"architecture": "x86_64", "avx512_bf16": True, "amx_bf16": False}, "bf16", False),
        ({"architecture": "aarch64"}, "bf16", False),
        ({"architecture": "x86_64"}, "fp32", False),
        ({"architecture": "x86_64"}, None, False),
    ],
)
def test_a_processor_that_bfloat16_makes_slower_is_told(monkeypatch, capsys, capabilities, precision, is_told):
    pretend_gpus(monkeypatch, 0)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    asked_for("cpu", precision=precision)
    assert ("no instructions for bfloat16" in "".join(capsys.readouterr())) is is_told
