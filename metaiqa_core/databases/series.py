"""Series: photos of one scene in a database that has no references, found by their perceptual hashes and their names.

A series is taken one photo after the other, with other exposure, focus or noise. Its mildest versions are
near-duplicates by their hashes; the darkest and the most blurred are not, but their names lie between those of others.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path

from PIL import Image

from metaiqa_core.databases.near_duplicates import groups, perceptual_hash
from metaiqa_core.images import decode

NEIGHBOURS = 10
"""Largest difference of the numbers in the names of two photos that count as neighbours."""
SAME_SCENE_OF_NEIGHBOURS = 16
"""Maximum number of differing bits (of 64) between neighbours of one scene.

In BIQ2021, next neighbours differ by no more in 60 % of the pairs of the subset that was taken in series, and in 0.04 %
of the subset from the web, where they are unrelated.
"""

_MINIMUM_SIDE = 64
"""Short side (pixels) that is enough for the hash, which looks at 32 x 32: JPEG files are decoded reduced."""
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)


def name_scenes(paths: Iterable[Path]) -> dict[Path, str]:
    """Name the scene of each photo that shares it with others.

    Photos show one scene if a chain links them: near-duplicates anywhere; neighbours by number that are alike; and
    whatever lies between two such neighbours.

    Args:
        paths: Files of the photos. Each is decoded once in the life of the program, unless its file changes.

    Returns:
        The name of the scene of each photo; photos that stand alone are left out.

    Raises:
        PhotoError: If a photo cannot be read.
    """
    by_name = {str(path): path for path in paths}
    hashes = {name: _hash_of(path) for name, path in by_name.items()}
    links = [
        pair
        for run in _numbered_runs(by_name)
        for first, last in _alike([(number, hashes[name]) for number, name in run])
        for pair in pairwise(name for _, name in run[first : last + 1])
    ]
    return {by_name[name]: f"scene of {members[0]}" for members in groups(hashes, links) for name in members}


def _numbered_runs(paths: dict[str, Path]) -> Iterator[list[tuple[int, str]]]:
    """Yield the names that differ only in their last number, after that number and in its order."""
    runs: dict[tuple[Path, str], list[tuple[int, str]]] = defaultdict(list)
    for name, path in paths.items():
        if match := _NUMBERED.fullmatch(path.stem):
            runs[path.parent, match[1] + match[3]].append((int(match[2]), name))
    yield from (sorted(run) for run in runs.values())


def _alike(numbered: list[tuple[int, int | None]]) -> Iterator[tuple[int, int]]:
    """Yield the positions (first, last) of neighbours that show one scene, from the number and hash of each photo."""
    for first, (number, one) in enumerate(numbered):
        for last, (other_number, other) in enumerate(islice(numbered, first + 1, None), start=first + 1):
            if other_number - number > NEIGHBOURS:
                break
            if one is not None and other is not None and (one ^ other).bit_count() <= SAME_SCENE_OF_NEIGHBOURS:
                yield first, last


def _hash_of(path: Path) -> int | None:
    status = path.stat()
    return _hash(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=100_000)
def _hash(path: Path, size: int, modified: int) -> int | None:
    """Hash a photo; the size and the time of its file change when its content does."""
    return perceptual_hash(Image.fromarray(decode(path, minimum_short_side=_MINIMUM_SIDE).pixels))
