"""The options of a command as a form needs them, and a filled form as the words of a command line.

The commands declare their options once, for argparse; a form that is read from there cannot fall behind, and argparse
itself judges the values, with the sentence that a terminal would show.
"""

import argparse
import os
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from metaiqa_core.errors import JobError

Kind = Literal["switch", "yes or no", "choice", "choices", "whole number", "text", "words", "lines"]
"""Kind of value in a field of the form: bool; bool or None; one of `choices`; some of them; int; str; several words,
quoted as in a shell; one entry a line."""
Values = Mapping[str, Any]
"""Filled-in values by `Option.name`; None, empty and False stand for the default."""

DeclareOptions = Callable[[argparse.ArgumentParser], None]
_LEFT_OUT = ("help", "run_dir", "shard", "preset")
MAIN_GROUP = "options"


@dataclass(frozen=True)
class Option:
    """One option of a command.

    Attributes:
        name: Name of the value, such as `batch_size`.
        flag: Text on the command line, such as `--batch-size`; empty for a value that stands alone.
        kind: Kind of value in its field of a form.
        group: Heading of the group of options that it belongs to; `MAIN_GROUP` for none.
        help: Description in one line.
        default: Default value; None where a preset or the command decides.
        required: Whether the command refuses to run without it.
        choices: Accepted values; empty where any value of the kind is accepted.
        is_path: Whether the value is the path of a file or folder.
    """

    name: str
    flag: str
    kind: Kind
    group: str
    help: str
    default: Any
    required: bool
    choices: tuple[str, ...] = ()
    is_path: bool = False


def options_of(declare: DeclareOptions, left_out: Collection[str] = ()) -> list[Option]:
    """Return the options that a command declares, except for the run folder, the preset and the options of workers.

    Args:
        declare: Function that declares the options.
        left_out: Names of further options to leave out.
    """
    parser = _parser(declare)
    # argparse offers no public list of what was declared; these names have been the same since it exists.
    return [
        _option(action, group.title or MAIN_GROUP)
        for group in parser._action_groups
        for action in group._group_actions
        if action.dest not in (*_LEFT_OUT, *left_out)
    ]


def words_of(command: str | Sequence[str], options: list[Option], values: Values, preset: str | None) -> list[str]:
    """Return the words of a command line, with only the values that differ from the defaults.

    Raises:
        JobError: If a field's words are quoted wrongly.
    """
    words = [command] if isinstance(command, str) else list(command)
    for option in sorted(options, key=lambda option: not option.required):
        words += _words(option, values.get(option.name))
    return [*words, "--preset", preset] if preset else words


def parse(
    declare: DeclareOptions, words: Sequence[str], run_folder: Path, run_words: Sequence[str] | None = None
) -> argparse.Namespace:
    """Return the arguments that a command would read from its words, which do not include its name.

    Args:
        declare: Function that declares the options.
        words: Words of the command line after the command's name.
        run_folder: Folder of the run.
        run_words: Words that lead the command into it; by default `--run-dir` with the folder.

    Raises:
        JobError: If the command would refuse them, with its own sentence.
    """
    return _parser(declare).parse_args([*words, *(run_words or ("--run-dir", str(run_folder)))])


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise JobError(f"{message[:1].upper()}{message[1:]}.")


def _parser(declare: DeclareOptions) -> argparse.ArgumentParser:
    parser = _Parser(prog="", add_help=False, allow_abbrev=False)
    declare(parser)
    return parser


def _option(action: argparse.Action, group: str) -> Option:
    return Option(
        name=action.dest,
        flag=action.option_strings[0] if action.option_strings else "",
        kind=_kind(action),
        group=MAIN_GROUP if group in ("options", "optional arguments", "positional arguments") else group,
        help=(action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%"),
        default=None if action.default is argparse.SUPPRESS else action.default,
        required=action.required,
        choices=tuple(map(str, action.choices or ())),
        is_path=action.type is Path,
    )


def _kind(action: argparse.Action) -> Kind:
    if isinstance(action, argparse.BooleanOptionalAction):
        return "yes or no"
    if action.nargs == 0:
        return "switch"
    several = action.nargs in ("+", "*") or isinstance(action.nargs, int)
    if action.choices:
        return "choices" if several else "choice"
    if isinstance(action, argparse._AppendAction) or (several and action.type is Path):
        return "lines"
    if several:
        return "words"
    return "whole number" if action.type is int else "text"


def _words(option: Option, value: Any) -> list[str]:
    if value is None or value == option.default or (not value and value is not False and value != 0):
        return []
    match option.kind:
        case "switch":
            return [option.flag] if value else []
        case "yes or no":
            return [option.flag if value else option.flag.replace("--", "--no-", 1)]
        case "choices":
            return [] if list(value) == list(map(str, option.default or ())) else [option.flag, *value]
        case "lines":
            entries = [_word(option, line.strip()) for line in str(value).splitlines() if line.strip()]
            if option.is_path:
                return [option.flag, *entries] if entries else []
            return [f"{option.flag}={entry}" for entry in entries]
        case "words":
            return _split(option, str(value))
        case _:
            text = _word(option, str(value).strip())
            # A value that starts with a dash would be taken for an option of its own.
            if not option.flag:
                return [text] if text else []
            return [] if not text else [f"{option.flag}={text}"] if text.startswith("-") else [option.flag, text]


def _split(option: Option, text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError:
        raise JobError(f"{option.flag}: a quotation mark is not closed in {text!r}.") from None
    default = " ".join(map(str, option.default or ()))
    return [option.flag, *words] if words and " ".join(words) != default else []


def _word(option: Option, text: str) -> str:
    """Return a path that no program takes for an option, with the home folder that a shell would insert."""
    if not option.is_path or not text:
        return text
    text = os.path.expanduser(text)  # noqa: PTH111 - Path would drop the dot below
    return os.path.join(".", text) if text.startswith("-") else text  # noqa: PTH118
