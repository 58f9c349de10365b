"""Many photos in their order, with all processors at work: some are decoded while the network computes others."""

import itertools
import operator
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.engine import Engine
from metaiqa_core.errors import MetaIQAError, PhotoError
from metaiqa_core.images import Photo, PhotoSource

_READY_AHEAD = 3
_FEW = 8
"""Number of photos before an engine with one thread is made for the others, which takes as long as one of them."""
_PATHS_AHEAD = 4
"""Number of paths for each thread that are taken ahead, so that a large photo does not make the others wait."""


@dataclass(frozen=True, eq=False)
class Ready:
    """A photo that the network can read.

    Attributes:
        photo: The decoded photo.
        pixels: The model's input, (H, W, 3) uint8 RGB.
    """

    photo: Photo
    pixels: NDArray[np.uint8]


Answer = TypeVar("Answer")
Answering = Callable[[Ready, Engine], Answer]
MakingReady = Callable[[PhotoSource], Ready]


def answers(
    sources: Iterable[PhotoSource], ready: MakingReady, answer: Answering[Answer], engine: Engine, *, large: bool
) -> Iterator[Answer | MetaIQAError]:
    """Answer photos in order; memory stays constant.

    Args:
        sources: The photos.
        ready: Function that decodes a source and shrinks it to the model's input.
        answer: Function that answers a photo, given an engine.
        engine: The engine, with all its threads.
        large: Whether decoded photos are so large that only one may wait.

    Yields:
        The answer of each source, or the error that says why there is none.
    """
    remaining = iter(sources)
    if not large and engine.threads > 1:
        # Of a list it is known beforehand that there are many; a generator may take its time for each.
        few = 0 if operator.length_hint(sources) > _FEW else _FEW
        yield from _one_by_one(itertools.islice(remaining, few), ready, answer, engine, ahead=_READY_AHEAD)
        for source in itertools.islice(remaining, 1):
            remaining = itertools.chain([source], remaining)
            if alone := engine.one_thread:
                yield from _side_by_side(remaining, ready, answer, alone, processors=engine.threads)
    yield from _one_by_one(remaining, ready, answer, engine, ahead=1 if large else _READY_AHEAD)


def _one_by_one(
    sources: Iterator[PhotoSource], ready: MakingReady, answer: Answering[Answer], engine: Engine, *, ahead: int
) -> Iterator[Answer | MetaIQAError]:
    """Answer with all threads of the engine, while the next photos are being made ready."""
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="decode") as decoders:
        waiting: deque[Future[Ready]] = deque()

        def take(number: int) -> None:
            for source in itertools.islice(sources, number):
                waiting.append(decoders.submit(ready, source))

        take(ahead)
        while waiting:
            first = waiting.popleft()
            take(1)
            yield _outcome(first.result, answer, engine)


def _side_by_side(
    sources: Iterator[PhotoSource], ready: MakingReady, answer: Answering[Answer], engine: Engine, *, processors: int
) -> Iterator[Answer | MetaIQAError]:
    """Decode and answer photos side by side, each in a thread of its own: one more than there are processors.

    One may thus wait for its file while the others compute; no more networks compute at a time than there are
    processors, since each takes memory. What is taken ahead is small: a path, and later its answer.
    """
    threads = most = processors + 1
    computing = threading.BoundedSemaphore(processors)

    def answer_in_turn(photo: Ready, engine: Engine) -> Answer:
        with computing:
            return answer(photo, engine)

    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="photo") as pool:
        waiting: deque[Future[Answer | MetaIQAError]] = deque()

        def take(number: int) -> None:
            nonlocal most
            for source in itertools.islice(sources, number):
                most = _PATHS_AHEAD * threads if isinstance(source, str | os.PathLike) else threads
                waiting.append(pool.submit(_outcome, partial(ready, source), answer_in_turn, engine))

        try:
            take(threads)
            while waiting:
                first = waiting.popleft()
                take(max(most - len(waiting), 0))
                yield first.result()
        finally:
            for future in waiting:
                future.cancel()


def _outcome(ready: Callable[[], Ready], answer: Answering[Answer], engine: Engine) -> Answer | MetaIQAError:
    """Return an answer, or the error that says why there is none."""
    try:
        return answer(ready(), engine)
    except MetaIQAError as error:
        return error
    except (TypeError, ValueError, AttributeError) as error:
        # The caller's mistake in this one source; the others are none.
        outcome = PhotoError(f"{str(error)[:1].upper()}{str(error)[1:].rstrip('.')}.")
        outcome.__cause__ = error
        return outcome
