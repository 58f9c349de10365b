"""Does teaching a model one person's taste make it agree better with that person?

    python benchmarks/taste.py rules --database DIR [--names FILE] --work DIR
    python benchmarks/taste.py people --images DIR --ratings FILE [--scale NAME] --work DIR
    python benchmarks/taste.py fine-tuning --database DIR [--names FILE] --weights FILE --work DIR

`rules`: raters made by a rule (likes dark photos, minds noise, ...) give stars to photos that the general model has not
learned from. They see measures of their own (HSV, Rec. 709 luma, Immerkaer's noise), not the numbers that a personal
model reads. `people`: the raw ratings of real people, a CSV with the columns user_ID, stimuli_file, rating_type and
rating. Each is split ten times: some photos are rated, all that can never be rated judge. `fine-tuning`: a few raters
again, by gradient steps from ImageNet weights, from the meta-learned prior, and from the general model's predecessor.

What is seen of each photo is kept in the work folder, so that it is computed once. Tables go to standard output.
"""

import argparse
import csv
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import convolve, gaussian_filter
from scipy.stats import rankdata, spearmanr
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.databases.rated_image import RatedImage  # noqa: E402
from metaiqa_core.databases.reading import read_database  # noqa: E402
from metaiqa_core.experiments.start import Origin  # noqa: E402
from metaiqa_core.progress import finish  # noqa: E402
from metaiqa_core.taste.general_model import GeneralModel  # noqa: E402
from metaiqa_core.taste.judgement import Verdict, judge  # noqa: E402
from metaiqa_core.taste.questions import next_photos  # noqa: E402
from metaiqa_core.taste.ratings import Ratings, Star  # noqa: E402
from metaiqa_core.taste.space import TasteSpace  # noqa: E402
from metaiqa_core.taste.taste import Taste, evidence_of  # noqa: E402
from metaiqa_core.training.configuration import LEAST_STEPS, RECOMMENDED, enough_epochs  # noqa: E402
from metaiqa_core.training.finetune import fine_tune  # noqa: E402
from metaiqa_core.training.photos import TrainingPhotos, predict  # noqa: E402

Array = NDArray[np.float64]

SIZES = (10, 20, 50)
SPLITS = 10
POOL = 100
"""Number of a person's photos from which active choice picks the ones to rate."""
NOISE = 0.5
"""Standard deviation of a rule's whim, in those of its opinions."""
RULES: dict[str, dict[str, float]] = {
    "like everybody": {"people": 1},
    "dark and moody": {"people": 0.6, "dark": 1, "contrast": 0.4},
    "minds noise": {"people": 0.5, "noise": -1},
    "strong colours": {"people": 0.5, "colour": 1},
    "warm light": {"people": 0.5, "warm": 1},
    "plain scenes": {"people": 0.5, "plain": 1},
    "soft focus": {"people": 0.3, "sharp": -1},
    "lit in the middle": {"people": 0.5, "spotlight": 1},
}
SHARES = (0.1, 0.3, 0.7, 0.9)
"""Shares of photos with fewer than 2, 3, 4 and 5 stars."""


