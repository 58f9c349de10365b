"""Do full-reference metrics make better labels than the mean score of a type and level? Asked of people's own scores.

On `tid2013-kodak`, made with TID2013's score file, the real score of each image is known. References are dealt into
folds; for those of a fold, labels are made from the scores of the other references alone:

- `means`: the mean score of the type and level;
- `METRIC alone`: within the type, a monotone map from a metric to the five means, read off at the image's own metric;
- `METRIC`: the mean, plus a share of how far that map leads from where it leads on average at this level. The share is
  chosen inside the training folds alone, by another round of folds. `gmsd` is what `synthesize` does.

Metrics are piq's (`pip install piq`). They take a third of a second an image, so they are kept in files, one a
reference, and the benchmark can be stopped and run again.

    python benchmarks/labels.py tid2013-kodak/ [--most 24] [--folds 8] [--seed 0] [--workers 1]
"""

import argparse
import csv
import datetime
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import rankdata

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.files import write_whole  # noqa: E402
from metaiqa_core.synthesis.refinement import interpolate, monotone_map  # noqa: E402

Floats = NDArray[np.float64]
Chosen = NDArray[np.bool_]
METRICS = ("psnr", "fsim", "vsi", "gmsd", "mdsi", "haarpsi")
SHIPPED = "gmsd"
LOWER_IS_BETTER = {"gmsd", "mdsi"}
WEIGHTS = np.linspace(0, 1, 11)  # of what a metric adds to the mean
LOW, HIGH = 0.0, 9.0
EXACT = ("kodim03", "kodim04", "kodim06", "kodim08", "kodim19")  # the windows that people saw
BOOTSTRAPS = 2000


def measure_reference(folder: Path, reference: str, target: Path) -> None:
    """Write every metric of every image of a reference to a CSV file, higher is better."""
    import piq

    torch.set_num_threads(1)
    pristine = _tensor(folder / "references" / f"{reference}.png")
    rows = []
    for file in sorted((folder / "images").glob(f"{reference}_*.png")):
        distorted = _tensor(file)
        with torch.no_grad():
            values = {name: float(getattr(piq, name)(distorted, pristine, data_range=1.0)) for name in METRICS}
        signed = {name: -value if name in LOWER_IS_BETTER else value for name, value in values.items()}
        rows.append({"image": f"images/{file.name}", **signed})

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, ["image", *METRICS], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    write_whole(target, write)


def _tensor(file: Path) -> torch.Tensor:
    with Image.open(file) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].float() / 255


class Records:
    """All images: references, types, levels (indices), people's unit scores and metrics, as parallel arrays."""

    def __init__(self, folder: Path, measured: dict[str, dict[str, float]]) -> None:
        with (folder / "scores.csv").open(encoding="utf-8", newline="") as handle:
            rows = [row for row in csv.DictReader(handle) if row["image"] in measured]
        if {row["label_source"] for row in rows} != {"people"}:
            raise SystemExit(f"{folder} was made without people's scores: use synthesize --scores.")
        self.references = sorted({row["reference"] for row in rows})
        self.types = list(dict.fromkeys(row["type"] for row in rows))
        self.reference = np.array([self.references.index(row["reference"]) for row in rows])
        self.type = np.array([self.types.index(row["type"]) for row in rows])
        self.level = np.array([int(row["level"]) - 1 for row in rows])
        self.people = (np.array([float(row["mos"]) for row in rows]) - LOW) / (HIGH - LOW)
        self.metrics = {name: np.array([measured[row["image"]][name] for row in rows]) for name in METRICS}


def labels(records: Records, training: Chosen, wanted: Chosen) -> tuple[Floats, dict[str, Floats], dict[str, Floats]]:
    """Label the wanted images from the training images.

    Returns:
        The means; by metric what its map says; and by metric how far that is from its average at the image's level.
    """
    means = np.full(len(records.people), np.nan)
    alone = {name: means.copy() for name in METRICS}
    away = {name: means.copy() for name in METRICS}
    for kind in range(len(records.types)):
        taught, asked = training & (records.type == kind), wanted & (records.type == kind)
        by_level = np.array([records.people[taught & (records.level == level)].mean() for level in range(5)])
        means[asked] = by_level[records.level[asked]]
        for name, values in records.metrics.items():
            curve = monotone_map(values[taught], by_level[records.level[taught]])
            alone[name][asked] = interpolate(curve, values[asked])
            usual = [interpolate(curve, values[taught & (records.level == level)]).mean() for level in range(5)]
            away[name][asked] = alone[name][asked] - np.array(usual)[records.level[asked]]
    for both in (alone, away):
        both["all metrics"] = np.mean([both[name] for name in METRICS], axis=0)
    return means, alone, away


