"""Runs of version 0.1, whose fold files held scores only: their results hold the rest."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from metaiqa_core.errors import ResultsError
from metaiqa_core.results.finished_fold import FinishedFold
from metaiqa_core.results.records import Measured
from metaiqa_core.results.storage import RESULTS_FILE, read_predictions, read_run


def complete(folder: Path, folds: Mapping[str, FinishedFold]) -> dict[str, FinishedFold]:
    """Return folds of version 0.1, completed from the results of their run.

    Args:
        folder: Folder of the run.
        folds: Finished folds, by the name of their predictions in the run's results.

    Returns:
        The folds that the results name, complete; none where the run has no results yet.

    Raises:
        ResultsError: If the results are damaged.
    """
    if not (folder / RESULTS_FILE).exists():
        return {}
    run = read_run(folder)
    completed: dict[str, FinishedFold] = {}
    for record in run.records:
        source = record.source
        name = source.predictions if isinstance(source, Measured) else None
        if not isinstance(source, Measured) or name is None or name not in folds or name in completed:
            continue
        try:
            frame = read_predictions(run, name)
        except ResultsError:
            continue  # as good as a fold that the results do not name
        rows = frame[["image", "reference", "distortion_type", "level"]].itertuples(index=False, name=None)
        completed[name] = replace(
            folds[name],
            method=record.method,
            protocol=record.protocol,
            database=record.database,
            images=tuple((str(image), str(reference), str(kind), int(level)) for image, reference, kind, level in rows),
            configuration=dict(source.configuration),
            date=source.date,
            code_version=source.code_version,
        )
    return completed
