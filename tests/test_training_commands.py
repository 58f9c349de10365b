"""The training commands on tiny data: what they write, that they continue, and that nothing depends on how."""

import argparse
import contextlib
import dataclasses
import inspect
import io
import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tiny_fixtures import TINY_TYPES, photo_pixels

from metaiqa_core.cli import main
from metaiqa_core.commands.options.configuration import add_options
from metaiqa_core.commands.options.prior import add_prior_arguments, read_baseline_rates, read_meta_config
from metaiqa_core.commands.options.start import read_origin
from metaiqa_core.databases.reading import read_database
from metaiqa_core.errors import TrainingError
from metaiqa_core.experiments import parameter_study
from metaiqa_core.experiments.prior_recipe import PriorRecipe
from metaiqa_core.models.checkpoints import load_checkpoint, save_checkpoint
from metaiqa_core.models.model_files import DEFAULT_MODEL
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import finish
from metaiqa_core.results.records import Protocol
from metaiqa_core.results.run_log import read_metrics
from metaiqa_core.results.storage import read_predictions, read_run
from metaiqa_core.tasks import distortion_tasks
from metaiqa_core.training.adam import Adam
from metaiqa_core.training.configuration import FineTuneConfig
from metaiqa_core.training.meta import adam_steps, image_passes, meta_train
from metaiqa_core.training.meta_configuration import META_PRESETS, MetaConfig
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.processes import Processes

TYPES = TINY_TYPES
LEAN = ["--epochs", "1", "--inner-steps", "1", "--support-batch", "4", "--query-batch", "4", "--crop", "64"]


def run_quietly(*words):
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        assert main([str(word) for word in words]) == 0
    return shown.getvalue()


def test_meta_train_writes_a_prior_that_loads_scores_and_can_be_adapted(distorted, tiny_checkpoint, tiny_csv, tmp_path):
    words = ["meta-train", "--database", distorted, "--model", tiny_checkpoint, "--run-dir", tmp_path / "prior", *LEAN]
    run_quietly(*words, "--epochs", "2")
    card = json.loads((tmp_path / "prior" / "prior.json").read_text())
    assert card["recipe"]["method"] == "MetaIQA"
    assert card["recipe"]["image_passes"] == 2 * 1 * 5 * (4 + 4)  # iterations, k and both batches
    metrics = read_metrics(tmp_path / "prior")
    assert set(metrics["metric"]) == {"iteration", "epoch", "support_loss", "query_loss", "query_srocc"}
    prior = tmp_path / "prior" / "prior.safetensors"
    table = run_quietly(
        "adaptation-curve", "--database", tiny_csv, "--run-dir", tmp_path / "curve", "--start", f"prior={prior}",
        "--start", f"tiny={tiny_checkpoint}", "--sizes", "4", "8", "--seeds", "0", "1", "--least-steps", "2",
        "--epochs", "1", "--frozen-stages", "0", "--crop", "64",
    )  # fmt: skip
    assert [line.split()[0] for line in table.splitlines()] == ["photos", "4", "8"]
    run = read_run(tmp_path / "curve")
    sroccs = [record for record in run.records if record.metric == "srocc"]
    assert {record.protocol for record in run.records} == {Protocol.ADAPTATION_CURVE}
    assert {
        (record.method, record.source.configuration["labelled_photos"], record.source.seed) for record in sroccs
    } == {(name, size, seed) for name in ("prior", "tiny") for size in (4, 8) for seed in (0, 1)}
    # Both starts are judged on the same photos, and none of those were learned from.
    frames = {record.source.predictions: read_predictions(run, record.source.predictions) for record in sroccs}
    assert set(frames["prior-n-4-seed-0"]["image"]) == set(frames["tiny-n-8-seed-0"]["image"])