def main() -> None:
    """Measure what was asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("rules", "people", "fine-tuning"))
    parser.add_argument("--model", default="default")
    parser.add_argument("--database", type=Path, help="rated photos: what people say of them is a part of each rule")
    parser.add_argument("--names", type=Path, help="file with the names of the photos to use, one a line")
    parser.add_argument("--images", type=Path, help="folder of the photos that people rated")
    parser.add_argument("--ratings", type=Path, help="CSV with user_ID, stimuli_file, rating_type and rating")
    parser.add_argument("--scale", default="range_image_appeal", help="rating_type of the ratings")
    parser.add_argument(
        "--half", type=int, choices=(0, 1), help="half of the database's photos; settings: 0, report: 1"
    )
    parser.add_argument("--weights", type=Path, help="ImageNet weights of mobilenet_v2, for fine-tuning")
    parser.add_argument("--raters", nargs="+", default=["like everybody", "dark and moody", "minds noise"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[20])
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--work", type=Path, required=True, help="folder of what is computed once")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    {"rules": rules, "people": people, "fine-tuning": fine_tuning}[arguments.part](arguments)


@dataclass(frozen=True, eq=False)
class Rater:
    """A rater: stars by photo, NaN where there are none.

    Attributes:
        name: Name, or number.
        stars: Stars (N,), 1 to 5.
    """

    name: str
    stars: Array


def rules(arguments: argparse.Namespace) -> None:
    """Compare on raters that are made by rules."""
    photos, scores = chosen_photos(arguments)
    measures = {name: np.array(column) for name, column in measured(photos, arguments.work).items()}
    raters = [
        Rater(rule, stars_of(rule, measures | {"people": scores}, arguments.seed + number))
        for rule in RULES
        for number in range(arguments.splits)
    ]
    compare(arguments, photos, raters, splits=1)


def people(arguments: argparse.Namespace) -> None:
    """Compare on real people."""
    photos = sorted(file for file in arguments.images.rglob("*") if file.suffix.lower() in (".png", ".jpg", ".jpeg"))
    place = {f"{file.parent.name}/{file.name}": number for number, file in enumerate(photos)}
    given: dict[str, Array] = defaultdict(lambda: np.full(len(photos), np.nan))
    with arguments.ratings.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = "/".join(Path(row["stimuli_file"]).parts[-2:])
            if row["rating_type"] == arguments.scale and name in place:
                given[row["user_ID"]][place[name]] = float(row["rating"])
    raters = [Rater(user, stars) for user, stars in given.items() if np.isfinite(stars).sum() >= 100]
    compare(arguments, photos, raters, splits=arguments.splits)


def compare(arguments: argparse.Namespace, photos: list[Path], raters: list[Rater], *, splits: int) -> None:
    """Teach by each rater's stars and print the gain in SROCC on photos that are never rated."""
    general = GeneralModel(arguments.model)
    seen = look(general, photos, arguments.work)
    features = (seen[:, 10:] - seen[:, 10:].mean(0)) / np.array(general.layout.deviations)
    gains: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    right: dict[tuple[int, str], list[bool]] = defaultdict(list)
    for number, rater in enumerate(tqdm(raters, file=sys.stderr)):
        known = np.flatnonzero(np.isfinite(rater.stars))
        for split in range(splits):
            order = np.random.default_rng((arguments.seed, number, split)).permutation(known)
            pool, test = (order[:POOL], order[POOL:]) if len(order) >= 2 * POOL else (order[:50], order[50:])
            before = agreement(seen[test, 0], rater.stars[test])
            for size in SIZES:
                rated = pool[:size]
                if len(set(rater.stars[rated])) < 2:
                    continue
                taste = taught(general, seen, rater.stars, rated, rated)
                after = agreement(scores_of(taste, seen[test]), rater.stars[test])
                verdict = judge(taste).verdict
                key = (rater.name, size)
                gains[*key, "general"].append(before)
                gains[*key, "taught"].append(after - before)
                gains[*key, "if better"].append(after - before if verdict is Verdict.BETTER else 0.0)
                ridge = ridge_regression(features[rated], rater.stars[rated], features[test])
                gains[*key, "ridge"].append(agreement(ridge, rater.stars[test]) - before)
                chosen = active(general, seen, rater.stars, pool, size)
                chosen_taste = taught(general, seen, rater.stars, chosen, pool)
                active_after = agreement(scores_of(chosen_taste, seen[test]), rater.stars[test])
                gains[*key, "active"].append(active_after - before)
                right[size, str(verdict)].append(after > before)
    report(gains, right, [rater.name for rater in raters])


def report(
    gains: Mapping[tuple[str, int, str], list[float]], right: Mapping[tuple[int, str], list[bool]], names: Iterable[str]
) -> None:
    """Print Markdown: a row for each rater and size, then raters by the general model's agreement, then verdicts."""
    columns = ("general", "taught", "if better", "active", "ridge")
    rows = ["| rater | n | general | " + " | ".join(columns[1:]) + " | worst taught |", "|---" * 8 + "|"]
    shown = list(dict.fromkeys(names))
    for size in SIZES:
        for name in shown if len(shown) < 15 else []:
            rows.append(_row(name, size, [gains[name, size, column] for column in columns]))
        together = [[value for name in shown for value in gains[name, size, column]] for column in columns]
        rows.append(_row("all", size, together))
    rows.append("")
    for (size, verdict), found in sorted(right.items()):
        rows.append(f"n = {size}, {verdict}: {len(found)} times; the taught model was ahead in {np.mean(found):.0%}")
    sys.stdout.write("\n".join(rows) + "\n")


def _row(name: str, size: int, columns: list[list[float]]) -> str:
    means = " | ".join(f"{np.mean(column):.3f}" if not number else f"{np.mean(column):+.3f}"
                       for number, column in enumerate(columns))  # fmt: skip
    return f"| {name} | {size} | {means} | {min(columns[1]):+.3f} |"