def predict(records: Records, folds: int, seed: int) -> tuple[dict[str, Floats], dict[str, list[float]]]:
    """Return every method's labels of all images, each made without its reference, and the weights of each fold."""
    dealt = np.random.default_rng(seed).permutation(np.arange(len(records.references)) % folds)[records.reference]
    names = (*METRICS, "all metrics")
    methods = ["means", *(f"{name} alone" for name in names), *names]
    predictions = {method: np.full(len(records.people), np.nan) for method in methods}
    weights: dict[str, list[float]] = {name: [] for name in names}
    for fold in range(folds):
        test, training = dealt == fold, dealt != fold
        means, alone, away = labels(records, training, test)
        inner_means = np.full(len(test), np.nan)
        inner_away = {name: inner_means.copy() for name in names}
        for inner in set(range(folds)) - {fold}:
            left_out = dealt == inner
            means_there, _, away_there = labels(records, training & ~left_out, left_out)
            inner_means[left_out] = means_there[left_out]
            for name in names:
                inner_away[name][left_out] = away_there[name][left_out]
        predictions["means"][test] = means[test]
        truth = records.people[training]
        for name in names:
            errors = [np.mean((inner_means[training] + w * inner_away[name][training] - truth) ** 2) for w in WEIGHTS]
            weight = float(WEIGHTS[int(np.argmin(errors))])
            weights[name].append(weight)
            predictions[f"{name} alone"][test] = alone[name][test]
            predictions[name][test] = means[test] + weight * away[name][test]
    return predictions, weights


def srocc(first: Floats, second: Floats) -> float:
    """Spearman's rank correlation with ties."""
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def judge(records: Records, predicted: Floats, chosen: NDArray[np.intp]) -> tuple[float, float, float, float]:
    """Return SROCC and RMSE over all chosen images, and the means over types of both within a type."""
    truth, guess, types = records.people[chosen], predicted[chosen], records.type[chosen]
    within = [
        (srocc(truth[own], guess[own]), float(np.sqrt(np.mean((truth[own] - guess[own]) ** 2))))
        for own in (types == kind for kind in range(len(records.types)))
    ]
    rmse = float(np.sqrt(np.mean((truth - guess) ** 2)))
    return srocc(truth, guess), rmse, *(float(value) for value in np.mean(within, axis=0))


def table(records: Records, predictions: dict[str, Floats], names: list[str], seed: int) -> None:
    """Print each method's criteria on some references, with intervals of its difference from the means."""
    numbers = np.array([records.references.index(name) for name in names if name in records.references])
    images = {number: np.flatnonzero(records.reference == number) for number in numbers}
    everything = np.concatenate([images[number] for number in numbers])
    base = predictions["means"]
    print("label | SROCC | RMSE | SROCC within types | RMSE within types | change of SROCC, of RMSE (95 %)")
    generator = np.random.default_rng(seed)
    draws = [np.concatenate([images[n] for n in generator.choice(numbers, len(numbers))]) for _ in range(BOOTSTRAPS)]
    for method, predicted in predictions.items():
        changes = []
        for draw in [] if method == "means" or method.endswith("alone") else draws:
            truth = records.people[draw]
            rmse = [float(np.sqrt(np.mean((truth - guess[draw]) ** 2))) for guess in (predicted, base)]
            changes.append((srocc(truth, predicted[draw]) - srocc(truth, base[draw]), rmse[0] - rmse[1]))
        interval = ""
        if changes:
            low, high = np.percentile(changes, [2.5, 97.5], axis=0)
            interval = f"{low[0]:+.4f} to {high[0]:+.4f}, {low[1]:+.4f} to {high[1]:+.4f}"
        overall, rmse, within, rmse_within = judge(records, predicted, everything)
        print(f"{method} | {overall:.4f} | {rmse:.4f} | {within:.4f} | {rmse_within:.4f} | {interval}", flush=True)


def main() -> None:
    """Measure what is not measured yet, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="tid2013-kodak with people's scores")
    parser.add_argument("--metrics", type=Path, help="folder that keeps the metrics (default: FOLDER/metrics)")
    parser.add_argument("--most", type=int, help="use that many references, those with exact windows first")
    parser.add_argument("--folds", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    kept = arguments.metrics or arguments.folder / "metrics"
    names = sorted(file.stem for file in (arguments.folder / "references").glob("*.png"))
    names = sorted(names, key=lambda name: name not in EXACT)[: arguments.most]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, mp_context=context) as pool:
        missing = [name for name in names if not (kept / f"{name}.csv").exists()]
        list(
            pool.map(
                measure_reference, [arguments.folder] * len(missing), missing, [kept / f"{n}.csv" for n in missing]
            )
        )
    measured: dict[str, dict[str, float]] = {}
    for name in names:
        with (kept / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                measured[row["image"]] = {metric: float(row[metric]) for metric in METRICS}
    records = Records(arguments.folder, measured)
    predictions, weights = predict(records, arguments.folds, arguments.seed)
    print(
        f"{datetime.date.today()}, seed {arguments.seed}, {arguments.folds} folds over {len(records.references)} "
        f"references, n = {len(records.people)}; unit scores"
    )
    table(records, predictions, records.references, arguments.seed)
    exact = [name for name in EXACT if name in records.references]
    print(f"\nThe same labels, on the {len(exact)} references whose windows are exact")
    table(records, predictions, exact, arguments.seed)
    print(f"\ntype | SROCC of means, of {SHIPPED} | RMSE of means, of {SHIPPED}")
    for kind, key in enumerate(records.types):
        own = records.type == kind
        judged = [
            (srocc(records.people[own], labelled[own]), float(np.sqrt(np.mean((records.people - labelled)[own] ** 2))))
            for labelled in (predictions["means"], predictions[SHIPPED])
        ]
        (first, first_error), (second, second_error) = judged
        print(f"{key} | {first:.3f}, {second:.3f} | {first_error:.4f}, {second_error:.4f}")
    print("\nmetric | weight, mean over folds (least to most)")
    for name, chosen in weights.items():
        print(f"{name} | {np.mean(chosen):.2f} ({min(chosen):.1f} to {max(chosen):.1f})")


if __name__ == "__main__":
    main()