def test_parameter_study_varies_k_and_s_and_learns_from_as_many_photos_as_told(
    distorted, tiny_checkpoint, tiny_csv, tmp_path, capsys, monkeypatch
):
    assert parameter_study.LEAST_STEPS == 40
    monkeypatch.setattr(parameter_study, "LEAST_STEPS", 10)
    table = tmp_path / "apart" / tiny_csv.name
    table.parent.mkdir()
    table.write_text(tiny_csv.read_text())
    words = [
        "parameter-study", "--database", distorted, "--target", table, "--target-images", tiny_csv.parent,
        "--model", tiny_checkpoint, *LEAN,
        "--tasks-per-batch", "2", "--tasks", "1", "2", "--steps", "1", "2", "--seeds", "0", "1",
        "--labelled-photos", "4", "--fine-tune-crop", "64", "--fine-tune-batch-norm", "adapt",
        "--fine-tune-frozen-stages", "1",
        "--run-dir", tmp_path / "study",
    ]  # fmt: skip
    shown = run_quietly(*words)
    assert [line.split()[:2] for line in shown.splitlines()[1:]] == [["1", "1"], ["2", "1"], ["2", "2"]]
    run = read_run(tmp_path / "study")
    sroccs = [record for record in run.records if record.metric == "srocc"]
    configurations = [record.source.configuration for record in sroccs]
    assert [(one["k"], one["inner_steps"], one["labelled_photos"]) for one in configurations[::2]] == [
        (1, 1, 4), (2, 1, 4), (2, 2, 4)
    ]  # fmt: skip
    first = configurations[0]
    assert first["fine_tune_frozen_stages"] == 1
    # Four photos make one batch, so an epoch is a step.
    assert (first["fine_tune_crop"], first["fine_tune_batch_norm"], first["fine_tune_epochs"]) == (64, "adapt", 10)
    assert [record.source.seed for record in sroccs] == [0, 1] * 3
    assert run_quietly(*words) == shown  # all is there: nothing is computed again
    tested = [read_predictions(run, record.source.predictions) for record in sroccs[::2]]
    assert all(set(frame["image"]) == set(tested[0]["image"]) for frame in tested)
    assert not tested[0].equals(tested[2])
    # A split that ranks nothing is named, after the others.
    fold = tmp_path / "study" / "k-1-S-1" / "n-4-seed-0.json"
    content = json.loads(fold.read_text())
    fold.write_text(json.dumps(content | {"predicted": [0.5] * len(content["predicted"])}))
    assert main([str(word) for word in words]) == 2
    assert "1 of 6 folds gave every image the same score, which ranks nothing: k 1, S 1 n-4-seed-0." in (
        capsys.readouterr().err
    )


def recipe_of(*words):
    parser = argparse.ArgumentParser()
    add_prior_arguments(parser)
    arguments = parser.parse_args([str(word) for word in words])
    return PriorRecipe.load(read_origin(arguments), read_meta_config(arguments), read_baseline_rates(arguments))


@pytest.mark.parametrize("preset", META_PRESETS)
def test_baseline_has_the_passes_steps_and_rates_of_the_meta_training_unless_told(tiny_checkpoint, distorted, preset):
    tasks = distortion_tasks(read_database(distorted))
    recipe = recipe_of("--model", tiny_checkpoint, "--preset", preset)
    config, baseline = recipe.config, recipe.baseline_config(tasks, seed=0)
    assert baseline.image_passes == image_passes(tasks, config)
    steps = baseline.image_passes / baseline.batch_size
    assert steps == pytest.approx(adam_steps(len(tasks), config), rel=0.1)  # as near as whole batches come
    assert (baseline.learning_rate, baseline.head_learning_rate) == (
        config.inner_learning_rate,
        config.head_learning_rate,
    )
    for done in (0, 0.3, 0.9):
        if config.rate_decay != "linear":
            assert baseline.rate_factor(done) == config.rate_factor(int(done * config.epochs))
    for zero in ("batch-size", "learning-rate", "head-learning-rate"):
        with pytest.raises(ValueError, match="must be"):  # 0 is a value that is wrong, and not one that was not given
            recipe_of("--model", tiny_checkpoint, f"--baseline-{zero}", 0).baseline_config(tasks, seed=0)
    told = recipe_of("--model", tiny_checkpoint, "--baseline-batch-size", 5, "--baseline-learning-rate", 0.5)
    baseline = told.baseline_config(tasks, seed=0)
    assert (baseline.batch_size, baseline.learning_rate) == (5, 0.5)


def test_adam_steps_are_those_that_are_taken(distorted, tiny_checkpoint, monkeypatch):
    taken = []
    monkeypatch.setattr(Adam, "step", lambda self, factor: taken.append(factor))
    tasks = distortion_tasks(database := read_database(distorted))
    config = recipe_of("--model", tiny_checkpoint, *LEAN, "--inner-steps", 2).config
    network = load_checkpoint(tiny_checkpoint).network
    finish(meta_train(network, TrainingPhotos(database.images, Preprocessing(short_side=64)), tasks, config))
    assert len(taken) == adam_steps(len(tasks), config)


def test_what_is_to_be_judged_does_not_start_from_the_default_model_unasked(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "metaiqa_core.experiments.start.start_from_backbone", lambda *words, **_: asked.append(words) or "backbone"
    )
    assert recipe_of().start == "backbone"
    assert asked == [("resnet18", "imagenet", 500)]
    assert recipe_of("--model", "default").start.origin == DEFAULT_MODEL


