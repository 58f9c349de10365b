"""Temporary evaluation mode of a network in any mode."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from torch import nn


@dataclass
class _Usage:
    """Number of threads that use a network in evaluation mode, and its modules that are in training mode otherwise."""

    users: int = 0
    training: list[nn.Module] = field(default_factory=list)


_usages: WeakKeyDictionary[nn.Module, _Usage] = WeakKeyDictionary()
_lock = threading.Lock()


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode within the block, and each of its modules back into its own mode afterwards.

    Threads may be in such blocks at once: the first to enter changes the modes, the last to leave restores them.
    """
    with _lock:
        usage = _usages.setdefault(network, _Usage())
        usage.users += 1
        training = [module for module in network.modules() if module.training]
        for module in training:
            module.training = False
        usage.training += training
    try:
        yield
    finally:
        with _lock:
            usage.users -= 1
            if not usage.users:
                for module in usage.training:
                    module.training = True
                usage.training = []
