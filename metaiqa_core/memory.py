"""Use of a process's memory: kept for the next tensors, or given back soon, as the program needs it.

What is said of the C library holds for glibc; elsewhere nothing happens. No result depends on it.
"""

import functools
import sys
from collections.abc import Callable

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8  # malloc.h
_ARENAS = 2


def keep_freed_memory() -> None:
    """Let the C library keep what is freed.

    As it is, glibc takes every large block from the system and gives it back at once, so that each activation of a
    network lies in fresh pages, which the system has to find and clear. For programs that compute and end: one that
    runs for days would keep its largest moment's memory.
    """
    if mallopt := _function("mallopt"):
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def share_memory_among_threads() -> None:
    """Let all threads take memory from two common stores: for a server, whose threads come and go.

    As it is, glibc opens up to eight stores (arenas) a core, and what one thread freed in its own is no use to others.
    """
    if mallopt := _function("mallopt"):
        mallopt(_M_ARENA_MAX, _ARENAS)


def give_freed_memory_back() -> None:
    """Give what is free back to the system, as a server should after a large photo."""
    if malloc_trim := _function("malloc_trim"):
        malloc_trim(0)


@functools.cache
def _function(name: str) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    import ctypes  # what `--help` need not wait for

    return getattr(ctypes.CDLL(None), name, None)  # musl has none