def test_baseline_refuses_processes_that_would_all_do_the_same(tiny_checkpoint, distorted, tmp_path):
    database = read_database(distorted)
    photos = TrainingPhotos(database.images, Preprocessing(short_side=64))
    work = recipe_of("--model", tiny_checkpoint).train(
        "Baseline", photos, distortion_tasks(database), 0, tmp_path / "state.pt", Processes(1, 2)
    )
    with pytest.raises(TrainingError, match="Baseline has no tasks that processes could share: start it without"):
        finish(work)


def test_leave_one_out_trains_both_methods_on_all_other_types(distorted, tiny_checkpoint, tmp_path):
    words = [
        "leave-one-out", "--database", distorted, "--model", tiny_checkpoint, "--run-dir", tmp_path / "lodo", *LEAN,
    ]  # fmt: skip
    table = run_quietly(*words)
    assert [line.split()[0] for line in table.splitlines()] == ["held", *TYPES, "mean"]
    run = read_run(tmp_path / "lodo")
    assert {(record.method, record.distortion_type) for record in run.records} == {
        (method, kind.partition(":")[2]) for method in ("MetaIQA", "Baseline") for kind in TYPES
    }
    for record in run.records:
        frame = read_predictions(run, record.source.predictions)
        assert set(frame["distortion_type"]) == {f"kadid10k:{record.distortion_type}"}
        assert record.n == len(frame) == 12
    before = (tmp_path / "lodo" / "folds" / "MetaIQA" / "GB-seed-0.json").stat().st_mtime_ns
    assert run_quietly(*words) == table  # nothing is computed again
    assert (tmp_path / "lodo" / "folds" / "MetaIQA" / "GB-seed-0.json").stat().st_mtime_ns == before


def test_another_configuration_does_not_pass_for_this_one(distorted, tiny_checkpoint, tmp_path, capsys):
    words = ["leave-one-out", "--database", distorted, "--model", tiny_checkpoint, "--types", "kadid10k:GB"]
    words = [str(word) for word in [*words, "--methods", "Baseline", "--run-dir", tmp_path / "run", *LEAN]]
    assert main(words) == 0
    recipe = tmp_path / "run" / "folds" / "Baseline" / "recipe.json"
    recipe.write_text(json.dumps(dict(reversed(json.loads(recipe.read_text()).items()))))
    assert main(words) == 0  # the order of the fields is no difference
    capsys.readouterr()
    assert main([*words, "--inner-learning-rate", "0.5"]) == 2
    assert capsys.readouterr().err == (
        f"The splits in {tmp_path / 'run' / 'folds' / 'Baseline'} were made by another configuration, from other "
        "weights or of other images: choose another --run-dir, or delete it.\n"
    )


ADAPT = ["--seeds", "0", "--least-steps", "1", "--epochs", "1", "--frozen-stages", "0", "--crop", "64"]


def save_with_weights_times(factor, model, path):
    """Save a model once more under its own name, with weights that are others unless the factor is 1."""
    checkpoint = load_checkpoint(model)
    for parameter in checkpoint.network.parameters():
        parameter.data *= factor
    save_checkpoint(checkpoint.network, checkpoint.card, path)
    return path


def test_other_weights_or_images_of_the_same_name_do_not_pass_for_these(tiny_csv, tiny_checkpoint, tmp_path, capsys):
    folder = tmp_path / "photos"
    shutil.copytree(tiny_csv.parent, folder)
    model = save_with_weights_times(1, tiny_checkpoint, folder / "model.safetensors")
    words = ["ablation", "--database", folder / tiny_csv.name, "--run-dir", tmp_path / "run", "--start", f"A={model}"]
    words = [str(word) for word in (*words, *ADAPT)]
    assert main(words) == 0
    assert main(words) == 0
    save_with_weights_times(1.1, tiny_checkpoint, model)
    assert main(words) == 2
    assert "were made by another configuration, from other weights or of other images" in capsys.readouterr().err
    save_with_weights_times(1, tiny_checkpoint, model)
    assert main(words) == 0
    photo = next(folder.rglob("*.png"))
    Image.fromarray(photo_pixels(99, size=Image.open(photo).size)).save(photo)
    assert main(words) == 2
    assert "from other weights or of other images" in capsys.readouterr().err


