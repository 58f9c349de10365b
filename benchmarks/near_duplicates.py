"""Time and memory of grouping near-duplicates: `python benchmarks/near_duplicates.py`, random hashes and bursts."""

import resource
import time

import numpy as np

from metaiqa_core.databases import near_duplicates

COUNTS = (2_000, 20_000, 100_000)
BURST = 5


def main() -> None:
    """Print one line for each number of photos."""
    print("photos   kind                          seconds   groups   peak memory, MB")
    for count in COUNTS:
        for kind, hashes in (("all different", different(count)), (f"bursts of {BURST}", bursts(count))):
            start = time.perf_counter()
            found = near_duplicates.groups({str(number): int(value) for number, value in enumerate(hashes)})
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{count:7,}  {kind:28}  {seconds:8.2f}  {len(found):7,}  {peak:8.0f}")


def different(count: int) -> np.ndarray:
    """Return random 64-bit hashes."""
    return np.random.default_rng(0).integers(0, 2**64, count, np.uint64)


def bursts(count: int) -> np.ndarray:
    """Return hashes of scenes that were taken `BURST` times, each time with up to four other bits."""
    generator = np.random.default_rng(1)
    hashes = np.repeat(generator.integers(0, 2**64, count // BURST, np.uint64), BURST)
    for bits in generator.integers(0, 64, (4, count), np.uint64):
        hashes ^= np.where(generator.random(count) < 0.5, np.uint64(1) << bits, np.uint64(0))
    return hashes


if __name__ == "__main__":
    main()
