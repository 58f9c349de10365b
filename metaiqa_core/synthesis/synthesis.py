"""Re-synthesise a database: known distortions on pristine photos, labelled with opinion scores."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metaiqa_core import __version__
from metaiqa_core.distortions import DistortionType
from metaiqa_core.errors import DatabaseError
from metaiqa_core.files import sha256_of
from metaiqa_core.progress import Progress, Work
from metaiqa_core.synthesis import database_folder, generation, references
from metaiqa_core.synthesis.configuration import SynthesisConfig
from metaiqa_core.synthesis.gmsd import gmsd
from metaiqa_core.synthesis.labels import Label, LabelSource, mean_label, people_label, read_tid2013_scores
from metaiqa_core.synthesis.parallel import run_jobs
from metaiqa_core.synthesis.references import Reference, Selection
from metaiqa_core.synthesis.refinement import refine

LabelTable = dict[tuple[Reference, DistortionType, int], Label]


@dataclass(frozen=True)
class Synthesis:
    """A finished database.

    Attributes:
        folder: Folder of the database.
        name: `kadid10k-style` or `tid2013-kodak`.
        images: Number of distorted images.
        made: Number of images that this call made; the others existed before.
        refused: Reason for each refused photo, by file name.
    """

    folder: Path
    name: str
    images: int
    made: int
    refused: dict[str, str]


def synthesise(
    config: SynthesisConfig,
    selection: Selection,
    folder: Path,
    *,
    labels: LabelSource,
    scores: Path | None = None,
    workers: int = 1,
) -> Work[Synthesis]:
    """Make a database, or continue one whose making was interrupted; yields one step an image.

    Args:
        config: Configuration of the database.
        selection: References, from `select_references`.
        folder: Target folder, new or begun with the same configuration; types, levels and labels may differ from
            before.
        labels: Source of the opinion scores; `people` needs `scores`.
        scores: File `mos_with_names.txt` of TID2013, needed for the labels `people`.
        workers: Number of processes; the bytes do not depend on it.

    Returns:
        The finished database. `database_folder` describes the layout of its folder.

    Raises:
        DatabaseError: If the folder is foreign, the disk is too small, or the score file is wrong.
    """
    if (labels == "people") != (scores is not None):
        raise ValueError("scores belong to the labels of people, and they to scores")
    table = label_table(config, selection.references, labels, scores)  # first: a wrong file must not cost an hour
    generation.refuse_small_disk(folder, disk_need(config, selection, folder))
    yield from _write_references(config, selection, folder)
    (folder / "database.json").unlink(missing_ok=True)  # complete no longer, until the end
    jobs = [
        generation.ImageJob(
            reference=str(_reference_file(folder, reference)),
            distortion=distortion.key,
            level=level,
            seed=generation.image_seed(config.seed, reference.name, level),
            stretch=config.like == "kadid10k",
            target=str(folder / database_folder.image_name(reference.name, distortion, level)),
        )
        for reference, distortion, level in table
    ]
    made = yield from generation.make_images(jobs, workers)
    if labels == "refined":
        table = yield from _refined(table, jobs, config.raw_range, workers)
    rows = [
        (database_folder.image_name(reference.name, distortion, level), reference, distortion, level, label)
        for (reference, distortion, level), label in table.items()
    ]
    database_folder.write_scores(folder, rows)
    database_folder.write_description(
        folder,
        {
            "name": config.name,
            "raw_range": list(config.raw_range),
            **config.to_dict(),
            "images": len(jobs),
            "references": len(selection.references),
            "labels": labels,
            "scores_file_sha256": sha256_of(scores) if scores else None,
            "windows": {
                reference.name: {
                    "photo": reference.photo.name,
                    "scaled_size": list(reference.window.scaled_size),
                    "top": reference.window.top,
                    "left": reference.window.left,
                    "size": list(reference.window.size),
                    "exact": reference.window.exact,
                }
                for reference in selection.references
            },
            "refused": selection.refused,
            "code_version": __version__,
        },
    )
    return Synthesis(folder, config.name, len(jobs), made, selection.refused)


def disk_need(config: SynthesisConfig, selection: Selection, folder: Path) -> int:
    """Estimate the bytes that are still to be written to a folder."""
    need = 0
    for reference in selection.references:
        missing = sum(
            not (folder / database_folder.image_name(reference.name, distortion, level)).exists()
            for distortion in config.distortions
            for level in config.levels
        )
        new = not _reference_file(folder, reference).exists()
        need += generation.bytes_needed(missing + new, reference.window.size)
    return need


def _reference_file(folder: Path, reference: Reference) -> Path:
    return folder / "references" / f"{reference.name}.png"


def label_table(
    config: SynthesisConfig, chosen: Sequence[Reference], labels: LabelSource, scores: Path | None
) -> LabelTable:
    """Return people's label of every image, or the mean of its type and level, reference by reference.

    Raises:
        DatabaseError: If the score file is wrong, or of another database.
    """
    people = read_tid2013_scores(scores) if scores else {}
    if people and config.like != "tid2013":
        raise DatabaseError("Scores of single images belong to --like tid2013: leave --scores out.")
    return {
        (reference, distortion, level): people_label(people, reference.photo, distortion, level)
        if labels == "people"
        else mean_label(distortion, level)
        for reference in chosen
        for distortion in config.distortions
        for level in config.levels
    }


def _refined(
    table: LabelTable, jobs: list[generation.ImageJob], raw_range: tuple[float, float], workers: int
) -> Work[LabelTable]:
    """Replace the means of each type by labels that GMSD refines."""
    metrics = []
    pairs = [(job.target, job.reference) for job in jobs]
    with closing(run_jobs(_similarity, pairs, workers)) as measured:
        for step, value in enumerate(measured, start=1):
            metrics.append(value)
            yield Progress("comparing with the references", step, len(jobs))
    metric, means = np.array(metrics), np.array([label.mos for label in table.values()])
    kinds = np.array([distortion.id for _, distortion, _ in table])
    refined = np.empty_like(means)
    for kind in np.unique(kinds):
        refined[kinds == kind] = refine(metric[kinds == kind], means[kinds == kind])
    refined = refined.clip(*raw_range)
    return {
        key: Label(float(mos), label.std, "refined") for (key, label), mos in zip(table.items(), refined, strict=True)
    }


def _similarity(files: tuple[str, str]) -> float:
    image, reference = files
    return -gmsd(generation.read_png(image), generation.read_png(reference))


def _write_references(config: SynthesisConfig, selection: Selection, folder: Path) -> Work[None]:
    """Claim the folder, then write the windows that are missing."""
    digests = {reference.name: reference.sha256 for reference in selection.references}
    database_folder.claim(folder, database_folder.recipe_of(config, digests))
    for step, reference in enumerate(selection.references, start=1):
        file = _reference_file(folder, reference)
        if not file.exists():
            generation.write_png(file, references.cut(reference))
        yield Progress("cutting references", step, len(selection.references))