def taught(general: GeneralModel, seen: Array, stars: Array, rated: Iterable[int], pool: Iterable[int]) -> Taste:
    """Return what stars of some photos of a pool teach."""
    names = {int(place): str(place) for place in pool}
    ratings = Ratings.of(Star(names[int(place)], int(stars[place])) for place in rated)
    return Taste(TasteSpace(seen[list(names)], general.layout), evidence_of(ratings, list(names.values())))


def active(general: GeneralModel, seen: Array, stars: Array, pool: NDArray[np.intp], size: int) -> list[int]:
    """Return the photos of a pool that active choice asks about, five at a time."""
    rated: list[int] = []
    while len(rated) < size:
        taste = taught(general, seen, stars, rated, pool)
        asked = [int(np.flatnonzero(pool == place)[0]) for place in rated]
        rated += [int(pool[place]) for place in next_photos(taste, asked, min(5, size - len(rated)))]
    return rated


def scores_of(taste: Taste, seen: Array) -> Array:
    """Return the personal model's scores, up to scale."""
    correction = taste.correction()
    return seen @ correction.weights + correction.constant


def agreement(predicted: Array, stars: Array) -> float:
    """Return SROCC; 0 where one side is constant."""
    return float(np.nan_to_num(spearmanr(predicted, stars).statistic)) if np.ptp(predicted) else 0.0


def ridge_regression(features: Array, stars: Array, others: Array) -> Array:
    """Return predictions of a ridge regression, whose penalty leave-one-out chooses (in closed form)."""
    mean, target = features.mean(0), stars - stars.mean()
    kernel = (features - mean) @ (features - mean).T
    values, vectors = np.linalg.eigh(kernel)
    best = (np.inf, 1.0)
    for penalty in np.logspace(-2, 3, 12) * np.trace(kernel) / len(stars):
        hat = (vectors * (values / (values + penalty))) @ vectors.T
        errors = (target - hat @ target) / (1 - np.diag(hat) - 1 / len(stars))
        best = min(best, (float(np.square(errors).mean()), float(penalty)))
    weights = (features - mean).T @ np.linalg.solve(kernel + best[1] * np.eye(len(stars)), target)
    return (others - mean) @ weights


def chosen_photos(arguments: argparse.Namespace) -> tuple[list[Path], Array]:
    """Return the photos of the database that were named, and what people say of them (N,)."""
    wanted = set(arguments.names.read_text(encoding="utf-8").splitlines()) if arguments.names else None
    images = [
        image
        for image in read_database(arguments.database)
        if (wanted is None or image.path.name in wanted) and arguments.half in (None, half_of(image.path.name))
    ]
    return [image.path for image in images], np.array([image.unit_score for image in images])


def half_of(name: str) -> int:
    """Return to which half of the photos one belongs: 0 or 1, by a hash of its name."""
    return hashlib.sha256(name.encode()).digest()[0] % 2


def stars_of(rule: str, measures: Mapping[str, Array], seed: int) -> Array:
    """Return the stars that a rule gives."""
    opinion = sum(weight * standardised(measures[name]) for name, weight in RULES[rule].items())
    whim = NOISE * np.random.default_rng((seed, *rule.encode())).standard_normal(len(opinion))
    return 1.0 + np.digitize(rankdata(standardised(opinion) + whim) / len(opinion), SHARES)


def standardised(values: Array) -> Array:
    """Return values with mean 0 and deviation 1."""
    return (values - values.mean()) / values.std()


def measured(photos: list[Path], work: Path) -> dict[str, list[float]]:
    """Return the measures that rules go by, of each photo; computed once."""
    file = work / f"measures-{_key(photos)}.json"
    if not file.exists():
        rows = [measures_of(photo) for photo in tqdm(photos, desc="measures", file=sys.stderr)]
        work.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({name: [row[name] for row in rows] for name in rows[0]}))
    return json.loads(file.read_text())


