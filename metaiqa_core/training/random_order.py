"""An endless random order: everything comes once before anything comes again."""

from collections.abc import Callable

import numpy as np


def in_random_order(places: range, length: int, seed_of_turn: Callable[[int], tuple[int, ...]]) -> list[int]:
    """Return what stands at some places of an endless sequence of turns, each of which holds everything once.

    Every turn has an order of its own, drawn from its seed alone: any part of the sequence can be had without what
    comes before it.

    Args:
        places: Places in the sequence, from 0.
        length: Number of things.
        seed_of_turn: Function that returns the seed of a turn's order, given its number from 0.

    Returns:
        Numbers of things, 0 to `length` - 1, one for each place.

    >>> sorted(in_random_order(range(4, 8), 4, lambda turn: (0, turn)))
    [0, 1, 2, 3]
    """
    turns = {place // length for place in places}
    orders = {turn: np.random.default_rng(seed_of_turn(turn)).permutation(length) for turn in turns}
    return [int(orders[place // length][place % length]) for place in places]