def test_starts_whose_names_no_file_can_bear_stay_apart(tiny_csv, tiny_checkpoint, tmp_path):
    other = save_with_weights_times(1.1, tiny_checkpoint, tmp_path / "other.safetensors")
    words = ["ablation", "--database", tiny_csv, "--run-dir", tmp_path / "run", *ADAPT]
    run_quietly(*words, "--start", f"\u5143={tiny_checkpoint}", "--start", f"\u57fa={other}")
    run = read_run(tmp_path / "run")
    first, second = (record for record in run.records if record.metric == "srocc")
    assert (first.method, second.method) == ("\u5143", "\u57fa")
    frames = [read_predictions(run, record.source.predictions) for record in (first, second)]
    assert not frames[0].equals(frames[1])


def test_a_narrower_command_keeps_what_a_wider_one_measured(distorted, tiny_checkpoint, tmp_path):
    words = ["leave-one-out", "--database", distorted, "--model", tiny_checkpoint, "--run-dir", tmp_path / "run", *LEAN]
    run_quietly(*words)
    before = read_run(tmp_path / "run")
    run_quietly(*words, "--methods", "MetaIQA", "--types", "WN")
    after = read_run(tmp_path / "run")
    assert {(one.method, one.distortion_type, one.metric, one.value) for one in after.records} == {
        (one.method, one.distortion_type, one.metric, one.value) for one in before.records
    }
    assert len(after.records) == len(before.records)
    for record in after.records:
        assert len(read_predictions(after, record.source.predictions)) == record.n
    # A fold that was thrown away is not the run's any more.
    (tmp_path / "run" / "folds" / "Baseline" / "GB-seed-0.json").unlink()
    run_quietly(*words, "--methods", "MetaIQA", "--types", "WN")
    left = {(one.method, one.distortion_type) for one in read_run(tmp_path / "run").records}
    assert len(left) == 5
    assert ("Baseline", "GB") not in left


def test_an_unknown_type_is_refused_with_the_known_ones(distorted, tiny_checkpoint, tmp_path, capsys):
    words = ["leave-one-out", "--database", distorted, "--model", tiny_checkpoint, "--run-dir", tmp_path / "run"]
    assert main([str(word) for word in (*words, "--types", "GB", "Fog")]) == 2
    assert capsys.readouterr().err == (f"tiny-style has no distortion type Fog: expected some of {', '.join(TYPES)}.\n")


def test_a_fold_that_ranks_nothing_is_named_and_the_others_are_there(distorted, tiny_checkpoint, tmp_path, capsys):
    words = ["leave-one-out", "--database", distorted, "--model", tiny_checkpoint, "--methods", "MetaIQA", *LEAN]
    words = [str(word) for word in (*words, "--run-dir", tmp_path / "run")]
    assert main(words) == 0
    fold = tmp_path / "run" / "folds" / "MetaIQA" / "WN-seed-0.json"
    content = json.loads(fold.read_text())
    fold.write_text(json.dumps(content | {"predicted": [0.5] * len(content["predicted"])}))
    capsys.readouterr()
    assert main(words) == 2
    assert "1 of 3 folds gave every image the same score, which ranks nothing: WN-seed-0 MetaIQA." in (
        capsys.readouterr().err
    )
    assert {record.distortion_type for record in read_run(tmp_path / "run").records} >= {"GB", "JPEG"}


def test_a_measurement_says_what_its_start_has_learned_from(tiny_csv, tiny_checkpoint, tmp_path, capsys):
    words = ["ablation", "--database", tiny_csv, "--run-dir", tmp_path / "run", "--start", f"A={tiny_checkpoint}"]
    assert main([str(word) for word in (*words, *ADAPT)]) == 0
    told = f"NOTE: tiny has learned from {load_checkpoint(tiny_checkpoint).card.training_data}: on those images this is"
    assert told in capsys.readouterr().err


