"""The program: `python -m metaiqa_core`, or `metaiqa` where it is installed."""

import os
import signal
import sys

TYPE_CHECKING = False  # see metaiqa_core/__init__.py

if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn


def run_program() -> None:
    """Run the command that this process was given, and end with its exit status."""
    # Nothing is begun while libraries are imported, some of which turn a KeyboardInterrupt into an error of their own.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, _leave)
    from metaiqa_core.cli import main
    from metaiqa_core.memory import keep_freed_memory

    status = main(prepare=keep_freed_memory, before_work=_restore if interruptible else None)
    if interruptible:
        signal.signal(signal.SIGINT, _leave)  # what Python does at its end must not print a traceback either
    sys.exit(status)


def _restore() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(signal_number: int, frame: "FrameType | None") -> "NoReturn":
    os.write(2, b"interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    run_program()
