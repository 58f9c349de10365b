"""The program: `python -m metaiqa_core`, or `metaiqa` where it is installed."""

import sys

from metaiqa_core.cli import main
from metaiqa_core.memory import keep_freed_memory


def run_program() -> None:
    """Run the command that this process was given, and end with its exit status."""
    sys.exit(main(prepare=keep_freed_memory))


if __name__ == "__main__":
    run_program()
