"""Photos that show the same thing: perceptual hashes and the groups that they form."""

from collections.abc import Iterable, Mapping

import imagehash
import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SAME_SCENE = 10
"""Maximum number of differing bits (of 64) between near-duplicates.

The samples and their damaged versions differ in 0 to 2 bits, different samples in 26 to 38, unrelated photos in 32 on
average.
"""
_ONE_TONE = 4.0


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

    Note:
        Every pair is compared, one photo with all that follow at a time: 20,000 hashes take half a second. An index of
        hash parts (eleven of six bits, one of which two near hashes share) would still leave a fifth of the pairs.
    """
    if not hashes:
        return []
    place = {key: index for index, key in enumerate(hashes)}
    hashed = np.array([place[key] for key, value in hashes.items() if value is not None], np.intp)
    bits = np.array([value for value in hashes.values() if value is not None], np.uint64)
    near = [
        index + 1 + np.flatnonzero(np.bitwise_count(bits[index + 1 :] ^ each) <= SAME_SCENE)
        for index, each in enumerate(bits)
    ]
    others = np.array([(place[one], place[other]) for one, other in linked], np.intp).reshape(-1, 2)
    rows = np.concatenate([np.repeat(hashed, [len(row) for row in near]), others[:, 0]])
    columns = np.concatenate([*(hashed[row] for row in near), others[:, 1]])
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(place), len(place)))
    members: dict[int, list[str]] = {}
    for key, group in zip(place, connected_components(graph, directed=False)[1], strict=True):
        members.setdefault(int(group), []).append(key)
    return [group for group in members.values() if len(group) > 1]
