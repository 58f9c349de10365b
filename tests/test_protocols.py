"""Repeated splits: disjoint, kept, continued, and summed up."""

import json

import numpy as np
import pytest

from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.protocols import Split, repeated_splits, summarise
from metaiqa_core.progress import Progress, finish


class Trainer:
    """Predicts the opinion with noise, and remembers what it was asked to do."""

    def __init__(self, database):
        self.database, self.calls = database, []

    def __call__(self, training, test, seed):
        self.calls.append((training, test, seed))
        yield Progress("fine-tuning", 1, 1, {"loss": 0.5})
        opinion = np.array([self.database.images[position].unit_score for position in test])
        return opinion + np.random.default_rng(seed).normal(0, 0.2, len(test))


def test_each_split_trains_on_one_part_and_is_judged_on_the_other(tiny_database, tmp_path):
    trainer = Trainer(tiny_database)
    splits = finish(repeated_splits(tiny_database, trainer, [5, 6, 7], tmp_path))
    assert [split.seed for split in splits] == [5, 6, 7] == [seed for _, _, seed in trainer.calls]
    for split, (training, test, _) in zip(splits, trainer.calls, strict=True):
        assert split.test == tuple(test)
        assert len(test) == 5  # 20 % of 24
        assert sorted(training + test) == list(range(24))
        assert split.opinion == tuple(tiny_database.images[position].unit_score for position in test)
    assert len({split.test for split in splits}) == 3


def test_progress_names_the_split_and_passes_the_trainers_numbers_on(tiny_database, tmp_path):
    shown = []
    splits = finish(repeated_splits(tiny_database, Trainer(tiny_database), [0, 1], tmp_path), shown.append)
    assert shown == [
        Progress("split 1 of 2: fine-tuning", 1, 1, {"loss": 0.5}),
        Progress("split 1 of 2: done", 1, 2, {"srocc": splits[0].srocc, "plcc": splits[0].plcc}),
        Progress("split 2 of 2: fine-tuning", 1, 1, {"loss": 0.5}),
        Progress("split 2 of 2: done", 2, 2, {"srocc": splits[1].srocc, "plcc": splits[1].plcc}),
    ]


def test_finished_splits_are_not_computed_again(tiny_database, tmp_path):
    first = finish(repeated_splits(tiny_database, Trainer(tiny_database), [0, 1], tmp_path))
    trainer = Trainer(tiny_database)
    again = finish(repeated_splits(tiny_database, trainer, [0, 1, 2], tmp_path))
    assert [seed for _, _, seed in trainer.calls] == [2]
    assert again[:2] == first


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"seed": 0, "test": 3, "predicted": [], "opinion": []}'])
def test_a_damaged_split_says_what_to_delete(tiny_database, tmp_path, text):
    (tmp_path / "split-0.json").write_text(text)
    with pytest.raises(EvaluationError) as caught:
        finish(repeated_splits(tiny_database, Trainer(tiny_database), [0], tmp_path))
    assert str(caught.value) == (
        f"The finished split in {tmp_path / 'split-0.json'} is damaged: delete it to compute it again."
    )


@pytest.mark.parametrize("change", [{"seed": 1}, {"test": [0, 1, 2, 3, 4]}, {"opinion": [0.1, 0.2, 0.3, 0.4, 0.5]}])
def test_a_split_of_another_database_is_refused(tiny_database, tmp_path, change):
    finish(repeated_splits(tiny_database, Trainer(tiny_database), [0], tmp_path))
    file = tmp_path / "split-0.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(EvaluationError) as caught:
        finish(repeated_splits(tiny_database, Trainer(tiny_database), [0], tmp_path))
    assert str(caught.value) == f"{file} is a split of another database: choose another --run-dir, or delete it."


def split_with(seed, predicted):
    return Split(seed, (0, 1, 2), tuple(predicted), (0.1, 0.5, 0.9))


def test_the_summary_holds_means_and_sample_deviations():
    splits = [split_with(0, (0.1, 0.5, 0.9)), split_with(1, (0.9, 0.5, 0.1)), split_with(2, (0.5, 0.1, 0.9))]
    summary = summarise(splits)
    assert summary == {
        "splits": 3,
        "seeds": [0, 1, 2],
        "n_test": 3,
        "srocc_mean": pytest.approx((1 - 1 + 0.5) / 3),
        "plcc_mean": pytest.approx((1 - 1 + 0.5) / 3),
        "srocc_std": pytest.approx(np.sqrt(((1 - 1 / 6) ** 2 + (-1 - 1 / 6) ** 2 + (0.5 - 1 / 6) ** 2) / 2)),
        "plcc_std": pytest.approx(np.sqrt(((1 - 1 / 6) ** 2 + (-1 - 1 / 6) ** 2 + (0.5 - 1 / 6) ** 2) / 2)),
    }


def test_one_split_has_no_deviation():
    assert set(summarise([split_with(0, (0.1, 0.5, 0.9))])) == {"splits", "seeds", "n_test", "srocc_mean", "plcc_mean"}
