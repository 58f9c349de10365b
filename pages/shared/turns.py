"""Turns at the heavy work: a few sessions compute at the same time, the others wait for a moment.

Photos that are decoded and scored side by side on the same cores come no sooner, but each needs its memory.
"""

import contextlib
import functools
import threading
import time
from collections.abc import Iterator

from metaiqa_core.memory import give_freed_memory_back, share_memory_among_threads
from metaiqa_core.settings import read_settings

_TIDY_SECONDS = 2.0
"""Shortest time between two moments at which freed memory is given back."""


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn, hold it during the block, then give freed memory back; a turn within a turn is the same one."""
    if getattr(_held, "here", False):
        yield
        return
    with _turns():
        _held.here = True
        try:
            yield
        finally:
            _held.here = False
            _tidy()


@contextlib.contextmanager
def gradient_turn() -> Iterator[None]:
    """Wait for a turn at gradients through the network, of which one session at a time computes any.

    A gradient map holds what each layer computed, up to 1.6 GiB for DeepLift; a photo that is scored needs a tenth.
    """
    if getattr(_held, "here", False):
        yield
        return
    with _gradients, turn():  # in this order: who waits for another's gradients holds up nobody else
        yield


_held = threading.local()
_gradients = threading.Lock()


@functools.cache
def _turns() -> threading.BoundedSemaphore:
    share_memory_among_threads()
    return threading.BoundedSemaphore(read_settings().work_at_once)


_tidied_at = 0.0


def _tidy() -> None:
    global _tidied_at
    now = time.monotonic()
    if now - _tidied_at > _TIDY_SECONDS:
        _tidied_at = now
        give_freed_memory_back()
