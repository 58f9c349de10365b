"""Per-image predictions of one cell and seed: a table in a Parquet file, recognised by its SHA-256.

| column | type | meaning |
|---|---|---|
| image | str | name, unique within the table |
| reference | str | name of the pristine photo that it was made from, "" where there is none |
| distortion_type | str | abbreviation, "" where there is none |
| level | int | 1 to 5, 0 where there is none |
| opinion_score | float | opinion score, unit score in [0, 1], higher = better |
| predicted_score | float | predicted score, on the same scale |
"""

import io
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import pandas as pd
from annotated_types import Interval, MaxLen

from metaiqa_core.errors import ResultsError
from metaiqa_core.files import write_whole
from metaiqa_core.foreign_text import name_text
from metaiqa_core.json_files import STRICT

COLUMNS = ("image", "reference", "distortion_type", "level", "opinion_score", "predicted_score")
FOLDER = "predictions"


@dataclass(frozen=True)
class PredictionFile:
    """File of a cell's predictions: name in the run's `predictions` folder, its SHA-256 and number of rows."""

    __pydantic_config__ = STRICT

    file: Annotated[str, MaxLen(300)]
    sha256: Annotated[str, MaxLen(64)]
    rows: Annotated[int, Interval(ge=1, le=10_000_000)]


def write(folder: Path, name: str, frame: pd.DataFrame) -> PredictionFile:
    """Write the predictions called `name` into the run's folder, whole or not at all.

    Raises:
        ResultsError: If the frame is malformed.
        OSError: If the disk refuses.
    """
    buffer = io.BytesIO()
    checked(frame).to_parquet(buffer, index=False)
    content = buffer.getvalue()
    digest = sha256(content).hexdigest()
    # The content's hash in the name keeps the file that an older results.json points to until that one is replaced.
    file = f"{name}.{digest[:12]}.parquet"

    def fill(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_whole(folder / FOLDER / file, fill)
    return PredictionFile(file, digest, len(frame))


def read(folder: Path, entry: PredictionFile) -> pd.DataFrame:
    """Read a prediction file of the run in `folder`.

    Raises:
        ResultsError: If the file is missing or is not the one that the run wrote.
    """
    if Path(entry.file).name != entry.file:
        raise ResultsError(
            f"The run {name_text(folder.name)} names a prediction file outside its folder: {entry.file!r}."
        )
    try:
        content = (folder / FOLDER / entry.file).read_bytes()
    except OSError:
        raise ResultsError(f"The predictions {entry.file} of the run {name_text(folder.name)} are missing.") from None
    if sha256(content).hexdigest() != entry.sha256:
        raise ResultsError(
            f"The predictions {entry.file} of the run {name_text(folder.name)} were changed after the run wrote them."
        )
    try:
        from pyarrow import parquet  # pandas, too, imports it only where a table is read

        rows = parquet.read_metadata(io.BytesIO(content)).num_rows
        if rows != entry.rows:  # asked first: a few bytes can hold millions of equal rows
            raise ValueError(f"it has {rows:,} rows, expected {entry.rows:,}")
        return checked(pd.read_parquet(io.BytesIO(content)))
    except (OSError, ValueError, TypeError) as error:
        raise ResultsError(
            f"The predictions {entry.file} of the run {name_text(folder.name)} are damaged: {error}"
        ) from None


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with exactly `COLUMNS`, in order.

    Raises:
        ResultsError: If a column is missing, there is no row, or a score is not finite.
    """
    if missing := [column for column in COLUMNS if column not in frame]:
        raise ResultsError(f"Predictions need the column {missing[0]}.")
    frame = frame[list(COLUMNS)].reset_index(drop=True)
    scores = frame[["opinion_score", "predicted_score"]].astype(float)
    if frame.empty or not scores.map(lambda score: -1e9 < score < 1e9).all(axis=None):
        raise ResultsError("Predictions need at least one row and only finite scores.")
    return frame
