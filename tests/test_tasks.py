"""Splits keep together what belongs together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaiqa_core.tasks import split_by_group

groups_of_photos = st.lists(st.integers(0, 12), min_size=2, max_size=60).filter(lambda groups: len(set(groups)) > 1)
shares = st.floats(0.05, 0.95)
seeds = st.integers(0, 2**32)


@given(groups_of_photos, shares, seeds)
def test_no_group_is_on_both_sides_and_every_position_is_used_once(groups, share, seed):
    first, second = split_by_group(groups, share, seed)
    assert sorted(first + second) == list(range(len(groups)))
    assert not {groups[position] for position in first} & {groups[position] for position in second}
    assert first == sorted(first)
    assert second == sorted(second)
    assert first
    assert second


@given(groups_of_photos, shares, seeds)
def test_the_second_part_exceeds_its_share_only_by_a_group_that_is_larger_than_it(groups, share, seed):
    _, second = split_by_group(groups, share, seed)
    assert len(second) <= round(share * len(groups)) or len({groups[position] for position in second}) == 1


@given(groups_of_photos, shares, seeds)
def test_the_same_seed_gives_the_same_split(groups, share, seed):
    assert split_by_group(groups, share, seed) == split_by_group(groups, share, seed)


def test_photos_without_relatives_are_split_exactly_and_differently_by_each_seed():
    splits = [split_by_group(range(100), 0.2, seed)[1] for seed in range(10)]
    assert {len(second) for second in splits} == {20}
    assert len({tuple(second) for second in splits}) == 10


def test_every_group_gets_its_turn_on_either_side():
    tested = [position for seed in range(60) for position in split_by_group(range(10), 0.2, seed)[1]]
    assert set(tested) == set(range(10))


def test_names_of_groups_may_be_anything_hashable():
    first, second = split_by_group(["a", ("b", 1), None, "a"], 0.5, 0)
    assert {0, 3} <= set(first) or {0, 3} <= set(second)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(ValueError, match=rf"^share must be in \(0, 1\), got {share}$"):
        split_by_group([1, 2], share, 0)


@pytest.mark.parametrize(("groups", "found"), [([], 0), (["same", "same"], 1)])
def test_fewer_than_two_groups_cannot_be_split(groups, found):
    with pytest.raises(ValueError, match=f"^a split needs at least two groups of images, got {found}$"):
        split_by_group(groups, 0.5, 0)
