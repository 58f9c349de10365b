"""The command line: one parser, one place where errors become a line on stderr and an exit status.

Exit status 0: done; 1: done, but some photos failed; 2: bad usage, or nothing could be done; 130: interrupted.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from importlib import import_module

from metaiqa_core import __version__
from metaiqa_core.command_catalogue import COMMANDS
from metaiqa_core.completion import PROGRAM, SHELLS, activation_script, answer_shell
from metaiqa_core.errors import MetaIQAError
from metaiqa_core.foreign_text import printable

TYPE_CHECKING = False  # see metaiqa_core/__init__.py

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any, NoReturn, Protocol

    class Command(Protocol):
        """What the module of a command has."""

        add_arguments: Callable[[argparse.ArgumentParser], None]
        run: Callable[[argparse.Namespace], int]


def load_command(name: str) -> Command:
    """Import the module of one of `COMMANDS`; help and a mistyped name need not wait for torch to be imported."""
    module: Any = import_module(COMMANDS[name].module)
    return module


class _Parser(argparse.ArgumentParser):
    """Reports a mistake in one line, where argparse would print the usage first."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(' '.join(message.split()))} (see {self.prog} --help)\n")


class _PrintCompletion(argparse.Action):
    """Prints the script for the shell and ends, as `--version` does."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, shell: Any, option: str | None = None) -> None:
        sys.stdout.write(activation_script(shell))
        parser.exit()


def build_parser(names: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser; of the commands named, each knows its options and leaves its `run` in the parsed arguments."""
    parser = _Parser(prog=_program(), description="How good is a photo, and why.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--completion",
        action=_PrintCompletion,
        choices=SHELLS,
        help=f"print what turns on completion of the command {PROGRAM} in this shell",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    for name, entry in COMMANDS.items():
        command = commands.add_parser(name, help=entry.summary, description=entry.summary, allow_abbrev=False)
        if name in names:
            module = load_command(name)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def main(
    arguments: Sequence[str] | None = None,
    *,
    prepare: Callable[[], None] | None = None,
    before_work: Callable[[], None] | None = None,
) -> int:
    """Run one command.

    Args:
        arguments: Words of the command line after the program's name; by default those of this process.
        prepare: Function to call before the command's module is loaded; help and a mistyped name do without it.
        before_work: Function to call when everything is imported and the options are understood, before the command
            starts.

    Returns:
        The exit status.
    """
    answer_shell(build_parser)
    words = sys.argv[1:] if arguments is None else arguments
    if prepare and words and words[0] in COMMANDS:
        prepare()
    parsed = build_parser(words[:1]).parse_args(words)
    try:
        if before_work:
            before_work()
        return parsed.run(parsed)
    except MetaIQAError as error:
        return _refuse(str(error))
    except BrokenPipeError:
        return 0  # the reader, such as `head`, has seen enough
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except RuntimeError as error:
        if type(error).__name__ != "OutOfMemoryError":  # torch's; importing torch would make the help wait
            raise
        return _refuse(
            "The GPU's memory is too small for this: free it and start the same command again, which goes on where it "
            "was; or give smaller batches, smaller crops or --device cpu, with another --run-dir."
        )
    except OSError as error:
        resumable = hasattr(parsed, "run_dir") or parsed.command == "synthesize"
        return _refuse(_system_refusal(error, resumable=resumable))
    except ValueError as error:  # out of range: its own words are a sentence, a stack trace would not be
        return _refuse(str(error))


def _program() -> str:
    """Return the name by which the program was called, for its usage lines."""
    name, _ = os.path.splitext(os.path.basename(sys.argv[0]))  # noqa: PTH119, PTH122 (pathlib would take longer)
    return PROGRAM if name == PROGRAM else "python -m metaiqa_core"


def _system_refusal(error: OSError, *, resumable: bool) -> str:
    """Return a sentence on an operation that the system refused, and on the remedy.

    Args:
        error: The error that the system raised.
        resumable: Whether the same command, started again, goes on where it stopped.
    """
    place = f" for {error.filename}" if error.filename else ""
    from metaiqa_core.files import is_full_disk

    if is_full_disk(error):
        kept = "; what a run has finished is kept, and it goes on from there" if resumable else ""
        return f"The disk is full{place}: make room and start the same command again{kept}."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Access refused{place} ({error.strerror}): choose another place, or change its permissions."
    return f"{error.strerror}{place}." if error.strerror else str(error)


def _refuse(message: str) -> int:
    sys.stderr.write(f"{printable(' '.join(message.split()))}\n")
    return 2
