"""The command line: one parser, one place where errors become a line on stderr and an exit status.

Exit status 0: done; 1: done, but some photos failed; 2: bad usage, or nothing could be done; 130: interrupted.
"""

import argparse
import errno
import sys
from collections.abc import Sequence
from typing import NoReturn

from metaiqa_core import __version__
from metaiqa_core.commands import (
    ablation,
    adaptation_curve,
    databases,
    distort,
    evaluate,
    explain,
    fine_tune,
    leave_one_out,
    meta_train,
    models,
    parameter_study,
    score,
    synthesize,
)
from metaiqa_core.errors import MetaIQAError

COMMANDS = {
    "score": score,
    "explain": explain,
    "distort": distort,
    "meta-train": meta_train,
    "fine-tune": fine_tune,
    "evaluate": evaluate,
    "leave-one-out": leave_one_out,
    "ablation": ablation,
    "adaptation-curve": adaptation_curve,
    "parameter-study": parameter_study,
    "models": models,
    "databases": databases,
    "synthesize": synthesize,
}
"""Every command by its name; its module declares the options and does the work."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, where argparse would print the usage first."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; each leaves its `run` in the parsed arguments."""
    parser = _Parser(prog="python -m metaiqa_core", description="How good is a photo, and why.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; by default the process's own.

    Returns:
        The exit status.
    """
    parsed = build_parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except MetaIQAError as error:
        return _refuse(str(error))
    except BrokenPipeError:
        return 0  # the reader, such as `head`, has seen enough
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except OSError as error:
        return _refuse(_what_the_system_refused(error))
    except ValueError as error:  # out of range: its own words are a sentence, a stack trace would not be
        return _refuse(str(error))


def _what_the_system_refused(error: OSError) -> str:
    place = f" for {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full{place}: make room and start the same command again; what a run has finished is kept, "
            "and it goes on from there."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Access refused{place} ({error.strerror}): choose another place, or change its permissions."
    return f"{error.strerror}{place}." if error.strerror else str(error)


def _refuse(message: str) -> int:
    sys.stderr.write(f"{' '.join(message.split())}\n")
    return 2
