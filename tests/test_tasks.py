"""Splits keep together what belongs together; tasks are divided and left out without a leak."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.errors import DatabaseError
from metaiqa_core.tasks import distortion_tasks, leave_one_out, split_by_group, split_task

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


TYPES = ("kadid10k:GB", "kadid10k:WN", "tid2013:AGN")


def rated(name, kinds=TYPES, references=5, levels=2):
    """A database without files: tasks look at no pixels."""
    return Database(
        name,
        tuple(
            RatedImage(Path(f"{name}-{kind[-2:]}-{reference}-{level}.png"), 0.5, 50, f"r{reference}", kind, level)
            for reference in range(references)
            for kind in kinds
            for level in range(levels)
        ),
        (0.0, 100.0),
    )


def test_tasks_are_the_types_of_each_database_and_use_every_image_once():
    tasks = distortion_tasks(rated("first"), rated("second", TYPES[:2]))
    assert [task.name for task in tasks] == [
        *(f"first {kind}" for kind in TYPES),
        *(f"second {kind}" for kind in TYPES[:2]),
    ]
    positions = [position for task in tasks for position in task.positions]
    assert sorted(positions) == list(range(5 * 2 * (3 + 2)))
    images = [*rated("first"), *rated("second", TYPES[:2])]
    for task in tasks:
        assert {images[position].distortion_type for position in task.positions} == {task.distortion_type}
        assert task.groups == tuple(images[position].reference for position in task.positions)


def test_an_image_without_a_type_is_not_a_task():
    with pytest.raises(DatabaseError) as caught:
        distortion_tasks(Database("mine", (RatedImage(Path("a.png"), 0.5, 50, "r"),), (0, 100)))
    assert str(caught.value) == (
        "Distortion tasks need the distortion type of every image, and a.png of mine has none: use a database such as "
        "KADID-10k, or one that `synthesize` made."
    )


@given(
    references=st.integers(2, 9),
    levels=st.integers(1, 5),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 2**32),
    by_group=st.booleans(),
)
def test_support_and_query_divide_a_task_without_a_leak(references, levels, share, seed, by_group):
    [task] = distortion_tasks(rated("one", TYPES[:1], references, levels))
    sets = split_task(task, share, seed, by_group=by_group)
    assert sets.support
    assert sets.query
    assert sorted([*sets.support, *sets.query]) == list(task.positions)
    assert sets == split_task(task, share, seed, by_group=by_group)
    group_of = dict(zip(task.positions, task.groups, strict=True))
    if by_group:
        assert {group_of[position] for position in sets.support}.isdisjoint(group_of[p] for p in sets.query)


def test_leaving_one_out_never_learns_from_it_and_leaves_each_out_once():
    tasks = distortion_tasks(rated("one"))
    folds = list(leave_one_out(tasks))
    assert [held_out for held_out, _ in folds] == list(tasks)
    for held_out, others in folds:
        assert set(others) == set(tasks) - {held_out}
        assert set(held_out.positions).isdisjoint(position for task in others for position in task.positions)


def test_leaving_one_out_refuses_what_would_leak():
    [task] = distortion_tasks(rated("one", TYPES[:1]))
    with pytest.raises(ValueError, match="leaving one out needs at least two tasks, got 1"):
        list(leave_one_out([task]))
    with pytest.raises(ValueError, match="two tasks share an image"):
        list(leave_one_out([task, task]))
