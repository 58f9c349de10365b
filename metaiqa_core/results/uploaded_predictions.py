"""A user's own predictions, image by image, as CSV: numbers to show beside the published ones, and to test.

| column | meaning |
|---|---|
| image | name of the image file |
| mos, or opinion_score | people's score: on the database's own scale, or from 0 to 1 |
| predicted, or predicted_score | the model's score, on the same scale |
| method, database, distortion_type, reference, level | may be left out |

Type, reference and level are read from the names of images where no column has them: those of TID2013 and KADID-10k,
and those that `synthesize` gives. The latter are never called by the originals' names: a file of them that names no
database is of the re-synthesised one. `evaluate --predictions FILE` writes such a file.
"""

import re
from dataclasses import dataclass

import pandas as pd

from metaiqa_core.databases.catalogue import OFFICIAL
from metaiqa_core.errors import EvaluationError, ResultsError
from metaiqa_core.evaluation.criteria import plcc, srocc
from metaiqa_core.results import predictions, published
from metaiqa_core.results.records import Protocol, ResultRecord, Uploaded
from metaiqa_core.results.uploaded_csv import read_uploaded_csv
from metaiqa_core.results.uploads import DATABASES

MAXIMUM_BYTES = 8 * 2**20
_ORIGINAL = r"[iI]\d\d_"
"""How the names of images in TID2013 and in KADID-10k begin."""
_NAME = re.compile(r"^(?:[iI](?=\d\d_))?(.+)_(\d\d)_0?([1-5])\.\w+$")
"""Names of images in them, and of those that are synthesised anew: reference, type and level."""
_LEVEL = re.compile(r"[0-5](\.0*)?", re.ASCII)
"""Levels as text, whole numbers too that a table with empty cells turned into 3.0; 0 is none."""
_LARGEST_SCORE = 1e9


@dataclass(frozen=True, eq=False)
class UploadedPredictions:
    """What an upload of predictions holds.

    Attributes:
        records: Numbers computed from it: SROCC of each distortion type, or PLCC and SROCC of a database without types.
        frames: Predictions (`predictions.COLUMNS`) behind them, by method, database and type ("" where there is none).
        problems: One sentence for each part that no number could be computed of.
    """

    records: tuple[ResultRecord, ...]
    frames: dict[tuple[str, str, str], pd.DataFrame]
    problems: tuple[str, ...]


def holds_predictions(content: bytes) -> bool:
    """Return whether the first line of a CSV file is that of predictions rather than of results."""
    names = _header(content)
    return "image" in names and bool({"predicted", "predicted_score"} & set(names))


def read_predictions_upload(content: bytes, file: str, database: str) -> UploadedPredictions:
    """Read a CSV file of predictions.

    Args:
        content: Bytes of the file: UTF-8, comma- or semicolon-separated.
        file: Name of the file, for the source of the records.
        database: Database of the images where the file has no column of that name.

    Raises:
        ResultsError: If the file as a whole cannot be read, a line has too many or too few cells, or a score or a level
            is none.
    """
    frame = _table(content, file, database)
    records: list[ResultRecord] = []
    frames: dict[tuple[str, str, str], pd.DataFrame] = {}
    problems, unknown = [], dict[str, list[tuple[int, str]]]()
    for (method, name, kind), rows in frame.groupby(["method", "database", "distortion_type"], sort=False):
        types = [entry.abbreviation for entry in published.distortion_types(name)]
        if types and kind not in types:
            unknown.setdefault(name, []).append((len(rows), kind or "none"))
            continue
        protocol = Protocol.LEAVE_ONE_DISTORTION_OUT if types else Protocol.AUTHENTIC
        source = Uploaded(file, int(rows.index[0]))
        predicted, opinion = rows["predicted_score"].to_numpy(), rows["opinion_score"].to_numpy()
        try:
            values = {"srocc": srocc(predicted, opinion)} | ({} if types else {"plcc": plcc(predicted, opinion)})
        except EvaluationError as error:
            problems.append(f"{name}{f', {kind}' if kind else ''}: {error}")
            continue
        frames[method, name, kind if types else ""] = predictions.checked(rows)
        records += [
            ResultRecord(method, name, protocol, kind if types else None, metric, value, None, len(rows), source)
            for metric, value in values.items()
        ]
    problems += [_unknown_types(name, found) for name, found in unknown.items()]
    return UploadedPredictions(tuple(records), frames, tuple(problems))


def _unknown_types(database: str, found: list[tuple[int, str]]) -> str:
    known = ", ".join(entry.abbreviation for entry in published.distortion_types(database)[:3])
    return (
        f"{sum(count for count, _ in found)} images have no distortion type of {database}: name one of them, such as "
        f"{known}, in the column distortion_type, not {found[0][1]!r:.40}."
    )


def _header(content: bytes) -> list[str]:
    line = content[:10_000].decode("utf-8-sig", errors="replace").partition("\n")[0].strip()
    return [name.strip().strip('"').lower() for name in re.split("[,;]", line)]


