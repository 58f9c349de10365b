"""Photos that show the same thing: perceptual hashes and the groups that they form."""

from collections.abc import Mapping

import imagehash
import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SAME_SCENE = 10
"""Most differing bits (of 64) between near-duplicates. The samples and their damaged versions differ in 0 to 2 bits,
different samples in 26 to 38, unrelated photos in 32 on average."""
_ONE_TONE = 4.0


def appearance(image: Image.Image) -> int | None:
    """Return the 64-bit perceptual hash (pHash) of an image, or None where it is too even to have one."""
    small = image.convert("L").resize((32, 32))
    if float(np.asarray(small, np.float32).std()) < _ONE_TONE:  # the hash would be chance, and all walls would be alike
        return None
    return int(str(imagehash.phash(image)), 16)


def groups(appearances: Mapping[str, int | None]) -> list[list[str]]:
    """Return the groups of near-duplicates: photos linked by chains of hashes at most `SAME_SCENE` bits apart.

    Args:
        appearances: Hash of each photo by its key.

    Returns:
        Groups of two keys or more, in the order of their first members; single photos are left out.
    """
    keys = [key for key, value in appearances.items() if value is not None]
    hashes = np.array([appearances[key] for key in keys], np.uint64)
    # Row by row, so that a thousand photos need no table of a million distances.
    near = [np.flatnonzero(np.bitwise_count(hashes ^ each) <= SAME_SCENE) for each in hashes]
    rows = np.repeat(np.arange(len(keys)), [len(row) for row in near])
    columns = np.concatenate([*near, np.empty(0, np.intp)])
    linked = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(keys), len(keys)))
    members: dict[int, list[str]] = {}
    for key, group in zip(keys, connected_components(linked, directed=False)[1] if keys else [], strict=True):
        members.setdefault(int(group), []).append(key)
    return [group for group in members.values() if len(group) > 1]