def test_a_run_is_not_continued_at_another_resolution(distorted, tiny_checkpoint, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("METAIQA_STATE_SECONDS", "0")
    words = ["meta-train", "--database", distorted, "--backbone", "mobilenet_v3_small", "--initial-weights", "random"]
    words = [str(word) for word in (*words, "--run-dir", tmp_path / "run", *LEAN)]
    assert main([*words, "--short-side", "96"]) == 0
    capsys.readouterr()
    assert main([*words, "--short-side", "72"]) == 2
    assert "was started with another configuration" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_seconds_between_states_that_are_none_are_refused_before_the_work(
    tiny_csv, tiny_checkpoint, tmp_path, capsys, monkeypatch, text
):
    monkeypatch.setenv("METAIQA_STATE_SECONDS", text)
    words = ["fine-tune", "--database", tiny_csv, "--model", tiny_checkpoint, "--run-dir", tmp_path / "run"]
    assert main([str(word) for word in words]) == 2
    sentence = f"METAIQA_STATE_SECONDS must be a number of seconds from 0 on, such as 20, got {text!r}: correct it.\n"
    assert capsys.readouterr().err.endswith(sentence)
    assert not (tmp_path / "run").exists()


def test_ablation_names_its_starts_as_the_table_does(tiny_csv, tiny_checkpoint, tmp_path):
    table = run_quietly(
        "ablation", "--database", tiny_csv, "--run-dir", tmp_path / "ablation", "--start", f"MetaIQA={tiny_checkpoint}",
        "--start", f"Baseline={tiny_checkpoint}", "--seeds", "0", "--least-steps", "1", "--epochs", "1",
        "--frozen-stages", "0", "--crop", "64",
    )  # fmt: skip
    assert [line.split()[0] for line in table.splitlines()] == ["start", "MetaIQA", "Baseline"]
    records = read_run(tmp_path / "ablation").records
    values = {(record.method, record.metric): record.value for record in records}
    assert values["MetaIQA", "srocc"] == values["Baseline", "srocc"]  # the same start under two names


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--start", "nothing"], "--start takes NAME=MODEL with a name of its own, got 'nothing'."),
        (["--start", "a=default", "--start", "a=default"], "--start takes NAME=MODEL with a name of its own, got 'a=d"),
        (["--start", "a=default", "--sizes", "999"], "Learning from 999 photos was asked for, and a split of"),
    ],
)
def test_bad_words_are_refused_in_one_line(tiny_csv, tmp_path, capsys, words, sentence):
    assert main(["adaptation-curve", "--database", str(tiny_csv), "--run-dir", str(tmp_path / "run"), *words]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(sentence)
    assert shown.count("\n") == 1


@pytest.mark.parametrize("configuration", [MetaConfig, FineTuneConfig])
def test_every_option_says_all_that_its_field_does(configuration):
    parser = argparse.ArgumentParser()
    add_options(parser, configuration)
    helps = {action.dest: action.help for action in parser._actions}
    docstrings = [inspect.cleandoc(owner.__doc__ or "").partition("Attributes:")[2] for owner in configuration.__mro__]
    told = " ".join(" ".join(docstrings).split())
    for field in dataclasses.fields(configuration):
        assert f"{field.name}: {helps[field.name].replace('%%', '%')}" in told
        assert helps[field.name].endswith(".")


def test_photos_without_distortion_types_are_not_tasks(tiny_csv, tiny_checkpoint, tmp_path, capsys):
    words = ["meta-train", "--database", tiny_csv, "--model", tiny_checkpoint, "--run-dir", tmp_path / "run"]
    assert main([str(word) for word in words]) == 2
    assert "Distortion tasks need the distortion type of every image" in capsys.readouterr().err


def started(words):
    return subprocess.Popen(
        [sys.executable, "-m", "metaiqa_core", *map(str, words)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
    )


@contextlib.contextmanager
def one_thread():
    """As many threads as `started` has, so that the bits can be the same."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def lean_words(database, model, epochs):
    return ["meta-train", "--database", database, "--model", model, *LEAN, "--epochs", str(epochs), "--name", "prior"]


def test_processes_of_torchrun_give_what_one_gives(distorted, tiny_checkpoint, tmp_path):
    words = lean_words(distorted, tiny_checkpoint, epochs=3)
    words = [str(word) for word in words]
    with one_thread():
        run_quietly(*words, "--run-dir", tmp_path / "one")
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "metaiqa_core",
    ]
    subprocess.run([*launch, *words, "--run-dir", str(tmp_path / "two")], check=True, capture_output=True, timeout=300)
    one, two = (load_file(tmp_path / name / "prior.safetensors") for name in ("one", "two"))
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-6


def test_workers_share_the_folds(distorted, tiny_checkpoint, tmp_path):
    words = ["leave-one-out", "--database", distorted, "--model", tiny_checkpoint, *LEAN, "--methods", "MetaIQA"]
    alone = run_quietly(*words, "--run-dir", tmp_path / "alone")
    process = started([*words, "--run-dir", tmp_path / "shared", "--workers", "2"])
    shown, errors = process.communicate()
    assert process.returncode == 0, errors
    assert shown == alone
    assert {path.name for path in (tmp_path / "shared" / "workers").glob("*.log")} == {"1.log", "2.log"}