def _table(content: bytes, file: str, database: str) -> pd.DataFrame:
    if len(content) > MAXIMUM_BYTES:
        raise ResultsError(f"{file} has {len(content) / 2**20:.1f} MiB; at most 8 MiB are read.")
    columns, rows = read_uploaded_csv(content, file)
    for row in rows:
        if row.problem:
            raise ResultsError(f"{file}, line {row.line}: {row.problem}")
    if not rows:
        raise ResultsError(
            f"{file} holds no predictions: expected a line for each image below the names of the columns."
        )
    frame = pd.DataFrame([row.cells for row in rows], [row.line for row in rows], columns, dtype=object)
    frame = frame.drop(columns="", errors="ignore")  # such as the numbers of rows that pandas writes
    raw = "opinion_score" not in frame
    opinion = "mos" if raw else "opinion_score"
    names = ("predicted", "predicted_score") if raw else ("predicted_score", "predicted")
    predicted = next((name for name in names if name in frame), "predicted")
    for name in ("image", opinion, predicted):
        if name not in frame:
            raise ResultsError(
                f"{file} needs the column {name}: predictions have the columns image, mos (or opinion_score) and "
                "predicted (or predicted_score)."
            )
    frame["image"] = frame["image"].str.rpartition("/")[2]
    for name, default in (("method", "My method"), ("database", database), ("distortion_type", ""), ("reference", "")):
        given = frame[name] if name in frame else pd.Series("", index=frame.index)
        frame[name] = given.where(given != "", default)
    frame["distortion_type"] = frame["distortion_type"].str.rpartition(":")[2]  # tid2013:AGN, as the catalogue says
    known = {name.casefold(): name for name in DATABASES}
    if unknown := sorted(set(frame["database"].str.casefold()) - set(known)):
        raise ResultsError(f"{file} names the database {unknown[0]!r:.60}, which is none of {', '.join(DATABASES)}.")
    frame["database"] = frame["database"].str.casefold().map(known)
    numbers = frame[[opinion, predicted]].apply(pd.to_numeric, errors="coerce").astype(float)
    for name in numbers:
        _require(
            numbers[name].abs() < _LARGEST_SCORE,
            frame[name],
            file,
            "a score is no number",
            "write it like 3.75, with a point",
        )
    if "level" in frame:
        frame["level"] = frame["level"].replace("", "0")
        is_level = frame["level"].str.fullmatch(_LEVEL)
        _require(is_level, frame["level"], file, "the level is no whole number from 1 to 5", "leave it empty for none")
    frame["opinion_score"], frame["predicted_score"] = numbers[opinion], numbers[predicted]
    return _with_units(_with_types(_with_resyntheses(frame, database)), raw)


def _require(fits: pd.Series, cells: pd.Series, file: str, problem: str, remedy: str) -> None:
    """Say what is wrong with the first cell that does not fit."""
    if not fits.all():
        line = fits.idxmin()
        raise ResultsError(f"{file}, line {line}: {problem}, got {cells[line]!r:.40}; {remedy}.")


def _with_resyntheses(frame: pd.DataFrame, database: str) -> pd.DataFrame:
    """Give images that are synthesised anew to the database of that name, where the file says no other."""
    anew = {original: name for name, original in published.RESYNTHESES.items()}.get(database)
    if anew is not None:
        is_made = ~frame["image"].str.match(_ORIGINAL) & frame["image"].str.match(_NAME)
        frame["database"] = frame["database"].mask(is_made & (frame["database"] == database), anew)
    return frame


def _with_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Fill in type, reference and level from the names of images, where they say it and the columns do not."""
    has_types = frame["database"].isin([name for name in DATABASES if published.distortion_types(name)])
    parts = frame["image"].where(has_types, "").str.extract(_NAME)
    by_id = {(name, entry.id): entry.abbreviation for name in DATABASES for entry in published.distortion_types(name)}
    ids = pd.to_numeric(parts[1], errors="coerce").fillna(0).astype(int)
    named = [by_id.get(key, "") for key in zip(frame["database"], ids, strict=True)]
    empty = frame["distortion_type"] == ""
    frame["distortion_type"] = frame["distortion_type"].where(~empty, named)
    frame["reference"] = frame["reference"].where(frame["reference"] != "", parts[0].fillna(""))
    level = frame["level"] if "level" in frame else parts[2].fillna("0")
    frame["level"] = level.astype(float).astype(int)
    return frame


def _with_units(frame: pd.DataFrame, raw: bool) -> pd.DataFrame:
    """Bring raw scores to unit scores, on the scale that the database publishes."""
    if not raw:
        return frame
    ranges = {official.name: official.raw_range for official in OFFICIAL}
    for name in frame["database"].unique():
        low, high = ranges.get(published.RESYNTHESES.get(name, name), (0.0, 1.0))
        rows = frame["database"] == name
        for column in ("opinion_score", "predicted_score"):
            frame.loc[rows, column] = (frame.loc[rows, column] - low) / (high - low)
    return frame
