"""How well a model agrees with people, and with common sense: one table, from folders named on the command line.

    python benchmarks/accuracy.py --model default --pristine DIR [--database NAME=DIR ...] [--photos DIR]

--database: rated photos that the model has not learned from; SROCC, PLCC, and how many opinion scores lie within the
interval that the model promises. --pristine: undamaged photos that it has not learned from; every
distortion type at five levels, and strong damage of common kinds. --photos: any photos of 500 pixels or more; reduced,
enlarged, recompressed and stored otherwise. Everything is seeded: the same table from the same folders.
"""

import argparse
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.assess import Assessor  # noqa: E402
from metaiqa_core.databases.reading import read_database  # noqa: E402
from metaiqa_core.distortions import CATALOGUE, LEVELS, distort  # noqa: E402
from metaiqa_core.distortions.opinion_scores import opinion_curve  # noqa: E402
from metaiqa_core.evaluation.criteria import evaluate  # noqa: E402
from metaiqa_core.images import decode  # noqa: E402
from metaiqa_core.images.exposure import exposed  # noqa: E402
from metaiqa_core.synthesis import find_photos  # noqa: E402

Pixels = NDArray[np.uint8]

MINIMUM_FALL = 0.5
"""Share of people's fall from level 1 to level 5 that the model's has to reach."""
TOLERATED_FALL = 2.0
"""Fall of people's mean, points, up to which the model's score may not change by more than 10 points."""
SMALLER_SIDES = (400, 300, 200)
MAXIMUM_GAIN = 3.0
"""Points by which a reduced copy may score above its photo."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        quantity: Measured quantity, in words.
        measured: Measured value, in words.
        target: Target, in words; empty where there is none.
        met: Whether the target was reached; None without a target.
    """

    quantity: str
    measured: str
    target: str = ""
    met: bool | None = None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default", metavar="NAME|FILE")
    parser.add_argument("--database", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--pristine", type=Path, metavar="DIR")
    parser.add_argument("--photos", type=Path, metavar="DIR")
    parser.add_argument("--most", type=int, default=50, metavar="N", help="photos of --photos (default: 50)")
    arguments = parser.parse_args()
    assessor = Assessor.load(arguments.model)
    print(f"| {assessor.card.name} | measured | asked for | |\n|---|---|---|---|")
    for row in rows_of(assessor, arguments):
        verdict = {None: "", True: "reached", False: "missed"}[row.met]
        print(f"| {row.quantity} | {row.measured} | {row.target} | {verdict} |", flush=True)


def rows_of(assessor: Assessor, arguments: argparse.Namespace) -> Iterator[Row]:
    """Yield the table's lines, each as soon as it is measured."""
    for item in arguments.database:
        name, _, folder = item.partition("=")
        yield from agreement(assessor, name, Path(folder))
    if arguments.pristine:
        photos = [decode(path).pixels for path in find_photos([arguments.pristine])]
        yield from distortion_levels(assessor, photos)
        yield from strong_damage(assessor, photos)
    if arguments.photos:
        paths = find_photos([arguments.photos])
        chosen = [paths[index * len(paths) // arguments.most] for index in range(min(arguments.most, len(paths)))]
        photos = [decode(path).pixels for path in chosen]
        yield from sizes(assessor, photos)
        yield from copies(assessor, photos)
        yield from storage(assessor, photos)


def agreement(assessor: Assessor, name: str, folder: Path) -> Iterator[Row]:
    """Correlation with opinion scores, and the coverage of the interval."""
    database = read_database(folder)
    results = [assessor.assess(image.path) for image in database]
    scores = np.array([result.score for result in results])
    opinion = 100 * np.array([image.unit_score for image in database])
    found = evaluate(scores / 100, opinion / 100)
    yield Row(f"{name}, {len(database)} photos: SROCC", f"{found.srocc:.3f}")
    yield Row(f"{name}: PLCC", f"{found.plcc:.3f}")
    if results[0].interval_low is not None:
        low = np.array([result.interval_low for result in results])
        high = np.array([result.interval_high for result in results])
        covered = float(np.mean((low <= opinion) & (opinion <= high)))
        yield Row(
            f"{name}: opinion scores within the 90 % interval", f"{covered:.1%}", "88 to 92 %", 0.88 <= covered <= 0.92
        )
        half = float(np.mean(high - low)) / 2
        yield Row(f"{name}: half width of the interval, mean", f"{half:.1f} points", "at most 14", half <= 14)


def distortion_levels(assessor: Assessor, photos: list[Pixels]) -> Iterator[Row]:
    """Count the distortion types whose scores fall from level 1 to level 5 as people's did."""
    right, wrong = 0, []
    for kind in CATALOGUE:
        people = 100 * np.array([opinion.mean for opinion in opinion_curve(kind)])
        model = np.array(
            [
                np.mean(
                    [assessor.assess(distort(photo, kind, level, seed=seed)).score for seed, photo in enumerate(photos)]
                )
                for level in (LEVELS[0], LEVELS[-1])
            ]
        )
        fall, expected = model[0] - model[1], people[0] - people[-1]
        as_people = fall >= MINIMUM_FALL * expected if expected > TOLERATED_FALL else abs(fall) <= 10
        right += as_people
        if not as_people:
            wrong.append(f"{kind.key} {fall:+.0f} for {expected:+.0f}")
    detail = f"; not: {', '.join(wrong)}" if wrong else ""
    yield Row(
        f"distortion types that cost at least half of what they cost people, level 1 to 5, {len(photos)} photos",
        f"{right} of {len(CATALOGUE)}{detail}",
        "44 of 49",
        right >= 44,
    )


def strong_damage(assessor: Assessor, photos: list[Pixels]) -> Iterator[Row]:
    """Score damage that nobody would call good."""
    damages: dict[str, tuple[Callable[[Pixels, int], Pixels], float]] = {
        "white noise, standard deviation 60": (lambda photo, seed: noisy(photo, 60, seed), 35),
        "JPEG at quality 5": (lambda photo, seed: np.asarray(Image.open(jpeg(photo, 5))), 30),
        "2.5 stops overexposed": (lambda photo, seed: exposed(photo, 2.5), 45),
        "2.5 stops underexposed": (lambda photo, seed: exposed(photo, -2.5), 45),
        "over-sharpened (kadid10k:HS, level 5)": (lambda photo, seed: distort(photo, "kadid10k:HS", 5), 40),
    }
    untouched = np.mean([assessor.assess(photo).score for photo in photos])
    yield Row("pristine photos, mean score", f"{untouched:.0f}")
    for name, (damage, most) in damages.items():
        score = float(np.mean([assessor.assess(damage(photo, seed)).score for seed, photo in enumerate(photos)]))
        yield Row(f"{name}, mean score", f"{score:.0f}", f"at most {most:.0f}", score <= most)


def sizes(assessor: Assessor, photos: list[Pixels]) -> Iterator[Row]:
    """Reduce photos: what is lost must not be rewarded."""
    scores = np.array([assessor.assess(photo).score for photo in photos])
    for side in SMALLER_SIDES:
        gains = np.array([assessor.assess(reduced(photo, side)).score for photo in photos]) - scores
        yield Row(
            f"reduced to {side} pixels: gain, mean and largest of {len(photos)}",
            f"{gains.mean():+.1f}, {gains.max():+.1f}; above {MAXIMUM_GAIN:g} in {int((gains > MAXIMUM_GAIN).sum())}",
            f"none above {MAXIMUM_GAIN:g}",
            bool((gains <= MAXIMUM_GAIN).all()),
        )


def copies(assessor: Assessor, photos: list[Pixels]) -> Iterator[Row]:
    """Copy photos as people do, worse than the photo every time: a copy must not be the best of its group."""
    for name, copied in COPIES.items():
        best = sum(assessor.assess(copied(photo)).score > assessor.assess(photo).score for photo in photos)
        yield Row(f"{name}: the copy is the best of its group", f"{best} of {len(photos)}", "none", best == 0)


def storage(assessor: Assessor, photos: list[Pixels]) -> Iterator[Row]:
    """Store the same pixels otherwise."""
    same, differences = 0, []
    for photo in photos:
        files = [io.BytesIO(), io.BytesIO()]
        Image.fromarray(photo).save(files[0], "PNG")
        Image.fromarray(photo).save(files[1], "WEBP", lossless=True)
        one, other = (assessor.assess(file.getvalue()).score for file in files)
        same += one == other
        differences.append(abs(assessor.assess(jpeg(photo, 95).getvalue()).score - one))
    yield Row("PNG and lossless WebP: the same score", f"{same} of {len(photos)}", "all", same == len(photos))
    largest = max(differences)
    yield Row("JPEG at quality 95: largest difference", f"{largest:.1f} points", "at most 1", largest <= 1)


def noisy(photo: Pixels, deviation: float, seed: int) -> Pixels:
    """Add white Gaussian noise, the deviation in 8-bit steps."""
    noise = np.random.default_rng(seed).normal(0, deviation, photo.shape)
    return (photo + noise).clip(0, 255).round().astype(np.uint8)


def jpeg(photo: Pixels, quality: int) -> io.BytesIO:
    """Compress a photo."""
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "JPEG", quality=quality)
    stream.seek(0)
    return stream


def reduced(photo: Pixels, side: int) -> Pixels:
    """Shrink a photo so that its short side has this many pixels."""
    height, width = photo.shape[:2]
    scale = side / min(height, width)
    size = round(width * scale), round(height * scale)
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS))


def enlarged(photo: Pixels) -> Pixels:
    """Shrink a photo to half and enlarge it to twice its size."""
    height, width = photo.shape[:2]
    small = Image.fromarray(photo).resize((width // 2, height // 2), Image.Resampling.LANCZOS)
    return np.asarray(small.resize((2 * width, 2 * height), Image.Resampling.BICUBIC))


def recompressed(photo: Pixels) -> Pixels:
    """Shrink a photo a little and store it as a messenger does."""
    height, width = photo.shape[:2]
    small = Image.fromarray(photo).resize((width * 4 // 5, height * 4 // 5), Image.Resampling.LANCZOS)
    return np.asarray(Image.open(jpeg(np.asarray(small), 40)))


def cropped(photo: Pixels) -> Pixels:
    """Cut the middle half of a photo's sides out and enlarge it to the photo's size."""
    height, width = photo.shape[:2]
    middle = photo[height // 4 : height // 4 + height // 2, width // 4 : width // 4 + width // 2]
    return np.asarray(Image.fromarray(middle).resize((width, height), Image.Resampling.BICUBIC))


COPIES = {"halved and enlarged": enlarged, "shrunk and recompressed": recompressed, "cropped and enlarged": cropped}

if __name__ == "__main__":
    main()
