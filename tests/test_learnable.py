"""What teaches nothing is refused before a training, and what has gone astray in one is never written."""

import csv
import math
from pathlib import Path

import pytest
import torch

from metaiqa_core.cli import main
from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.reading import read_database
from metaiqa_core.errors import DatabaseError, EvaluationError, TrainingError
from metaiqa_core.evaluation.protocols import Fold
from metaiqa_core.experiments.folds import Plan, refuse_unjudgeable
from metaiqa_core.experiments.prior_recipe import BaselineRates
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.tuning import TuningConfig
from metaiqa_core.models.checkpoints import load_checkpoint, save_checkpoint
from metaiqa_core.progress import finish
from metaiqa_core.results.records import Protocol
from metaiqa_core.tasks import distortion_tasks
from metaiqa_core.training.baseline import train_baseline
from metaiqa_core.training.configuration import FineTuneConfig
from metaiqa_core.training.descent import Descent
from metaiqa_core.training.finetune import fine_tune
from metaiqa_core.training.meta import meta_train
from metaiqa_core.training.meta_configuration import BaselineConfig, MetaConfig
from metaiqa_core.training.photos import TrainingPhotos, predict
from metaiqa_core.training.training_run import TrainingRun

SHORT = ["--epochs", "1", "--least-steps", "1", "--crop", "64"]


def rated(tiny_csv, folder, scores):
    """A CSV file that rates the first tiny photos anew; one of scores with types where a pair is given."""
    with tiny_csv.open(newline="", encoding="utf-8") as file:
        names = [row["image"] for row in csv.DictReader(file)]
    places = [next(place for place in (tiny_csv.parent / name, tiny_csv.parent / "images" / name) if place.is_file())
              for name in names]  # fmt: skip
    rows = [f"{place},{score}" for place, score in zip(places, scores, strict=False)]
    path = folder / "mine.csv"
    path.write_text("image,mos\n" + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ([55], "mine has a single photo, and learning needs at least two with different scores: add rated photos."),
        ([40] * 12, "All 12 photos of mine have the score 40, and a model learns from differences: add photos that"),
    ],
)
@pytest.mark.parametrize("command", ["fine-tune", "ablation", "adaptation-curve"])
def test_what_teaches_nothing_is_refused_by_every_command(tiny_csv, tmp_path, capsys, command, scores, sentence):
    start = ["--start", "a=default"] if command != "fine-tune" else []
    sizes = ["--sizes", "2"] if command == "adaptation-curve" else []
    database = rated(tiny_csv, tmp_path, scores)
    words = [command, "--database", str(database), "--run-dir", str(tmp_path / "run"), *start, *sizes, *SHORT]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    if command == "fine-tune" or len(scores) > 1:
        assert error.startswith(sentence)
    else:  # a single photo makes no split, which is told even earlier
        assert error == "a split needs at least two groups of images, got 1\n"
    assert not (tmp_path / "run").exists()


def test_a_distortion_type_with_a_single_image_is_named(distorted):
    database = read_database(distorted)
    first = [place for place, image in enumerate(database) if image.distortion_type == "kadid10k:GB"]
    rest = [place for place in range(len(database)) if place not in first]
    require_learnable(database, by_type=True)
    with pytest.raises(DatabaseError, match="has a single photo of the distortion type kadid10k:GB, and a task needs"):
        require_learnable(database.take([first[0], *rest]), by_type=True)


@pytest.mark.parametrize(("test", "what"), [((0, 1), "2 images"), ((2, 3, 4), "3 images of the same score")])
def test_a_fold_that_no_training_could_be_judged_on_is_told_before_any(tiny_csv, tmp_path, test, what):
    database = read_database(rated(tiny_csv, tmp_path, [10, 20, 50, 50, 50, 60, 70]))
    plan = Plan(database, Protocol.AUTHENTIC, [(Fold("split-0", 0, (5, 6), test), None)])
    with pytest.raises(EvaluationError, match=f"split-0 of mine would be judged on {what}, and a correlation needs at"):
        refuse_unjudgeable(plan)


@pytest.mark.parametrize("rate", [math.nan, math.inf, -math.inf, 0.0, -1e-4])
def test_a_learning_rate_that_is_no_positive_finite_number_is_refused_everywhere(rate):
    makers = [
        lambda: FineTuneConfig(learning_rate=rate),
        lambda: FineTuneConfig(head_learning_rate=rate),
        lambda: MetaConfig(inner_learning_rate=rate),
        lambda: MetaConfig(outer_learning_rate=rate),
        lambda: MetaConfig(head_learning_rate=rate),
        lambda: BaselineConfig(learning_rate=rate),
        lambda: BaselineRates(learning_rate=rate),
        lambda: BaselineRates(head_learning_rate=rate),
    ]
    for make in makers:
        with pytest.raises(ValueError, match=r"must be (above 0|a finite number)"):
            make()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_setting_may_be_without_a_value(value):
    for name in ("weight_decay", "correlation_weight", "gradient_norm", "averaging", "validation_share"):
        with pytest.raises(ValueError, match=f"{name} must be a finite number, got {value}"):
            FineTuneConfig(**{name: value})
    with pytest.raises(ValueError, match="--rehearsal-share must be a finite number"):
        TuningConfig(rehearsal_share=value)
    with pytest.raises(ValueError, match="seed must be from 0 to"):
        FineTuneConfig(seed=2**64)


def broken(network):
    with torch.no_grad():
        network.head[-1].bias.fill_(math.inf)
    return network


