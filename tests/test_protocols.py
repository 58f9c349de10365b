"""Repeated splits: disjoint, kept, continued, and summed up."""

import json
from pathlib import Path

import numpy as np
import pytest

from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.protocols import (
    Fold,
    Split,
    adaptation_folds,
    authentic_folds,
    authentic_protocol,
    leave_one_distortion_out_folds,
    repeated_splits,
    subset_folds,
    summarise,
)
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


def test_a_split_that_ranks_nothing_does_not_stop_the_others(tiny_database, tmp_path):
    class Collapsing(Trainer):
        def __call__(self, training, test, seed):
            predicted = yield from super().__call__(training, test, seed)
            return predicted if seed else np.full(len(test), 0.5)

    trainer = Collapsing(tiny_database)
    shown = []
    splits = finish(repeated_splits(tiny_database, trainer, [0, 1, 2], tmp_path), shown.append)
    assert [split.collapsed for split in splits] == [True, False, False]
    assert shown[1] == Progress("split 1 of 3: done, but every image got the same score", 1, 3)
    assert [seed for _, _, seed in trainer.calls] == [0, 1, 2]
    assert {file.stem for file in tmp_path.glob("*.json")} == {"split-0", "split-1", "split-2"}


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


def typed(subsets=("",)):
    """A database without files, of 3 types x 4 references."""
    images = [
        RatedImage(
            Path(f"{kind}-{reference}.png"), reference / 3, reference, f"r{reference}", f"kadid10k:{kind}", 1, subset
        )
        for reference, subset in zip(range(4), subsets * 4, strict=False)
        for kind in ("GB", "WN", "IN")
    ]
    return Database("typed", tuple(images), (0.0, 3.0))


def test_leave_one_distortion_out_tests_each_type_once_a_seed_on_what_no_fold_learned():
    database = typed()
    folds = leave_one_distortion_out_folds(database, [0, 7])
    assert [fold.name for fold in folds] == [f"{kind}-seed-{seed}" for seed in (0, 7) for kind in ("GB", "WN", "IN")]
    for fold in folds:
        assert {database.images[position].distortion_type for position in fold.test} == {fold.held_out}
        assert fold.held_out not in {database.images[position].distortion_type for position in fold.training}
        assert len(fold.training) + len(fold.test) == len(database)


def test_subsets_are_learned_from_or_tested_on_whole():
    database = typed(("IS1", "IS2", "IS3", "IS4"))
    for fold in subset_folds(database, range(5)):
        tested = {database.images[position].subset for position in fold.test}
        learned = {database.images[position].subset for position in fold.training}
        assert len(tested) == 2
        assert tested | learned == {"IS1", "IS2", "IS3", "IS4"}
        assert not tested & learned
    with pytest.raises(EvaluationError, match="typed has 0 subsets, and 2 are to be held out: use random splits"):
        subset_folds(typed(), [0])


def test_ten_seeds_hold_out_ten_pairs_of_image_sets_where_the_paper_does():
    images = [RatedImage(Path(f"{number}.png"), number / 11, number, subset=f"IS{number % 6}") for number in range(12)]
    cid2013 = Database("CID2013", tuple(images), (0.0, 11.0))
    held_out = [fold.held_out for fold in authentic_folds(cid2013, range(15))]
    assert len(set(held_out)) == 15
    assert authentic_protocol(cid2013).startswith("trained on four image sets")
    assert authentic_protocol(typed()).startswith("repeated random 80/20 splits")
    assert all(fold.name.startswith("split-") for fold in authentic_folds(typed(), [0]))


def test_larger_adaptation_folds_hold_smaller_ones_and_share_the_test_photos():
    database = typed()
    small, large = adaptation_folds(database, [3], [2, 5], test_share=0.25)
    assert (len(small.training), len(large.training)) == (2, 5)
    assert set(small.training) < set(large.training)
    assert small.test == large.test
    for size in (0, 99):
        with pytest.raises(EvaluationError, match=f"from {size} photos was asked .* has 9 to .*: ask for 1 to 9."):
            adaptation_folds(database, [3], [size], test_share=0.25)


def test_a_fold_that_leaks_is_refused():
    with pytest.raises(ValueError, match="the fold bad trains on images that it tests on"):
        Fold("bad", 0, (1, 2), (2, 3))
