"""Reuse of freed memory for the next tensors of a process."""

import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h


def keep_freed_memory() -> None:
    """Make glibc keep freed memory; with another C library nothing happens.

    As it is, glibc takes every large block from the system and gives it back at once, so that each activation of a
    network lies in fresh pages, which the system has to find and clear. No result depends on it. For programs that
    compute and end: one that runs for days would keep its largest moment's memory.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