def test_weights_that_are_not_finite_are_never_written(tiny_checkpoint, tmp_path):
    checkpoint = load_checkpoint(tiny_checkpoint)
    path = tmp_path / "new.safetensors"
    save_checkpoint(checkpoint.network, checkpoint.card, path)
    before = path.read_bytes()
    with pytest.raises(
        TrainingError, match=r"The weights are not finite any more, first in head\.3\.bias: nothing was"
    ):
        save_checkpoint(broken(load_checkpoint(tiny_checkpoint).network), checkpoint.card, path)
    assert path.read_bytes() == before


def test_running_statistics_count_as_weights(tiny_checkpoint, tmp_path):
    checkpoint = load_checkpoint(tiny_checkpoint)
    norm = next(module for module in checkpoint.network.modules() if isinstance(module, torch.nn.BatchNorm2d))
    norm.running_mean[0] = math.nan
    with pytest.raises(TrainingError, match="running_mean"):
        save_checkpoint(checkpoint.network, checkpoint.card, tmp_path / "new.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_fine_tuning_that_goes_astray_in_its_last_step_leaves_no_state(
    tiny_photos, tiny_checkpoint, tmp_path, monkeypatch
):
    def ruin(self, loss):
        broken(self.outcome)
        return float(loss.detach())

    monkeypatch.setattr(Descent, "step", ruin)
    network = load_checkpoint(tiny_checkpoint).network
    config = FineTuneConfig(epochs=1, batch_size=24, crop=64, batch_norm="frozen")
    with pytest.raises(TrainingError, match="The weights are not finite any more"):
        finish(fine_tune(network, tiny_photos, range(24), config, state_file=tmp_path / "state.pt"))
    assert not (tmp_path / "state.pt").exists()


META = MetaConfig(epochs=1, inner_steps=1, tasks_per_batch=3, support_batch=4, query_batch=4, crop=64)
BASELINE = BaselineConfig(image_passes=12, batch_size=12, crop=64)


@pytest.mark.parametrize(("train", "config"), [(meta_train, META), (train_baseline, BASELINE)])
def test_a_prior_that_goes_astray_in_its_last_step_leaves_no_state(
    distorted, tiny_checkpoint, tmp_path, monkeypatch, train, config
):
    record = TrainingRun.record

    def ruin(self, *arguments, **options):
        self.weights.values.fill_(math.nan)
        return record(self, *arguments, **options)

    monkeypatch.setattr(TrainingRun, "record", ruin)
    database = read_database(distorted)
    checkpoint = load_checkpoint(tiny_checkpoint)
    photos = TrainingPhotos(database.images, checkpoint.preprocessing)
    work = train(checkpoint.network, photos, distortion_tasks(database), config, state_file=tmp_path / "state.pt")
    with pytest.raises(TrainingError, match="The weights are not finite any more"):
        finish(work)
    assert not (tmp_path / "state.pt").exists()


@pytest.mark.parametrize("rate", [1e39, 1e7])
def test_a_rate_beyond_all_use_is_refused_before_it_overflows(rate):
    for make in (FineTuneConfig, BaselineConfig, BaselineRates):
        with pytest.raises(ValueError, match=r"learning_rate must be at most 1e\+06, got"):
            make(learning_rate=rate)


def test_scores_that_are_not_finite_are_no_result_of_a_fold(tiny_photos, tiny_checkpoint):
    network = broken(load_checkpoint(tiny_checkpoint).network)
    with pytest.raises(TrainingError, match="the score inf: its weights have grown far too large"):
        predict(network, tiny_photos, [0, 1])


@pytest.mark.parametrize("folder", [".", "..", "inner/.."])
def test_a_run_folder_without_a_name_of_its_own_has_the_folders_name(tmp_path, monkeypatch, folder):
    work = tmp_path / "outer" / "work"
    (work / "inner").mkdir(parents=True)
    monkeypatch.chdir(work)
    assert RunFolder(Path(folder)).name == (work / folder).resolve().name
    with pytest.raises(TrainingError, match="The run's folder has no name"):
        RunFolder(Path("/"))


def test_a_run_folder_that_is_a_file_or_lies_in_one_is_refused(tmp_path):
    (tmp_path / "photo.jpg").touch()
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for folder, place in (("photo.jpg", "photo.jpg"), ("photo.jpg/runs/mine", "photo.jpg"), ("nowhere", "nowhere")):
        with pytest.raises(TrainingError) as refusal:
            RunFolder(tmp_path / folder)
        assert str(refusal.value) == (
            f"The run's folder {tmp_path / folder} cannot be made: {tmp_path / place} is not a folder. Choose another "
            "place."
        )
    assert RunFolder(tmp_path / "new" / "run").name == "run"


def test_a_model_that_is_trained_here_is_called_after_this_folder(tiny_csv, tiny_checkpoint, tmp_path, monkeypatch):
    work = tmp_path / "holidays"
    work.mkdir()
    monkeypatch.chdir(work)
    words = ["fine-tune", "--database", str(tiny_csv), "--run-dir", ".", "--model", str(tiny_checkpoint), *SHORT]
    assert main([*words, "--preset", "recommended", "--frozen-stages", "0"]) == 0
    assert load_checkpoint(work / "holidays.safetensors").card.name == "holidays"


def test_what_a_card_cannot_say_is_told_before_the_training(tiny_csv, tiny_checkpoint, tmp_path, capsys):
    words = ["fine-tune", "--database", str(tiny_csv), "--run-dir", str(tmp_path / "run"), "--model",
             str(tiny_checkpoint), *SHORT]  # fmt: skip
    for more, sentence in (
        (["--name", "../up"], "a model's name is also the name of its files"),
        (["--licence", "x" * 20_000], "The card of the model run cannot be written: licence must be a text of at most"),
        (["--population", "x" * 300], "--population must be at most 200 characters"),
    ):
        assert main([*words, *more]) == 2
        assert capsys.readouterr().err.startswith(sentence)
    assert not (tmp_path / "run").exists()
