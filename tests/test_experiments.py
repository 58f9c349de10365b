"""Each experiment is called from Python in three lines, with its configuration checked before any work."""

import pytest
import torch
from tiny_fixtures import TINY_TYPES

from metaiqa_core.databases.reading import read_database
from metaiqa_core.evaluation.protocols import known_distortion_folds
from metaiqa_core.experiments.ablation import ablation
from metaiqa_core.experiments.adaptation import AdaptationConfig
from metaiqa_core.experiments.adaptation_curve import AdaptationCurveConfig, adaptation_curve
from metaiqa_core.experiments.fine_tuning import FineTuningConfig, fine_tuning
from metaiqa_core.experiments.leave_one_out import LeaveOneOutConfig, leave_one_out
from metaiqa_core.experiments.parameter_study import ParameterStudyConfig, parameter_study
from metaiqa_core.experiments.prior import PriorConfig, learn_prior
from metaiqa_core.experiments.prior_recipe import BaselineRates, PriorRecipe
from metaiqa_core.experiments.repeated_splits import RepeatedSplitsConfig, repeated_splits
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin, Start
from metaiqa_core.experiments.workers import Workers
from metaiqa_core.models.checkpoints import load_checkpoint
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import finish
from metaiqa_core.results.records import Protocol
from metaiqa_core.results.run_log import read_metrics
from metaiqa_core.results.storage import read_run
from metaiqa_core.tasks import distortion_tasks
from metaiqa_core.training.configuration import FineTuneConfig
from metaiqa_core.training.meta import image_passes
from metaiqa_core.training.meta_configuration import MetaConfig

META = MetaConfig(epochs=1, inner_steps=1, support_batch=4, query_batch=4, crop=64)
TUNING = FineTuneConfig(epochs=1, crop=64, batch_norm="frozen")


@pytest.fixture
def origin(tiny_checkpoint):
    return Origin(model=str(tiny_checkpoint))


def test_leave_one_out(distorted, origin, tmp_path):
    database = read_database(distorted)
    work = leave_one_out(database, origin, LeaveOneOutConfig(META, methods=("MetaIQA",)), RunFolder(tmp_path / "lodo"))
    sroccs = finish(work).srocc("MetaIQA")
    assert list(sroccs) == list(TINY_TYPES)
    records = read_run(tmp_path / "lodo").records
    assert {record.value for record in records if record.metric == "srocc"} == set(sroccs.values())
    passes = image_passes(distortion_tasks(database)[1:], META)
    assert {record.source.configuration["image_passes"] for record in records} == {passes}


def test_a_training_that_knows_the_type_learns_from_one_half_of_its_contents_and_judges_the_other(
    distorted, origin, tmp_path
):
    database, run = read_database(distorted), RunFolder(tmp_path / "known")
    config = LeaveOneOutConfig(META, methods=("MetaIQA",), types=TINY_TYPES[:1], knows_half=True)
    splits = finish(leave_one_out(database, origin, config, run)).splits["MetaIQA"]
    task = distortion_tasks(database)[0]
    assert sorted(place for split in splits for place in split.test) == list(task.positions)
    contents = [{database.images[place].reference for place in split.test} for split in splits]
    assert contents[0].isdisjoint(contents[1])
    for fold in known_distortion_folds(database, [0])[:2]:
        assert sorted(fold.training + fold.test) == list(range(len(database)))
    records = read_run(run.folder).records
    assert {(one.protocol, one.distortion_type) for one in records} == {
        (Protocol.KNOWN_DISTORTION, TINY_TYPES[0].partition(":")[2])
    }


def test_repeated_splits(tiny_database, origin, tmp_path):
    config = RepeatedSplitsConfig(TUNING, least_steps=1, repeats=2)
    work = repeated_splits(tiny_database, origin, config, RunFolder(tmp_path / "splits"))
    measured = finish(work)
    assert measured.summary()["seeds"] == [0, 1]
    assert measured.calibration("tiny photos").population == "tiny photos"
    assert {record.method for record in read_run(tmp_path / "splits").records} == {"splits"}
    assert set(read_metrics(tmp_path / "splits")["metric"]) >= {"loss", "srocc", "plcc"}


