"""A user's own numbers as CSV, to be shown beside the published ones."""

from metaiqa_core.errors import ResultsError
from metaiqa_core.results import published
from metaiqa_core.results.records import MAXIMUM_IMAGES, METRICS, Protocol, ResultRecord, Uploaded
from metaiqa_core.results.uploaded_csv import read_uploaded_csv

COLUMNS = ("method", "database", "distortion_type", "metric", "value", "n")
DATABASES = ("TID2013", "KADID-10k", "CID2013", "LIVE Challenge", "KonIQ-10k", "BIQ2021", *published.RESYNTHESES)
MAXIMUM_BYTES = 2**20


def template() -> str:
    """Return a CSV with the header and example lines to replace; a value left empty is skipped."""
    lines = [",".join(COLUMNS)]
    lines += [f"My method,TID2013,{entry.abbreviation},srocc,," for entry in published.distortion_types("TID2013")]
    lines += [f"My method,LIVE Challenge,,{metric},," for metric in ("plcc", "srocc")]
    return "\n".join(lines) + "\n"


def read_upload(content: bytes, file: str) -> tuple[list[ResultRecord], list[str]]:
    """Read a CSV of results.

    Args:
        content: Bytes of the file: UTF-8, comma- or semicolon-separated, header `COLUMNS` (n may be left out).
        file: Name of the file, for the source of the records.

    Returns:
        The records, and one sentence for each line that was left out; a line with an empty value is left out silently.

    Raises:
        ResultsError: If the file as a whole cannot be read.
    """
    if len(content) > MAXIMUM_BYTES:
        raise ResultsError(f"{file} has {len(content) / 2**20:.1f} MiB; a table of results has less than 1 MiB.")
    names, rows = read_uploaded_csv(content, file)
    if missing := [name for name in COLUMNS[:-1] if name not in names]:
        raise ResultsError(
            f"{file} needs the columns {', '.join(COLUMNS[:-1])} in its first line, or image, mos and predicted where "
            f"it holds predictions; {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."
        )
    records: list[ResultRecord] = []
    problems: list[str] = []
    seen: dict[tuple, int] = {}
    for row in rows:
        try:
            if row.problem:
                raise ResultsError(row.problem)
            cells = {name: "" for name in COLUMNS} | dict(zip(names, row.cells, strict=True))
            if not cells["value"]:
                continue
            record = _record(cells, Uploaded(file, row.line))
            key = (record.method, record.database, record.distortion_type, record.metric)
            if key in seen:
                raise ResultsError(f"the same cell was given in line {seen[key]} already.")
        except ResultsError as error:
            problems.append(f"Line {row.line}: {error}")
            continue
        seen[key] = row.line
        records.append(record)
    if not records and not problems:
        raise ResultsError(f"{file} holds no line with a value.")
    return records, problems


def _record(cells: dict[str, str], source: Uploaded) -> ResultRecord:
    databases = {name.casefold(): name for name in DATABASES}
    database = databases.get(cells["database"].casefold())
    if database is None:
        raise ResultsError(f"the database {cells['database']!r:.60} is not one of {', '.join(DATABASES)}.")
    types = {entry.abbreviation.casefold(): entry.abbreviation for entry in published.distortion_types(database)}
    held_out = types.get(cells["distortion_type"].casefold())
    if types and held_out is None:
        raise ResultsError(
            f"{cells['distortion_type']!r:.60} is not a distortion type of {database}: {', '.join(types.values())}."
        )
    if not types and cells["distortion_type"]:
        raise ResultsError(f"{database} has no distortion types; leave the column empty.")
    metric = cells["metric"].lower()
    if metric not in METRICS:
        raise ResultsError(f"the metric {cells['metric']!r:.60} is not one of {', '.join(METRICS)}.")
    try:
        value = float(cells["value"])
    except ValueError:
        raise ResultsError(f"the value {cells['value']!r:.60} is not a number; use a point as decimal sign.") from None
    protocol = Protocol.LEAVE_ONE_DISTORTION_OUT if types else Protocol.AUTHENTIC
    n = _number_of_images(cells["n"]) if cells["n"] else None
    return ResultRecord(cells["method"] or "My method", database, protocol, held_out, metric, value, None, n, source)


def _number_of_images(text: str) -> int:
    # The length goes first: Python refuses to convert thousands of digits, and this text may come with a link.
    if text.isdecimal() and len(text) <= len(str(MAXIMUM_IMAGES)) and 1 <= int(text) <= MAXIMUM_IMAGES:
        return int(text)
    raise ResultsError(f"the number of images {text!r:.40} is not a whole number from 1 to {MAXIMUM_IMAGES:,}.")
