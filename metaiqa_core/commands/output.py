"""What commands share in writing: rows as a table, CSV or JSON, to a file or the terminal, and a progress bar."""

import csv
import io
import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from metaiqa_core.files import write_text
from metaiqa_core.progress import Kind, Progress, Work


def write(text: str, output: Path | None) -> None:
    """Write to a file, whole or not at all, or to the terminal."""
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_text(output, text)


def as_json(value: Any) -> str:
    """Return indented JSON; values that are not finite are refused rather than written as invalid JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Return CSV with a header; None is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> str:
    """Return an aligned plain-text table; numbers to the right."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if cell[:1].isdigit() or cell[:1] == "-" else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), *map(line, rows)]) + "\n"


def finish_with_bar(work: Work[Any]) -> Any:
    """Run work to its end and return its result.

    A bar, a line for each record of metrics, and what the work logs meanwhile go to stderr.
    """
    shown = ""
    with _log_lines(), tqdm(disable=not sys.stderr.isatty(), unit="step", leave=False) as bar:
        while True:
            try:
                progress = next(work)
            except StopIteration as stop:
                return stop.value
            _advance(bar, progress)
            line = _record(progress)
            if line and line != shown:
                shown = line
                tqdm.write(line, file=sys.stderr)


class _Lines(logging.Handler):
    """Writes what is logged as lines above the bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        tqdm.write(record.getMessage(), file=sys.stderr)


@contextmanager
def _log_lines() -> Iterator[None]:
    """Show what the core logs, and put its logger back as it was."""
    logger, lines = logging.getLogger("metaiqa_core"), _Lines()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(lines)
    try:
        yield
    finally:
        logger.removeHandler(lines)
        logger.setLevel(level)


def _advance(bar: Any, progress: Progress) -> None:
    bar.set_description(progress.title, refresh=False)
    bar.total = progress.total
    bar.update(progress.step - bar.n)


def _record(progress: Progress) -> str:
    """A line for what is worth keeping in a log: the end of an epoch or of a split, not each step of Adam."""
    if not progress.metrics or progress.kind == Kind.STEP:
        return ""
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in progress.metrics.items())
    return f"{progress.title}: {numbers}"
