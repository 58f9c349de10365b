"""Distortion tasks, their support and query sets, and splits that do not leak.

A task is one distortion type of one database (Section 3.1), from which MetaIQA learns to learn. Images are named by
their position in a sequence of rated images, so that a task is cheap to split, to leave out and to send elsewhere.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import DatabaseError


@dataclass(frozen=True)
class DistortionTask:
    """All rated images of one distortion type of one database.

    Attributes:
        database: Name of the database.
        distortion_type: Key of the distortion type, such as `tid2013:AGN`.
        positions: Positions of its images among all rated images, ascending.
        groups: Name of the group of each image, usually its reference; a group stays on one side of a split.
    """

    database: str
    distortion_type: str
    positions: tuple[int, ...]
    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.positions) != len(self.groups):
            raise ValueError(f"a task needs one group an image, got {len(self.groups)} for {len(self.positions)}")

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def name(self) -> str:
        """The task's name, unique among the tasks of several databases."""
        return f"{self.database} {self.distortion_type}"

    def within(self, allowed: Collection[int]) -> "DistortionTask":
        """Return the task with those of its images whose positions are allowed, maybe none."""
        kept = [(place, group) for place, group in zip(self.positions, self.groups, strict=True) if place in allowed]
        return replace(self, positions=tuple(place for place, _ in kept), groups=tuple(group for _, group in kept))


@dataclass(frozen=True)
class SupportQuery:
    """One division of a task's images: the support set adapts first, then the query set (Eqs. 4 and 7).

    Attributes:
        support: Positions of the support images.
        query: Positions of the query images; disjoint from the support.
    """

    support: tuple[int, ...]
    query: tuple[int, ...]


def distortion_tasks(*databases: Database) -> tuple[DistortionTask, ...]:
    """Make one task of each distortion type of each database.

    Args:
        *databases: Databases whose images, one database after the other, the positions count.

    Returns:
        The tasks in the order in which their types first occur.

    Raises:
        DatabaseError: If an image has no distortion type: such a database is one that a prior is adapted to, not one
            that it is learned from.
    """
    members: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    position = 0
    for database in databases:
        untyped = next((image for image in database if image.distortion_type is None), None)
        if untyped:  # told before groups are sought: for photos in series, that takes a while
            raise DatabaseError(
                f"Distortion tasks need the distortion type of every image, and {untyped.name} of "
                f"{database.name} has none: use a database such as KADID-10k, or one that `synthesize` made."
            )
        for image, group in zip(database.images, database.groups(), strict=True):
            members[database.name, image.distortion_type or ""].append((position, group))
            position += 1
    return tuple(
        DistortionTask(database, kind, tuple(where for where, _ in images), tuple(group for _, group in images))
        for (database, kind), images in members.items()
    )


def split_task(task: DistortionTask, query_share: float, seed: int | Sequence[int], *, by_group: bool) -> SupportQuery:
    """Divide a task's images into support and query.

    Args:
        task: Task to divide.
        query_share: Share of the images in the query set, in (0, 1).
        seed: Seed of the division.
        by_group: Whether to keep the images of one reference together, so that the query set has new content; otherwise
            it may show the content of the support set again.

    Raises:
        ValueError: If `query_share` is out of range, or there are too few images or references for two sets.
    """
    groups: Sequence[Hashable] = task.groups if by_group else range(len(task))
    support, query = split_by_group(groups, query_share, seed)
    return SupportQuery(
        tuple(task.positions[index] for index in support), tuple(task.positions[index] for index in query)
    )


def leave_one_out(
    tasks: Sequence[DistortionTask],
) -> Iterator[tuple[DistortionTask, tuple[DistortionTask, ...]]]:
    """Yield each task with all the others: the held-out distortion and those to learn from (Section 4.2).

    Raises:
        ValueError: If there are fewer than two tasks, or two of them share an image.
    """
    if len(tasks) < 2:
        raise ValueError(f"leaving one out needs at least two tasks, got {len(tasks)}")
    positions = [position for task in tasks for position in task.positions]
    if len(set(positions)) < len(positions):
        raise ValueError("two tasks share an image, so that a held-out distortion would be learned from")
    for held_out in tasks:
        yield held_out, tuple(task for task in tasks if task is not held_out)


def split_by_group(groups: Sequence[Hashable], share: float, seed: int | Sequence[int]) -> tuple[list[int], list[int]]:
    """Split positions in two without separating a group.

    Args:
        groups: Name of the group of each image (`Database.groups`).
        share: Share of the images that the second part should hold, in (0, 1).
        seed: Seed of the split.

    Returns:
        Positions of the first and of the second part, each in ascending order. The second part holds as many whole
        groups, in random order, as fit into `share`; both parts hold at least one group.

    Raises:
        ValueError: If `share` is out of range or there are fewer than two groups.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must be in (0, 1), got {share}")
    members: dict[Hashable, list[int]] = defaultdict(list)
    for position, group in enumerate(groups):
        members[group].append(position)
    if len(members) < 2:
        raise ValueError(f"a split needs at least two groups of images, got {len(members)}")
    names = list(members)
    order = [names[index] for index in np.random.default_rng(seed).permutation(len(names))]
    wanted = round(share * len(groups))
    second: list[int] = []
    for group in order[:-1]:  # the last group always stays in the first part
        if not second or len(second) + len(members[group]) <= wanted:
            second.extend(members[group])
    first = sorted(set(range(len(groups))) - set(second))
    return first, sorted(second)
