"""Output that commands share: rows as a table, CSV or JSON, to a file or the terminal, and a progress bar."""

import csv
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

from metaiqa_core.errors import OutputError
from metaiqa_core.files import is_standard_output, is_stream, write_text
from metaiqa_core.foreign_text import csv_text, printable
from metaiqa_core.progress import Kind, Progress, Work, finish
from metaiqa_core.results.progress_file import ProgressFile


def write(text: str, output: Path | None) -> None:
    """Write a text to a file, whole or not at all, or to the terminal."""
    if output is None or is_standard_output(output):
        write_to_stdout(text)
    else:
        write_text(output, text)


def say(sentence: str) -> None:
    """Write a sentence to stderr, on one line and without control characters."""
    sys.stderr.write(f"{printable(sentence)}\n")


def write_to_stdout(text: str, *, as_utf8: bool = False) -> None:
    r"""Write to standard output at once, whatever its encoding; a terminal is shown no control characters.

    Characters that the stream's encoding lacks become escapes such as `\u00e9`, which JSON reads as the character.

    Args:
        text: Text to write.
        as_utf8: Whether to write UTF-8 whatever the encoding of the terminal, as programs that read CSV expect.

    Raises:
        OSError: If the stream is closed, or its disk is full.
    """
    stream = sys.stdout
    if stream is None or stream.closed:
        raise OutputError("There is no standard output to write to: name a file with --output.")
    shown = printable(text, keep="\n") if stream.isatty() else text
    try:
        if as_utf8 and not stream.isatty() and hasattr(stream, "buffer"):
            stream.flush()
            stream.buffer.write(shown.encode())
        else:
            stream.write(_encodable(shown, stream.encoding or "utf-8"))
        stream.flush()
    except OSError:
        _discard(stream)
        raise


def as_json(value: Any) -> str:
    """Return indented JSON; values that are not finite are refused rather than written as invalid JSON.

    Characters that a terminal would not show (control characters, marks of direction) are written as escapes.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    if all(line.isprintable() for line in text.split("\n")):
        return text + "\n"
    # Such characters stand inside of strings alone, where JSON has an escape for each.
    return "".join(one if one == "\n" or one.isprintable() else json.dumps(one)[1:-1] for one in text) + "\n"


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Return CSV with a header; None is an empty cell, and no text is left for a spreadsheet to run as a formula."""
    lines = io.StringIO(newline="")
    # Python before 3.13 quotes a lone carriage return only where a line ends with one.
    writer = csv.DictWriter(lines, columns, extrasaction="ignore", lineterminator="\r\n")
    text = []
    for row in [dict(zip(columns, columns, strict=True)), *rows]:
        writer.writerow({name: csv_text(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
        text.append(lines.getvalue().removesuffix("\r\n") + "\n")
        lines.seek(0)
        lines.truncate()
    return "".join(text)


def as_table(rows: Sequence[Sequence[str]], header: Sequence[str], widths: Sequence[int] | None = None) -> str:
    """Return an aligned plain-text table; numbers to the right, and every cell harmless for a terminal.

    Args:
        rows: Cells of each row.
        header: Names of the columns.
        widths: Minimum width of each column, characters; by default the width of its longest cell.
    """
    header = [printable(cell) for cell in header]
    rows = [[printable(cell) for cell in row] for row in rows]
    if widths is None:
        widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if cell[:1].isdigit() or cell[:1] == "-" else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), *map(line, rows)]) + "\n"


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(one if one.isascii() else json.dumps(one)[1:-1] for one in text)
    return text


def _discard(stream: TextIO) -> None:
    """Discard what a failed stream still holds: Python would try to write it at exit, and exit with the status 120."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stream in memory
        return


@contextmanager
def photo_bar(total: int, *, done: int = 0, hidden: bool = False) -> Iterator[Callable[[], object]]:
    """Show a bar of photos on stderr within the block, which is given the function that counts one more.

    Args:
        total: Number of photos.
        done: Number of photos that are finished already.
        hidden: Whether there is to be no bar, as there is none where stderr is no terminal.
    """
    if hidden or sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    from tqdm import tqdm  # what a single photo need not wait for

    with tqdm(total=total, initial=done, unit="photo", leave=False) as bar:
        yield bar.update


def finish_with_bar(work: Work[Any]) -> Any:
    """Run work to its end and return its result.

    A progress bar, a line for each record of metrics, and the log messages of the work go to stderr; the position goes
    to the file of the job that the command belongs to, if any.
    """
    from tqdm import tqdm

    shown = ""
    position = _position()
    with _log_lines(), tqdm(disable=not sys.stderr.isatty(), unit="step", leave=False) as bar:

        def show(progress: Progress) -> None:
            nonlocal shown
            _advance(bar, progress)
            position.write(progress)
            line = _record(progress)
            if line and line != shown:
                shown = line
                tqdm.write(printable(line), file=sys.stderr)

        return finish(work, show)


@lru_cache(maxsize=1)
def _position() -> ProgressFile:
    """Return the file of this process, which a command with several parts goes on writing."""
    return ProgressFile()


class _Lines(logging.Handler):
    """Writes log messages as lines above the bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        from tqdm import tqdm

        tqdm.write(printable(record.getMessage()), file=sys.stderr)


@contextmanager
def _log_lines() -> Iterator[None]:
    """Show the log messages of the core within the block, and restore its logger afterwards."""
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
    bar.set_description(printable(progress.title), refresh=False)
    bar.total = progress.total
    bar.update(progress.step - bar.n)


def _record(progress: Progress) -> str:
    """Return a line for the end of an epoch or of a split, and an empty text for a single step of Adam."""
    if not progress.metrics or progress.kind == Kind.STEP:
        return ""
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in progress.metrics.items())
    return f"{progress.title}: {numbers}"


def require_folder(path: Path, option: str) -> None:
    """Refuse a stream, such as `-`, where files are written into a folder.

    Args:
        path: Path that was given.
        option: Name of the option that gave it.

    Raises:
        OutputError: If it is a stream.
    """
    if is_stream(path):
        raise OutputError(f"Several files go into a folder, but {path} is a stream: name a folder with {option}.")
