"""A configuration on the command line: one option for each field of its class."""

import argparse
import dataclasses
import inspect
import re
import types
import typing
from typing import Any, TypeVar

Configuration = TypeVar("Configuration")


def add_options(parser: argparse.ArgumentParser, configuration: type[Any], skip: tuple[str, ...] = ()) -> None:
    """Declare `--field-name` for each field of a frozen dataclass; without the option, the preset's value stays."""
    group = parser.add_argument_group("configuration (an option overrides the preset)")
    hints = typing.get_type_hints(configuration)
    inherited = {name for base in configuration.__bases__ for name in getattr(base, "__dataclass_fields__", ())}
    for field in sorted(dataclasses.fields(configuration), key=lambda field: field.name in inherited):
        if field.name in skip:
            continue
        kind = hints[field.name]
        if isinstance(kind, types.UnionType):  # float | None
            kind = next(part for part in typing.get_args(kind) if part is not types.NoneType)
        settings: dict[str, Any] = {"default": None, "help": _summary(configuration, field.name)}
        if kind is bool:
            settings["action"] = argparse.BooleanOptionalAction
        elif typing.get_origin(kind) is typing.Literal:
            settings["choices"] = typing.get_args(kind)
        else:
            settings |= {"type": kind, "metavar": kind.__name__.upper()}
        group.add_argument(f"--{field.name.replace('_', '-')}", dest=field.name, **settings)


def chosen(preset: Configuration, arguments: argparse.Namespace) -> Configuration:
    """Return the preset with the fields that were given on the command line."""
    names = {field.name for field in dataclasses.fields(preset)}  # type: ignore[arg-type]
    given = {name: value for name, value in vars(arguments).items() if name in names and value is not None}
    return dataclasses.replace(preset, **given)  # type: ignore[type-var]


def _summary(configuration: type[Any], name: str) -> str:
    """Return the description of a field from the docstring of its class, or of the one that it is inherited from."""
    for owner in configuration.__mro__:
        match = re.search(rf"^ +{name}: (.*(?:\n {{8}}.*)*)", inspect.cleandoc(owner.__doc__ or ""), re.MULTILINE)
        if match:
            return " ".join(match[1].split()).replace("%", "%%")
    return ""
