"""Splits that do not leak: what belongs together (same reference, same content) stays on one side."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np


def split_by_group(groups: Sequence[Hashable], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Split positions in two without separating a group.

    Args:
        groups: For each image the name of its group (`Database.groups`).
        share: Share of the images that the second part should hold, in (0, 1).
        seed: Same seed, same split.

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
