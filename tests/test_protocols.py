"""Protocols: folds that do not leak, and how repeats are summed up."""

import re
from dataclasses import replace
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
    official_folds,
    subset_folds,
    summarise,
)


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


@pytest.mark.parametrize("kind", ["/tmp/x/owned", "../../x", "a/x", "c\x1b[31my", "x" * 300])
def test_a_type_of_any_name_gives_a_fold_whose_file_stays_in_its_folder(kind):
    images = [replace(one, distortion_type=kind) if "GB" in one.distortion_type else one for one in typed()]
    database = Database("typed", tuple(images), (0.0, 3.0))
    names = [fold.name for fold in leave_one_distortion_out_folds(database, [0])]
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"[\w.-]{1,100}", name, re.ASCII) for name in names)
    with pytest.raises(ValueError, match="the name of a fold must be fit for a file"):
        Fold(f"{kind}-seed-0", 0, (0,), (1,))


def test_two_types_that_catalogues_name_alike_have_folds_of_their_own():
    images = [replace(one, distortion_type=f"{one.name[:1]}:x") for one in typed()]
    database = Database("typed", tuple(images), (0.0, 3.0))
    names = [fold.name for fold in leave_one_distortion_out_folds(database, [0])]
    assert len(set(names)) == 3


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


def test_biq2021_is_judged_on_its_official_split_and_on_random_ones_where_half_of_that_is_missing():
    images = [
        RatedImage(Path(f"ss03 ({number}).jpg"), number / 9, number / 9, subset="test" if number % 3 else "training")
        for number in range(10)
    ]
    whole = Database("BIQ2021", tuple(images), (0.0, 1.0), series=True)
    for seed, fold in zip((4, 5), authentic_folds(whole, [4, 5]), strict=True):
        assert (fold.name, fold.seed, fold.held_out) == (f"official-{seed}", seed, "test")
        assert (fold.training, fold.test) == ((0, 3, 6, 9), (1, 2, 4, 5, 7, 8))
    assert authentic_protocol(whole).startswith("trained on the official training split, tested on the official test")
    half = whole.take([place for place, image in enumerate(whole) if image.subset == "training"])
    assert authentic_protocol(half).startswith("repeated random 80/20 splits, near-duplicates on one side")
    with pytest.raises(EvaluationError, match="BIQ2021 has 4 photos of the official training split and 0 of the test"):
        official_folds(half, [0])


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