def test_ablation_and_adaptation_curve(tiny_database, origin, tmp_path):
    run, starts = RunFolder(tmp_path / "run"), {"A": origin, "B": origin}
    work = ablation(tiny_database, starts, AdaptationConfig(TUNING, least_steps=1, seeds=(0,)), run)
    compared = finish(work)
    assert compared.summary("A") == compared.summary("B")  # the same start under two names
    config = AdaptationCurveConfig(TUNING, least_steps=1, seeds=(0, 1), sizes=(4, 8))
    curve = finish(adaptation_curve(tiny_database, {"A": origin}, config, run))
    assert len(curve.sroccs("A", size=8)) == 2
    # Both experiments are in the results of the run that they share.
    assert {str(record.protocol) for record in read_run(run.folder).records} == {"ablation", "adaptation-curve"}


def test_parameter_study(distorted, tiny_database, origin, tmp_path):
    config = ParameterStudyConfig(META, tasks=(1,), steps=(), tuning=TUNING, labelled_photos=4)
    work = parameter_study([read_database(distorted)], tiny_database, origin, config, RunFolder(tmp_path / "study"))
    study = finish(work)
    assert list(study.splits) == [(1, 1)]
    assert study.srocc((1, 1)) == study.splits[1, 1][0].srocc


def test_prior_and_fine_tuning(distorted, tiny_database, origin, tmp_path):
    work = learn_prior([read_database(distorted)], origin, PriorConfig(META), RunFolder(tmp_path / "prior"))
    prior = finish(work)
    assert load_checkpoint(prior.file).card.recipe["command"] == "called from Python"
    config = FineTuningConfig(tuning=TUNING, least_steps=1, licence="mine")
    tuned = finish(fine_tuning(tiny_database, Origin(model=str(prior.file)), config, RunFolder(tmp_path / "tuned")))
    assert (tuned.measured, tuned.file) == (None, tmp_path / "tuned" / "tuned.safetensors")
    assert load_checkpoint(tuned.file).card.licence == "mine"


def test_a_model_starts_at_its_own_short_side_or_at_another(tiny_checkpoint):
    own = Origin(model=str(tiny_checkpoint)).load(folded=True).preprocessing
    assert own == load_checkpoint(tiny_checkpoint).preprocessing
    other = Origin(model=str(tiny_checkpoint), short_side=70).load(folded=True)
    assert (other.preprocessing.short_side, other.preprocessing.minimum_side) == (70, min(own.minimum_side, 70))
    assert Origin(weights="random").load(folded=True).preprocessing.short_side == 500


def test_a_recipe_tells_its_backbone_without_building_a_network(tiny_checkpoint):
    start = Origin(model=str(tiny_checkpoint)).load(folded=True)
    hash_of_start, state = start.hash, torch.get_rng_state()

    def refuse():
        pytest.fail("a network was built")

    described = PriorRecipe(Start(refuse, Preprocessing(), "a start", start.backbone), META)
    described.start.__dict__["hash"] = hash_of_start  # what a cached property leaves behind
    assert described.to_dict()["backbone"] == "mobilenet_v3_small"
    PriorRecipe(Origin(model=str(tiny_checkpoint)).load(folded=True), META).to_dict()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: LeaveOneOutConfig(methods=("DIIVINE",)), "methods are MetaIQA and Baseline, got 'DIIVINE'"),
        (lambda: LeaveOneOutConfig(seeds=()), "leave-one-out needs at least one method and one seed"),
        (lambda: PriorConfig(method="ours"), "method must be one of MetaIQA, Baseline, got 'ours'"),
        (lambda: BaselineRates(learning_rate=0), "Baseline's learning_rate must be above 0, got 0"),
        (lambda: BaselineRates(batch_size=0), "Baseline's batch_size must be at least 1, got 0"),
        (lambda: AdaptationConfig(seeds=()), "a comparison needs at least one seed"),
        (lambda: AdaptationCurveConfig(sizes=(20, 10)), r"sizes are numbers of photos in ascending order, got \(20, 1"),
        (lambda: ParameterStudyConfig(tasks=(0, 1)), "tasks must be at least 1, got 0"),
        (lambda: RepeatedSplitsConfig(repeats=0), "repeated splits need at least one repeat, got 0"),
        (lambda: FineTuningConfig(repeats=-1), "--repeats must be 0 or more, got -1"),
        (lambda: FineTuningConfig(first_seed=-1), "--first-seed must be 0 or more, got -1"),
        (lambda: FineTuningConfig(only_measure=True), "--only-measure measures by repeated splits: say how many with"),
        (lambda: Origin(backbone="vgg"), "backbone must be one of .*, got 'vgg'"),
        (lambda: Origin(model="mine", short_side=0), "short_side must be a positive integer, got 0"),
        (lambda: Workers(1, ["metaiqa"]), "workers share folds, so there must be 2 or more, got 1"),
    ],
)
def test_impossible_configurations_are_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
