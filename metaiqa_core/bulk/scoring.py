"""The loop of a bulk scoring: parts go out to processes, and come back in any order as files."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from metaiqa_core.bulk.part_scoring import PartScores, Row, Scoring, lost_row
from metaiqa_core.bulk.photo_lists import ListedPhoto, PhotoList, parts_of
from metaiqa_core.bulk.score_folder import ScoreFolder
from metaiqa_core.errors import ClusterError
from metaiqa_core.progress import Progress, Work

SMALLEST_PART, LARGEST_PART = 10, 1000
_PARTS = 256


class LostProcessError(Exception):
    """The process that scored a piece died, as did those that tried it again."""


class Processes(Protocol):
    """Processes that score pieces of parts, on this machine or others."""

    @property
    def most_at_once(self) -> int:
        """Number of pieces that may be under way."""

    def start(self, photos: Sequence[ListedPhoto], scoring: Scoring) -> Hashable:
        """Let a process score photos, and return what the outcome will be known by."""

    def next_outcome(self) -> tuple[Hashable, Callable[[], PartScores]]:
        """Wait for one piece, and return what it is known by and its outcome.

        The outcome raises a `LostProcessError` where its processes died.

        Raises:
            ClusterError: If no outcome can come any more.
        """


@dataclass(frozen=True)
class BulkSummary:
    """What a bulk scoring did.

    Attributes:
        photos: Number of photos in the list.
        failed: Number of photos without a score.
        finished_before: Number of photos whose rows were there before.
        seconds: Processor time of the others, seconds.
    """

    photos: int
    failed: int
    finished_before: int
    seconds: float


def part_size_for(photos: int) -> int:
    """Return a number of photos a part: small enough that many processes share a list, and that little is done twice.

    >>> part_size_for(1_000_000), part_size_for(20_000), part_size_for(100)
    (1000, 79, 10)

    Args:
        photos: Number of photos.
    """
    return min(max(-(-photos // _PARTS), SMALLEST_PART), LARGEST_PART)


def score_in_bulk(
    photos: PhotoList, scoring: Scoring, folder: ScoreFolder, processes: Processes, *, total: int
) -> Work[BulkSummary]:
    """Score a list of photos into a folder; parts that are there already stay as they are.

    Where the processes of a piece die, its halves are tried, down to the single photo, which becomes a row.

    Args:
        photos: The photos; those of the folder's record.
        scoring: Settings by which they are scored.
        folder: Folder of the parts.
        processes: Processes that score them.
        total: Number of photos.

    Returns:
        The summary; a `Progress` was yielded for each part.

    Raises:
        ClusterError: If the processes go away, or can score nothing.
        OutputError: If a part cannot be written. Finished parts stay in both cases.
    """
    state = _State(folder, scoring, processes)
    waiting = state.waiting(parts_of(photos, folder.settings["part_size"]))
    done = 0
    while True:
        while len(state.pieces) < processes.most_at_once and (part := next(waiting, None)):
            state.start(_Piece(*part))
        if state.finished_before > done:
            done = state.finished_before
            yield Progress("going on with the other photos", done, total)
        if not state.pieces:
            return BulkSummary(total, state.failed, state.finished_before, state.seconds)
        written = state.take_outcome()
        if written:
            done += written
            yield Progress("scoring photos", done, total)


@dataclass(frozen=True)
class _Piece:
    """Photos that one process scores: those of a part from `start` on."""

    part: int
    photos: Sequence[ListedPhoto]
    start: int = 0


class _State:
    """The pieces under way, and the rows of parts that are not whole yet."""

    def __init__(self, folder: ScoreFolder, scoring: Scoring, processes: Processes) -> None:
        self._folder, self._scoring, self._processes = folder, scoring, processes
        self.pieces: dict[Hashable, _Piece] = {}
        self._rows: dict[int, list[Row | None]] = {}
        self.failed, self.finished_before, self.seconds = 0, 0, 0.0

    def waiting(self, parts: Iterator[list[ListedPhoto]]) -> Iterator[tuple[int, list[ListedPhoto]]]:
        """Yield the parts that are not finished, each with its number."""
        for number, part in enumerate(parts):
            failed = self._folder.failed_rows(number, len(part))
            if failed is None:
                self._rows[number] = [None] * len(part)
                yield number, part
            else:
                self.failed += failed
                self.finished_before += len(part)

    def start(self, piece: _Piece) -> None:
        """Let a process score a piece."""
        self.pieces[self._processes.start(piece.photos, self._scoring)] = piece

    def take_outcome(self) -> int:
        """Wait for a piece; return the number of rows of its part if that is written now, else 0."""
        key, outcome = self._processes.next_outcome()
        piece = self.pieces.pop(key)
        try:
            scores = outcome()
        except LostProcessError:
            if len(piece.photos) > 1:
                half = len(piece.photos) // 2
                self.start(_Piece(piece.part, piece.photos[:half], piece.start))
                self.start(_Piece(piece.part, piece.photos[half:], piece.start + half))
                return 0
            scores = PartScores((lost_row(piece.photos[0], self._scoring),))
        if scores.problem:
            raise ClusterError(f"A machine cannot score: {scores.problem}")
        self.seconds += scores.seconds
        rows: list[Any] = self._rows[piece.part]
        rows[piece.start : piece.start + len(piece.photos)] = scores.rows
        if None in rows:
            return 0
        self._folder.write(piece.part, rows)
        del self._rows[piece.part]
        self.failed += sum(row["error"] is not None for row in rows)
        return len(rows)
