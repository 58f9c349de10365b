"""The loop over folds: what is finished is kept, continued and published, and a fold has one store."""

import json
import shutil
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from metaiqa_core.errors import EvaluationError, TrainingError
from metaiqa_core.evaluation.protocols import Fold, Split, random_folds
from metaiqa_core.experiments.folds import Candidate, Plan, compare, run_folds
from metaiqa_core.experiments.repeated_splits import split_plan
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.progress import Kind, Progress, finish, outcome
from metaiqa_core.results.finished_fold import FinishedFold
from metaiqa_core.results.fold_store import FoldStore
from metaiqa_core.results.records import Protocol
from metaiqa_core.results.storage import read_predictions, read_run


class Trainer:
    """Predicts the opinion with noise, and remembers what it was asked to do."""

    def __init__(self, database):
        self.database, self.calls = database, []

    def __call__(self, training, test, seed):
        self.calls.append((training, test, seed))
        yield Progress("fine-tuning", 1, 1, {"loss": 0.5})
        opinion = np.array([self.database.images[position].unit_score for position in test])
        return opinion + np.random.default_rng(seed).normal(0, 0.2, len(test))


def candidate_of(trainer, name="tiny", folder="splits", **configuration):
    return Candidate(
        name,
        folder,
        {"recipe": name},
        lambda fold, state: trainer,
        lambda fold: {"labelled_photos": len(fold.training), **configuration},
    )


def splits_of(database, trainer, seeds, folder):
    """What repeated splits give with a trainer of the test's own."""
    finished = yield from run_folds(split_plan(database, candidate_of(trainer), seeds), RunFolder(folder))
    return finished["tiny"]


def test_each_split_trains_on_one_part_and_is_judged_on_the_other(tiny_database, tmp_path):
    trainer = Trainer(tiny_database)
    splits = finish(splits_of(tiny_database, trainer, [5, 6, 7], tmp_path))
    assert [split.seed for split in splits] == [5, 6, 7] == [seed for _, _, seed in trainer.calls]
    for split, (training, test, _) in zip(splits, trainer.calls, strict=True):
        assert split.test == tuple(test)
        assert len(test) == 5  # 20 % of 24
        assert sorted(training + test) == list(range(24))
        assert split.opinion == tuple(tiny_database.images[position].unit_score for position in test)
    assert len({split.test for split in splits}) == 3


def test_progress_names_the_split_and_passes_the_trainers_numbers_on(tiny_database, tmp_path):
    shown = []
    splits = finish(splits_of(tiny_database, Trainer(tiny_database), [0, 1], tmp_path), shown.append)
    assert [progress.title for progress in shown] == [
        "split 1 of 2: fine-tuning", "split 1 of 2: done", "split 2 of 2: fine-tuning", "split 2 of 2: done"
    ]  # fmt: skip
    assert shown == [
        Progress("fine-tuning", 1, 1, {"loss": 0.5}, "split 1 of 2", 1, 2),
        outcome("split 1 of 2", 1, 2, {"srocc": splits[0].srocc, "plcc": splits[0].plcc}),
        Progress("fine-tuning", 1, 1, {"loss": 0.5}, "split 2 of 2", 2, 2),
        outcome("split 2 of 2", 2, 2, {"srocc": splits[1].srocc, "plcc": splits[1].plcc}),
    ]


def test_a_split_that_ranks_nothing_does_not_stop_the_others(tiny_database, tmp_path):
    class Collapsing(Trainer):
        def __call__(self, training, test, seed):
            predicted = yield from super().__call__(training, test, seed)
            return predicted if seed else np.full(len(test), 0.5)

    trainer = Collapsing(tiny_database)
    shown = []
    splits = finish(splits_of(tiny_database, trainer, [0, 1, 2], tmp_path), shown.append)
    assert [split.collapsed for split in splits] == [True, False, False]
    assert shown[1].title == "split 1 of 3: done, but every image got the same score"
    assert (shown[1].step, shown[1].total, shown[1].kind, shown[1].metrics) == (1, 3, Kind.OUTCOME, {})
    assert [seed for _, _, seed in trainer.calls] == [0, 1, 2]
    assert {file.stem for file in (tmp_path / "splits").glob("*.json")} == {"split-0", "split-1", "split-2"}


def test_finished_splits_are_not_computed_again(tiny_database, tmp_path):
    first = finish(splits_of(tiny_database, Trainer(tiny_database), [0, 1], tmp_path))
    trainer = Trainer(tiny_database)
    again = finish(splits_of(tiny_database, trainer, [0, 1, 2], tmp_path))
    assert [seed for _, _, seed in trainer.calls] == [2]
    assert again[:2] == first


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"seed": 0, "test": 3, "predicted": [], "opinion": []}'])
def test_a_damaged_split_says_what_to_delete(tiny_database, tmp_path, text):
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "split-0.json").write_text(text)
    with pytest.raises(EvaluationError) as caught:
        finish(splits_of(tiny_database, Trainer(tiny_database), [0], tmp_path))
    assert str(caught.value) == (
        f"The finished split in {tmp_path / 'splits' / 'split-0.json'} is damaged: delete it to compute it again."
    )


