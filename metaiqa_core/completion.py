"""Completion of words by the shell: the script that turns it on, and the answers to a shell that asks.

A shell asks by running the program itself with `_ARGCOMPLETE` set and the line typed so far in `COMP_LINE`.
"""

import argparse
import os
from collections.abc import Callable, Collection

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "metaiqa"


def activation_script(shell: str) -> str:
    """Return the script that a shell must read once for completion, as in `eval "$(metaiqa --completion bash)"`.

    Args:
        shell: Name of the shell, one of `SHELLS`.
    """
    from argcomplete import shellcode

    return f"{shellcode([PROGRAM], shell=shell)}\n"


def answer_shell(build_parser: Callable[[Collection[str]], argparse.ArgumentParser]) -> None:
    """Answer and end the process if a shell asks; otherwise return at once, without importing anything.

    Args:
        build_parser: Function from the words whose commands need their options to the parser.
    """
    if "_ARGCOMPLETE" not in os.environ:
        return
    from argcomplete import autocomplete

    # Only the command on the line is imported: the names alone must not wait for torch.
    autocomplete(build_parser(os.environ.get("COMP_LINE", "").split()[1:2]))