def measures_of(photo: Path) -> dict[str, float]:
    """Return what rules go by, of one photo shrunk to a short side of 512 pixels."""
    image = Image.open(photo).convert("RGB")
    scale = 512 / min(image.size)
    if scale < 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    rgb, hsv = np.asarray(image, np.float64) / 255, np.asarray(image.convert("HSV"), np.float64) / 255
    luma = rgb @ [0.2126, 0.7152, 0.0722]
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)
    detail = np.abs(luma - gaussian_filter(luma, 2))
    even = gaussian_filter(detail, 4) <= np.quantile(gaussian_filter(detail, 4), 0.3)
    noise = np.sqrt(np.pi / 2) / 6 * np.abs(convolve(luma, mask))[even].mean()  # Immerkaer, 1996
    height, width = luma.shape
    middle = luma[height // 4 : -(height // 4), width // 4 : -(width // 4)].mean()
    busy = (gaussian_filter(np.abs(luma - gaussian_filter(luma, 1)), 3) > 0.01).mean()
    return {
        "dark": -float(luma.mean()),
        "contrast": float(luma.std()),
        "colour": float((hsv[..., 1] * hsv[..., 2]).mean()),
        "warm": float(rgb[..., 0].mean() - rgb[..., 2].mean()),
        "noise": float(np.log(noise + 1e-4)),
        "sharp": float(np.log(np.quantile(np.abs(np.diff(luma, axis=1)), 0.99) + 1e-3)),
        "plain": -float(busy),
        "spotlight": float(middle - luma.mean()),
    }


def look(general: GeneralModel, photos: list[Path], work: Path) -> Array:
    """Return what a personal model reads of each photo (N, 1 + 9 + P); computed once."""
    file = work / f"seen-{general.hash}-{_key(photos)}.npy"
    if not file.exists():
        rows = [general.see(photo) for photo in tqdm(photos, desc="looking", file=sys.stderr)]
        work.mkdir(parents=True, exist_ok=True)
        np.save(file, np.stack(rows))
    return np.load(file).astype(np.float64)


def _key(photos: list[Path]) -> str:
    return hashlib.sha256("\n".join(f"{photo.parent.name}/{photo.name}" for photo in photos).encode()).hexdigest()[:12]


def fine_tuning(arguments: argparse.Namespace) -> None:
    """Compare with gradient steps on the same stars: from ImageNet, the meta-learned prior, a fine-tuned model."""
    photos, scores = chosen_photos(arguments)
    measures = {name: np.array(column) for name, column in measured(photos, arguments.work).items()} | {
        "people": scores
    }
    general = GeneralModel(arguments.model)
    seen = look(general, photos, arguments.work)
    origins = {
        "ImageNet": Origin(backbone="mobilenet_v2", weights=str(arguments.weights)),
        "prior": Origin(model="mobilenet-prior"),
        "mobilenet-metaiqa-livec": Origin(model="mobilenet-metaiqa-livec"),
    }
    gains: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for rule in arguments.raters:
        for split in range(arguments.splits):
            stars = stars_of(rule, measures, arguments.seed + split)
            order = np.random.default_rng((arguments.seed, list(RULES).index(rule), split)).permutation(len(photos))
            test = order[POOL : 2 * POOL]
            before = agreement(seen[test, 0], stars[test])
            for size in arguments.sizes:
                rated = order[:size]
                taste = taught(general, seen, stars, rated, rated)
                gains[rule, size, "general"].append(before)
                gains[rule, size, "taught"].append(agreement(scores_of(taste, seen[test]), stars[test]))
                for name, origin in origins.items():
                    places = [*rated, *test]
                    tuned = _tuned(origin, [photos[place] for place in places], stars[places], size, split)
                    gains[rule, size, name].append(agreement(tuned, stars[test]))
                    _say(rule, size, split, gains)
    _say("", 0, 0, gains)


def _say(rule: str, size: int, split: int, gains: Mapping[tuple[str, int, str], list[float]]) -> None:
    lines = [f"{key[0]}, n = {key[1]}, {key[2]}: SROCC {np.mean(found):.3f} ({len(found)} splits)"
             for key, found in gains.items()]  # fmt: skip
    sys.stdout.write("\n".join([f"-- {rule} {size} {split}", *lines]) + "\n")
    sys.stdout.flush()


def _tuned(origin: Origin, photos: list[Path], stars: Array, size: int, seed: int) -> Array:
    """Return the predictions, of all photos but the first `size`, of a network that was fine-tuned on those."""
    start = origin.load(folded=RECOMMENDED.fixed_statistics)
    images = [RatedImage(photo, (score - 0.5) / 5, score) for photo, score in zip(photos, stars.tolist(), strict=True)]
    training = TrainingPhotos(images, start.preprocessing)
    config = enough_epochs(replace(RECOMMENDED, seed=seed), size, LEAST_STEPS)
    network = finish(fine_tune(start.network(seed), training, list(range(size)), config)).network
    return np.asarray(predict(network, training, range(size, len(photos))), np.float64)


if __name__ == "__main__":
    main()
