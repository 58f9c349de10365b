"""Protocols: the images that each fold trains on and tests on, and the summary over repeats."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.criteria import plcc, srocc
from metaiqa_core.files.whole_files import file_name_for
from metaiqa_core.tasks import distortion_tasks, leave_one_out, split_by_group, split_task


@dataclass(frozen=True)
class Fold:
    """Positions in a database that one training of a protocol learns from, and disjoint ones that it is tested on.

    Attributes:
        name: Name of the fold, unique within the protocol and fit for a file name.
        seed: Seed of the training.
        training: Positions of the images to learn from.
        test: Positions of the images to be judged on.
        held_out: Name of the distortion type or of the subsets that only the test images have; "" for a random split.
    """

    name: str
    seed: int
    training: tuple[int, ...]
    test: tuple[int, ...]
    held_out: str = ""

    def __post_init__(self) -> None:
        if self.name != file_name_for(self.name):
            raise ValueError(f"the name of a fold must be fit for a file, got {self.name!r}")
        if not set(self.training).isdisjoint(self.test):
            raise ValueError(f"the fold {self.name} trains on images that it tests on")


@dataclass(frozen=True)
class Split:
    """The outcome of one fold; scores are unit scores.

    Attributes:
        seed: Seed of the split and of the training.
        test: Positions of the held-out images in the database.
        predicted: Predicted unit scores of those images, (n,) float.
        opinion: Opinion scores of those images, (n,) float.
        name: Name of the fold.
        held_out: `held_out` of the fold.
    """

    seed: int
    test: tuple[int, ...]
    predicted: tuple[float, ...]
    opinion: tuple[float, ...]
    name: str = ""
    held_out: str = ""

    @property
    def collapsed(self) -> bool:
        """Whether every image got the same score, so that no correlation is defined."""
        return len(set(self.predicted)) == 1

    @property
    def srocc(self) -> float:
        """SROCC on the held-out images."""
        return srocc(self.predicted, self.opinion)

    @property
    def plcc(self) -> float:
        """PLCC of the raw predictions on the held-out images."""
        return plcc(self.predicted, self.opinion)


def random_folds(database: Database, seeds: Sequence[int], *, test_share: float = 0.2) -> list[Fold]:
    """Return one random split for each seed; the images of a group stay on one side (Section 4.1)."""
    groups = database.groups()
    folds = []
    for seed in seeds:
        training, test = split_by_group(groups, test_share, seed)
        folds.append(Fold(f"split-{seed}", seed, tuple(training), tuple(test)))
    return folds


def authentic_folds(database: Database, seeds: Sequence[int]) -> list[Fold]:
    """Return the folds of Table 3: random splits, or on CID2013 those that test on two of its six image sets.

    BIQ2021, which the table does not have, is judged on its official split if both parts of it are there.
    """
    if database.name == "CID2013":
        return subset_folds(database, seeds)
    return (official_folds if _has_official_split(database) else random_folds)(database, seeds)


def authentic_protocol(database: Database) -> str:
    """Describe `authentic_folds` in words, for a model's card."""
    if database.name == "CID2013":
        return "trained on four image sets, tested on the two others; other sets in each repeat"
    if _has_official_split(database):
        return "trained on the official training split, tested on the official test split; another seed in each repeat"
    together = "near-duplicates" if database.series else "identical images"
    return f"repeated random 80/20 splits, {together} on one side; trained on 80 %, tested on 20 %"


def official_folds(database: Database, seeds: Sequence[int]) -> list[Fold]:
    """Return one fold for each seed, all of them the database's official split as it was published: training and test.

    Raises:
        EvaluationError: If the database has no photos of one of the two.
    """
    training, test = (
        tuple(position for position, image in enumerate(database) if image.subset == part)
        for part in ("training", "test")
    )
    if not training or not test:
        raise EvaluationError(
            f"{database.name} has {len(training)} photos of the official training split and {len(test)} of the test "
            "split, and both are needed: use random splits."
        )
    return [Fold(f"official-{seed}", seed, training, test, "test") for seed in seeds]


def _has_official_split(database: Database) -> bool:
    return database.name == "BIQ2021" and {"training", "test"} <= set(database.subsets())


