"""Make the distorted images: in parallel processes, resumable at any moment, the same bytes every time.

Each image is written whole or not at all, and its bytes depend on nothing but the recipe, the reference and the
libraries' versions. So every file in the folder is finished, and the missing files are the work that remains.
"""

import hashlib
import shutil
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from humanize import naturalsize
from numpy.typing import NDArray
from PIL import Image

from metaiqa_core.distortions import distort
from metaiqa_core.errors import DatabaseError
from metaiqa_core.files import write_whole
from metaiqa_core.images import png
from metaiqa_core.progress import Progress, Work
from metaiqa_core.synthesis.parallel import run_jobs

PNG_COMPRESSION = 3  # the default 6 takes three times as long for files 2 % larger or smaller
BYTES_PER_PIXEL = 2.2  # of a distorted PNG, on the safe side: 1.6 was measured on tid2013-kodak


class ImageJob(NamedTuple):
    """One image to make, described by plain values that any process can take.

    Attributes:
        reference: File of the reference window.
        distortion: Key of the distortion type.
        level: Level of the distortion, 1 to 5.
        seed: Seed of the random draws of this image.
        stretch: Whether `distort` stretches the range of the photo before and after.
        target: File to write.
    """

    reference: str
    distortion: str
    level: int
    seed: int
    stretch: bool
    target: str


def image_seed(seed: int, reference: str, level: int) -> int:
    """Derive an image's own seed, so that it depends on no other image; `distort` adds the type by itself."""
    digest = hashlib.sha256(f"{seed}/{reference}/{level}".encode()).digest()
    return int.from_bytes(digest[:7], "big")


def bytes_needed(images: int, size: tuple[int, int]) -> int:
    """Estimate the disk space of distorted images of (width, height) pixels."""
    return int(images * size[0] * size[1] * BYTES_PER_PIXEL)


def refuse_small_disk(folder: Path, needed: int) -> None:
    """Raise a `DatabaseError` if the disk of a folder, which need not exist yet, has less than `needed` bytes free."""
    existing = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise DatabaseError(
            f"The images need about {naturalsize(needed)}, but the disk of {folder} has {naturalsize(free)} free: "
            "free some, choose another folder, or make fewer types, levels or photos."
        )


def write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write an image (H, W, 3) whole or not at all."""
    write_whole(path, lambda temporary: temporary.write_bytes(png(pixels, compression=PNG_COMPRESSION)))


def make_images(jobs: list[ImageJob], workers: int) -> Work[int]:
    """Make the images that do not exist yet; yields one step an image, counting those that were there.

    Args:
        jobs: Images to make, finished ones included, reference by reference.
        workers: Number of processes.

    Returns:
        The number of images that were made now.

    Raises:
        DatabaseError: If a worker process was ended from outside.
    """
    for folder in {Path(job.target).parent for job in jobs}:
        for remnant in folder.glob(".*.png.*"):  # of a run that was killed while it wrote
            remnant.unlink(missing_ok=True)
    missing = [job for job in jobs if not Path(job.target).exists()]
    there = len(jobs) - len(missing)
    yield Progress("distorting", there, len(jobs))
    with closing(run_jobs(_make, missing, workers)) as made:
        for step, _ in enumerate(made, start=there + 1):
            yield Progress("distorting", step, len(jobs))
    return len(missing)


def _make(job: ImageJob) -> None:
    distorted = distort(read_png(job.reference), job.distortion, job.level, seed=job.seed, stretch=job.stretch)
    write_png(Path(job.target), distorted)


@lru_cache(maxsize=2)
def read_png(path: str) -> NDArray[np.uint8]:
    """Read an image (H, W, 3); jobs come reference by reference, so remembering the last one pays."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))