@pytest.mark.parametrize("change", [{"seed": 1}, {"test": [0, 1, 2, 3, 4]}, {"opinion": [0.1, 0.2, 0.3, 0.4, 0.5]}])
def test_a_split_of_another_database_is_refused(tiny_database, tmp_path, change):
    finish(splits_of(tiny_database, Trainer(tiny_database), [0], tmp_path))
    file = tmp_path / "splits" / "split-0.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(EvaluationError) as caught:
        finish(splits_of(tiny_database, Trainer(tiny_database), [0], tmp_path))
    assert str(caught.value) == f"{file} is a split of another database: choose another --run-dir, or delete it."


def comparison(database, trainers, seeds=(0, 1)):
    """A plan that judges several candidates on the same random splits."""
    candidates = [candidate_of(trainer, name, f"folds/{name}", k=5) for name, trainer in trainers.items()]
    rounds = [(fold, candidate) for fold in random_folds(database, seeds) for candidate in candidates]
    return Plan(database, Protocol.ABLATION, rounds, publish_every=len(candidates))


def numbers(folder):
    return [(one.method, one.metric, one.value, one.interval, one.source.seed) for one in read_run(folder).records]


def test_results_are_made_of_the_folds_and_can_be_made_again(tiny_database, tmp_path):
    trainers = {name: Trainer(tiny_database) for name in ("A", "B")}
    finish(compare(comparison(tiny_database, trainers), RunFolder(tmp_path)))
    before, run = numbers(tmp_path), read_run(tmp_path)
    frames = {name: read_predictions(run, name) for name in run.predictions}
    (tmp_path / "results.json").unlink()
    shutil.rmtree(tmp_path / "predictions")
    finish(compare(comparison(tiny_database, trainers), RunFolder(tmp_path)))
    assert numbers(tmp_path) == before
    assert len(before) == 8
    run = read_run(tmp_path)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(read_predictions(run, name), frame)
    assert all(len(trainer.calls) == 2 for trainer in trainers.values())


def as_version_0_1_wrote_it(file):
    """Take from a fold's file what version 0.1 did not put there."""
    content = json.loads(file.read_text())
    older = {name: content[name] for name in ("seed", "test", "predicted", "opinion", "name", "held_out")}
    file.write_text(json.dumps(older))


def test_a_run_of_version_0_1_goes_on_and_loses_nothing(tiny_database, tmp_path):
    trainers = {name: Trainer(tiny_database) for name in ("A", "B")}
    finish(compare(comparison(tiny_database, trainers), RunFolder(tmp_path)))
    before = read_run(tmp_path)
    files = list((tmp_path / "folds").glob("*/split-*.json"))
    for file in files:
        as_version_0_1_wrote_it(file)
    narrower = comparison(tiny_database, {"A": trainers["A"]}, seeds=[1])
    finish(compare(narrower, RunFolder(tmp_path)))
    assert len(files) == 4
    assert len(trainers["A"].calls) == 2
    assert set(read_run(tmp_path).records) == set(before.records)
    assert read_run(tmp_path).predictions == before.predictions


def plan_with_one_name_twice(database, trainers):
    """A plan whose folds folds/A-B/x-seed-0.json and folds/A/B-x-seed-0.json would share a name, and one more."""
    first, second = random_folds(database, [0, 1])
    ambiguous = {"A": replace(second, name="B-x-seed-0"), "A-B": replace(first, name="x-seed-0")}
    rounds = [(fold, candidate_of(trainers[name], name, f"folds/{name}")) for name, fold in ambiguous.items()]
    rounds.append((replace(first, name="x-seed-0"), candidate_of(trainers["C"], "C", "folds/C")))
    return Plan(database, Protocol.ABLATION, rounds)


@pytest.mark.parametrize("order", [1, -1])
def test_two_folds_whose_names_run_together_are_both_in_the_results(tiny_database, tmp_path, order):
    trainers = {name: Trainer(tiny_database) for name in ("A", "A-B", "C")}
    plan = plan_with_one_name_twice(tiny_database, trainers)
    plan = replace(plan, rounds=plan.rounds[::order])
    finished = finish(compare(plan, RunFolder(tmp_path)))
    run = read_run(tmp_path)
    stored = {record.method: record.source.predictions for record in run.records}
    assert len(run.records) == 6
    assert stored["C"] == "C-x-seed-0"
    assert stored == {record.method: record.source.predictions for record in again(plan, tmp_path).records}
    for method, name in stored.items():
        (split,) = finished[method]
        assert tuple(read_predictions(run, name)["predicted_score"]) == split.predicted


def again(plan, folder):
    """The run whose results were made again from its folds."""
    (folder / "results.json").unlink()
    shutil.rmtree(folder / "predictions")
    finish(compare(plan, RunFolder(folder)))
    return read_run(folder)