def subset_folds(database: Database, seeds: Sequence[int], *, held_out: int = 2) -> list[Fold]:
    """Return one fold for each seed that tests on some subsets of a database and learns from all others (CID2013).

    Successive seeds take different subsets, until all combinations were taken.

    Raises:
        EvaluationError: If the database has too few subsets.
    """
    subsets = sorted({image.subset for image in database if image.subset})
    if len(subsets) <= held_out:
        raise EvaluationError(
            f"{database.name} has {len(subsets)} subsets, and {held_out} are to be held out: use random splits."
        )
    # One order for all seeds: were each to draw for itself, some pairs would come twice and pass for two splits.
    combinations = list(itertools.combinations(subsets, held_out))
    order = np.random.default_rng(0).permutation(len(combinations)).tolist()
    folds = []
    for seed in seeds:
        chosen = combinations[order[seed % len(order)]]
        test = [position for position, image in enumerate(database) if image.subset in chosen]
        training = [position for position, image in enumerate(database) if image.subset and image.subset not in chosen]
        folds.append(Fold(f"subsets-{seed}", seed, tuple(training), tuple(test), " ".join(chosen)))
    return folds


def leave_one_distortion_out_folds(database: Database, seeds: Sequence[int]) -> list[Fold]:
    """Return, for each seed and distortion type, the fold that learns from all other types (Section 4.2).

    Raises:
        DatabaseError: If an image has no distortion type.
    """
    names = _short_names(database.distortion_types())
    return [
        Fold(
            file_name_for(f"{names[held_out.distortion_type]}-seed-{seed}"),
            seed,
            tuple(sorted(position for task in others for position in task.positions)),
            held_out.positions,
            held_out.distortion_type,
        )
        for seed in seeds
        for held_out, others in leave_one_out(distortion_tasks(database))
    ]


def known_distortion_folds(database: Database, seeds: Sequence[int]) -> list[Fold]:
    """Return, for each seed and distortion type, two folds that learn from half of that type's contents as well.

    They are what leave-one-distortion-out is compared with: all is as there, but that the type is known from other
    contents. Each half of the contents is judged once, by the training that learned from the other half.

    Raises:
        DatabaseError: If an image has no distortion type.
        EvaluationError: If a type has a single content, which cannot be halved.
    """
    names = _short_names(database.distortion_types())
    everything = frozenset(range(len(database)))
    folds = []
    for seed, task in itertools.product(seeds, distortion_tasks(database)):
        if len(set(task.groups)) < 2:
            raise EvaluationError(
                f"{task.distortion_type} of {database.name} shows a single content, and one half of the contents is to "
                "be learned from, the other to be judged: add images of other contents."
            )
        # One division for all types, where they show the same contents: its seed does not depend on the type.
        division = split_task(task, 0.5, (seed, 1), by_group=True)
        for part, test in (("first", division.support), ("second", division.query)):
            name = file_name_for(f"{names[task.distortion_type]}-{part}-half-seed-{seed}")
            folds.append(Fold(name, seed, tuple(sorted(everything - set(test))), test, task.distortion_type))
    return folds


def _short_names(types: Sequence[str]) -> dict[str, str]:
    """Return the name of each distortion type without its catalogue, where that tells them apart."""
    short = {kind: kind.partition(":")[2] or kind for kind in types}
    times = Counter(short.values())
    return {kind: kind if times[name] > 1 else name for kind, name in short.items()}


def adaptation_folds(
    database: Database, seeds: Sequence[int], sizes: Sequence[int], *, test_share: float = 0.2
) -> list[Fold]:
    """Return, for each random split, folds that learn from ever more of its training images; larger hold smaller.

    Raises:
        EvaluationError: If a size is below 1 or larger than the training part.
    """
    folds = []
    for split in random_folds(database, seeds, test_share=test_share):
        order = np.random.default_rng((split.seed, 1)).permutation(np.asarray(split.training)).tolist()
        for size in sizes:
            if not 1 <= size <= len(order):
                raise EvaluationError(
                    f"Learning from {size} photos was asked for, and a split of {database.name} has {len(order)} to "
                    f"learn from: ask for 1 to {len(order)}."
                )
            folds.append(Fold(f"n-{size}-seed-{split.seed}", split.seed, tuple(sorted(order[:size])), split.test))
    return folds


def summarise(splits: Sequence[Split]) -> dict[str, float | int | list[int]]:
    """Return mean and standard deviation (n - 1) of SROCC and PLCC over splits."""
    sroccs, plccs = [split.srocc for split in splits], [split.plcc for split in splits]
    spread = (
        {"srocc_std": float(np.std(sroccs, ddof=1)), "plcc_std": float(np.std(plccs, ddof=1))} if splits[1:] else {}
    )
    return {
        "splits": len(splits),
        "seeds": [split.seed for split in splits],
        "n_test": len(splits[0].test),
        "srocc_mean": float(np.mean(sroccs)),
        "plcc_mean": float(np.mean(plccs)),
        **spread,
    }
