"""Output of `score` while it runs: rows go to a stream at once, or to a journal until the file is whole."""

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaiqa_core.commands.output import say, write_to_stdout
from metaiqa_core.commands.score_journal import ScoreJournal
from metaiqa_core.errors import OutputError
from metaiqa_core.files import is_full_disk, is_standard_output, open_stream, write_text
from metaiqa_core.foreign_text import printable

Row = dict[str, Any]
Scored = Callable[[Sequence[Path]], Iterator[tuple[Path, Row]]]
Pieces = Callable[[Iterable[Row]], Iterator[str]]


def score_to_file(
    scored: Scored, files: Sequence[Path], output: Path, pieces: Pieces, *, settings: Row, resume: bool
) -> int:
    """Keep each row on the disk as soon as it is finished, and write the output at the end, whole or not at all.

    Args:
        scored: Function that scores photos one after another.
        files: Photos, in the order of the rows.
        output: File to write.
        pieces: Function that turns rows into pieces of text.
        settings: Everything but the photo that a row depends on, ready for JSON.
        resume: Whether to go on with the rows of an earlier run.

    Returns:
        The exit status: 0, 1 if a photo failed, 130 if the user interrupted.

    Raises:
        OutputError: If the disk refuses; the message names the journal and the way to go on.
    """
    journal = ScoreJournal(output, settings, resume=resume)
    try:
        waiting = [file for file in files if journal.row_of(file) is None]
        if resume:
            say(_resumption(journal, files, waiting))
        for file, row in scored(waiting):
            journal.append(file, row)
        rows = journal.rows(files)
        write_text(output, "".join(pieces(rows)))
        journal.remove()
        return 1 if any(row["error"] for row in rows) else 0
    except KeyboardInterrupt:
        say(f"interrupted: {_finished_rows(journal, files)}")
        return 130
    except OSError as error:
        is_full = is_full_disk(error)
        reason = "The disk is full" if is_full else f"The system refused it ({error.strerror or error})"
        remedy = "make room" if is_full else "mend that"
        raise OutputError(
            f"{reason}, so {printable(str(output))} is not finished: {_finished_rows(journal, files, f'{remedy} and ')}"
        ) from error
    finally:
        journal.close()


def score_to_stream(
    scored: Scored, files: Sequence[Path], output: Path | None, pieces: Pieces, *, as_utf8: bool
) -> int:
    """Write each row as soon as it is finished; a list that is interrupted is still closed.

    Args:
        scored: Function that scores photos one after another.
        files: Photos, in the order of the rows.
        output: Pipe or device; None for standard output.
        pieces: Function that turns rows into pieces of text.
        as_utf8: Whether to write UTF-8 whatever the encoding of the terminal.

    Returns:
        The exit status: 0, 1 if a photo failed, 130 if the user interrupted.

    Raises:
        OutputError: If the disk of the stream is full.
        BrokenPipeError: If the reader has gone.
    """
    tally = _Tally()
    try:
        if output is None or is_standard_output(output):
            for piece in pieces(tally.count(scored(files))):
                with tally.uninterrupted():
                    write_to_stdout(piece, as_utf8=as_utf8)
        else:
            with open_stream(output) as stream:
                shown_to_people = stream.isatty()
                for piece in pieces(tally.count(scored(files))):
                    with tally.uninterrupted():
                        stream.write((printable(piece, keep="\n") if shown_to_people else piece).encode())
                        stream.flush()
    except OSError as error:
        if not is_full_disk(error):
            raise
        raise OutputError(
            f"The disk is full: rows of {max(tally.rows - 1, 0):,} of {len(files):,} photos were written; make room "
            "and start again, with --output FILE, which keeps finished rows for --resume."
        ) from error
    if tally.interrupted:
        say(
            f"interrupted: the rows of {tally.rows:,} of {len(files):,} photos were written; with --output FILE "
            "they are kept and --resume goes on"
        )
        return 130
    return 1 if tally.failed else 0


@dataclass
class _Tally:
    rows: int = 0
    failed: bool = False
    interrupted: bool = False

    def count(self, scored: Iterator[tuple[Path, Row]]) -> Iterator[Row]:
        """Pass rows on until there are no more or the user interrupts."""
        try:
            for _, row in scored:
                self.rows += 1
                self.failed |= bool(row["error"])
                yield row
                if self.interrupted:
                    return
        except KeyboardInterrupt:
            self.interrupted = True

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Write a piece whole: an interrupt meanwhile counts when it is written."""
        can_wait = hasattr(signal, "pthread_sigmask")  # Windows has none
        try:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if can_wait else ()
            try:
                yield
            finally:
                if can_wait:
                    signal.pthread_sigmask(signal.SIG_SETMASK, before)
        except KeyboardInterrupt:
            self.interrupted = True


def _resumption(journal: ScoreJournal, files: Sequence[Path], waiting: Sequence[Path]) -> str:
    if not journal.finished:
        return "There are no rows of an earlier run to go on with: starting with the first photo."
    others = journal.count_of_others(files)
    kept = f"; the rows of {others:,} other photos of that run are kept too" if others else ""
    return f"Going on: {len(files) - len(waiting):,} of {len(files):,} photos are finished{kept}."


def _finished_rows(journal: ScoreJournal, files: Sequence[Path], remedy: str = "") -> str:
    if not journal.finished:
        return f"no row was finished; {remedy}start the same command again."
    return (
        f"{journal.finished:,} of {len(files):,} rows are kept in {printable(str(journal.path))}; {remedy}start "
        "the same command with --resume to go on from there."
    )