def test_older_folds_whose_names_run_together_do_not_become_the_same_fold(tiny_database, tmp_path):
    trainers = {name: Trainer(tiny_database) for name in ("A", "A-B", "C")}
    plan = plan_with_one_name_twice(tiny_database, trainers)
    finished = finish(compare(plan, RunFolder(tmp_path)))
    for file in (tmp_path / "folds").glob("*/*-seed-0.json"):
        as_version_0_1_wrote_it(file)
    finish(compare(plan, RunFolder(tmp_path)))
    run = read_run(tmp_path)
    assert len(run.records) == 6
    for record in run.records:
        (split,) = finished[record.method]
        assert tuple(read_predictions(run, record.source.predictions)["predicted_score"]) == split.predicted


def test_predictions_that_a_full_disk_refused_are_published_the_next_time(tiny_database, tmp_path, monkeypatch):
    fold = FinishedFold.of_today(
        Split(0, (0, 1, 2), (0.1, 0.2, 0.4), (0.1, 0.3, 0.2)), tiny_database, "A", Protocol.ABLATION, {}
    )
    store = FoldStore(tmp_path)
    store.keep(tmp_path / "folds" / "A" / "split-0.json", fold)
    with monkeypatch.context() as patched:
        patched.setattr("metaiqa_core.results.predictions.write_whole", Mock(side_effect=OSError("full")))
        with pytest.raises(OSError, match="full"):
            store.publish()
    store.publish()
    assert len(read_predictions(read_run(tmp_path), "A-split-0")) == 3


def test_a_fold_that_version_0_1_never_published_is_left_to_its_own_command(tiny_database, tmp_path):
    trainers = {name: Trainer(tiny_database) for name in ("A", "B")}
    finish(compare(comparison(tiny_database, trainers), RunFolder(tmp_path)))
    for file in (tmp_path / "folds").glob("*/split-*.json"):
        as_version_0_1_wrote_it(file)
    (tmp_path / "results.json").unlink()
    finish(compare(comparison(tiny_database, {"A": trainers["A"]}), RunFolder(tmp_path)))
    assert {method for method, *_ in numbers(tmp_path)} == {"A"}
    finish(compare(comparison(tiny_database, trainers), RunFolder(tmp_path)))
    assert {method for method, *_ in numbers(tmp_path)} == {"A", "B"}
    assert [len(trainer.calls) for trainer in trainers.values()] == [2, 2]


def test_a_fold_keeps_the_day_on_which_it_was_measured(tiny_database, tmp_path):
    trainer = Trainer(tiny_database)
    finish(splits_of(tiny_database, trainer, [0], tmp_path))
    file = tmp_path / "splits" / "split-0.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"date": "2020-02-02"}))
    finish(splits_of(tiny_database, trainer, [0, 1], tmp_path))
    dates = {record.source.seed: record.source.date for record in read_run(tmp_path).records}
    assert dates[0] == "2020-02-02"
    assert dates[1] > "2020-02-02"


def test_shards_compute_their_part_and_publish_nothing(tiny_database, tmp_path):
    trainer = Trainer(tiny_database)
    plan = comparison(tiny_database, {"A": trainer}, seeds=range(3))
    first = finish(compare(plan, RunFolder(tmp_path, shard=(1, 2))))
    second = finish(compare(plan, RunFolder(tmp_path, shard=(2, 2))))
    assert ([split.seed for split in first["A"]], [split.seed for split in second["A"]]) == ([0, 2], [1])
    assert not (tmp_path / "results.json").exists()
    whole = finish(compare(plan, RunFolder(tmp_path)))
    assert [split.seed for split in whole["A"]] == [0, 1, 2]
    assert len(trainer.calls) == 3
    assert len(numbers(tmp_path)) == 6
    with pytest.raises(ValueError, match=r"a shard \(i, n\) needs i from 1 to n, got \(3, 2\)"):
        RunFolder(tmp_path, shard=(3, 2))


def test_folds_of_another_recipe_are_refused_before_any_work(tiny_database, tmp_path):
    trainer = Trainer(tiny_database)
    finish(compare(comparison(tiny_database, {"A": trainer}), RunFolder(tmp_path)))
    fold = Fold("other", 0, (0, 1), (2, 3, 4))
    other = Candidate("A", "folds/A", {"recipe": "another"}, lambda *_: trainer, lambda _: {})
    with pytest.raises(TrainingError, match="were made by another configuration, from other weights or of other"):
        finish(compare(Plan(tiny_database, Protocol.ABLATION, [(fold, other)]), RunFolder(tmp_path)))
    assert len(trainer.calls) == 2


def test_a_comparison_is_published_in_pairs(tiny_database, tmp_path):
    trainers = {name: Trainer(tiny_database) for name in ("A", "B")}
    work = compare(comparison(tiny_database, trainers), RunFolder(tmp_path))
    published = []
    for progress in work:
        if progress.kind == Kind.OUTCOME:
            published.append(len(numbers(tmp_path)) if (tmp_path / "results.json").exists() else 0)
    assert published == [0, 4, 4, 8]  # two criteria a fold: the first fold of both, and never that of one alone
