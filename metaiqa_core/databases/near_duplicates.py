"""Photos that show the same thing: perceptual hashes and the groups that they form."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SAME_SCENE = 10
"""Maximum number of differing bits (of 64) between near-duplicates.

The samples and their damaged versions differ in 0 to 2 bits, different samples in 26 to 38, unrelated photos in 32 on
average.
"""
_ONE_TONE = 4.0
_PARTS, _BITS = 4, 16
"""A hash is four parts of 16 bits: where at most `SAME_SCENE` bits differ, two or fewer do in one of the parts."""
_FEW = 1500
"""Number of hashes up to which comparing all with all is quicker than an index."""
_PAIRS_AT_ONCE, _EDGES_AT_ONCE = 2_000_000, 500_000


def perceptual_hash(image: Image.Image) -> int | None:
    """Return the 64-bit perceptual hash (pHash) of an image, or None where it is too even to have one."""
    small = image.convert("L").resize((32, 32))
    if float(np.asarray(small, np.float32).std()) < _ONE_TONE:  # the hash would be chance, and all walls would be alike
        return None
    return int(str(imagehash.phash(image)), 16)


def groups(hashes: Mapping[str, int | None], linked: Iterable[tuple[str, str]] = ()) -> list[list[str]]:
    """Return the groups of near-duplicates: photos linked by chains of hashes at most `SAME_SCENE` bits apart.

    Args:
        hashes: Hash of each photo by its key.
        linked: Pairs of keys that belong together for another reason, whatever their hashes.

    Returns:
        Groups of two keys or more, in the order of their first members; single photos are left out.
    """
    if not hashes:
        return []
    place = {key: index for index, key in enumerate(hashes)}
    hashed = np.array([place[key] for key, value in hashes.items() if value is not None], np.intp)
    bits = np.array([value for value in hashes.values() if value is not None], np.uint64)
    # Copies of a photo have one hash; compared with each other they would be as many pairs as copies squared.
    distinct, first, same = np.unique(bits, return_index=True, return_inverse=True)
    others = np.array([(place[one], place[other]) for one, other in linked], np.intp).reshape(-1, 2)
    edges = [others, np.stack([hashed, hashed[first][same]], axis=1)]
    group_of, waiting = np.arange(len(place), dtype=np.intp), 0
    for pairs in near_pairs(distinct):
        joined = hashed[first][pairs]
        joined = joined[group_of[joined[:, 0]] != group_of[joined[:, 1]]]
        edges.append(joined)
        if (waiting := waiting + len(joined)) > _EDGES_AT_ONCE:  # thousands of pictures of one scene
            group_of, waiting = _groups_of(edges, len(place)), 0
            edges = [_star(group_of)]
    members: dict[int, list[str]] = {}
    for key, group in zip(place, _groups_of(edges, len(place)), strict=True):
        members.setdefault(int(group), []).append(key)
    return [group for group in members.values() if len(group) > 1]


def near_pairs(hashes: NDArray[np.uint64]) -> Iterator[NDArray[np.intp]]:
    """Yield all pairs of hashes at most `SAME_SCENE` bits apart, some of them more than once.

    An index of 16-bit parts leads from each hash to those that share a part but for two bits at most, one in 120 of
    all where hashes are random; only they are compared.

    Args:
        hashes: 64-bit hashes, with shape (n,), all different.

    Yields:
        Places of the hashes of each pair, with shape (pairs, 2).
    """
    if len(hashes) <= _FEW:
        every = np.stack(np.triu_indices(len(hashes), 1))
        yield every[:, np.bitwise_count(hashes[every[0]] ^ hashes[every[1]]) <= SAME_SCENE].T
        return
    masks = _masks_of_few_bits(SAME_SCENE // _PARTS)
    for part in range(_PARTS):
        keys = ((hashes >> np.uint64(_BITS * part)) & np.uint64(2**_BITS - 1)).astype(np.intp)
        order = np.argsort(keys, kind="stable")
        ends = np.cumsum(np.bincount(keys, minlength=2**_BITS))
        starts = np.concatenate([[0], ends[:-1]])
        for mask in masks:
            # Of the two hashes of a pair, the one without the mask's highest bit looks for the other.
            one = np.flatnonzero(keys & (1 << mask.bit_length() >> 1) == 0)
            low, high = starts[keys[one] ^ mask], ends[keys[one] ^ mask]
            # As many hashes at once as have about as many candidates as memory should hold.
            block = np.cumsum(high - low) // _PAIRS_AT_ONCE
            for begin, end in pairwise([0, *(np.flatnonzero(np.diff(block)) + 1), len(one)]):
                pairs = _candidates(one[begin:end], order, low[begin:end], high[begin:end])
                near = np.bitwise_count(hashes[pairs[0]] ^ hashes[pairs[1]]) <= SAME_SCENE
                yield pairs[:, near & (pairs[0] != pairs[1])].T


def _candidates(
    one: NDArray[np.intp], order: NDArray[np.intp], low: NDArray[np.intp], high: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the pairs of each place in `one` with order[low:high], with shape (2, pairs)."""
    counts = high - low
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([np.repeat(one, counts), order[np.repeat(low, counts) + offsets]])


def _masks_of_few_bits(most: int) -> list[int]:
    """Return all masks of a part with at most two bits set, or one or none."""
    bits = [1 << bit for bit in range(_BITS)]
    masks = [0] + (bits if most >= 1 else [])
    return masks + ([one | other for one in bits for other in bits if one < other] if most >= 2 else [])


def _groups_of(edges: list[NDArray[np.intp]], count: int) -> NDArray[np.intp]:
    """Return the number of each photo's group, with shape (count,)."""
    joined = np.concatenate(edges)
    graph = coo_array((np.ones(len(joined), bool), (joined[:, 0], joined[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.intp)


def _star(labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the fewest pairs that say the same: each photo with the first one of its group."""
    _, first, group = np.unique(labels, return_index=True, return_inverse=True)
    return np.stack([np.arange(len(labels)), first[group]], axis=1)
