"""JSON files that people bring: read within limits, then judged whole by the type that they are to become.

A type is a frozen dataclass with `__pydantic_config__ = STRICT`. Its annotations give types and ranges, its
`__post_init__` checks how several fields fit together; pydantic judges all of it at once.
"""

import json
import math
import reprlib
import stat
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

if TYPE_CHECKING:  # importing it takes longer than `metaiqa --help`, which reads no file
    from pydantic import ConfigDict, TypeAdapter

Kind = TypeVar("Kind")

STRICT: "ConfigDict" = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
"""A text is no number, true is not 1, and an unknown field is a mistake."""

MAXIMUM_DEPTH = 12
"""Maximum depth of nested objects and lists."""
MAXIMUM_CHARACTERS = 100_000
"""Length of the longest text, characters."""
_LARGEST_WHOLE_NUMBER = 2**63 - 1


def read_json(path: Path, maximum_bytes: int) -> Any:
    """Read a JSON file.

    Args:
        path: JSON file, UTF-8.
        maximum_bytes: Size of the largest file that is read, bytes.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If it cannot be read.
        ValueError: If it is no regular file, is too large, is no JSON, names a field twice, or breaks the limits of
            `check_json`.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # asked first: opening a pipe would wait for a writer for ever
        raise ValueError("it is no regular file")
    if status.st_size > maximum_bytes:
        raise ValueError(f"it has {status.st_size / 2**20:.1f} MiB, and at most {maximum_bytes / 2**20:g} MiB are read")
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_distinct)
    except RecursionError:
        raise ValueError(f"its objects and lists lie more than {MAXIMUM_DEPTH} levels deep in each other") from None
    check_json(content, "it")
    return content


def validated(kind: type[Kind], content: Mapping[str, Any]) -> Kind:
    """Return the dataclass instance that a JSON object describes.

    Args:
        kind: Dataclass that is `STRICT`.
        content: Values as `read_json` gives them.

    Raises:
        ValueError: If a field is wrong; the message names it, what was expected, and what came.
    """
    from pydantic import ValidationError

    try:
        # From text, not from values: in JSON a list may stand for a tuple and a name for an enumeration's member.
        return cast("Kind", _adapter(cast("Any", kind)).validate_json(json.dumps(content)))
    except ValidationError as error:
        raise ValueError(_sentence(error)) from error


def constructed(kind: type[Kind], content: Mapping[str, Any]) -> Kind:
    """Return what `validated` returns for content that it has judged before, without loading what judges.

    Args:
        kind: Dataclass that is `STRICT`; its fields are numbers, texts, enumerations, tables, tuples and such classes.
        content: Values as `read_json` gives them.
    """
    hints = get_type_hints(kind)
    return kind(**{name: _constructed_value(hints[name], value) for name, value in content.items()})


def _constructed_value(hint: Any, value: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        hint = next(one for one in get_args(hint) if (one is type(None)) == (value is None))
    if is_dataclass(hint) and isinstance(value, dict):
        return constructed(cast("Any", hint), value)
    if get_origin(hint) is tuple:
        kinds = get_args(hint)
        kinds = kinds[:1] * len(value) if kinds[1:] == (Ellipsis,) else kinds
        return tuple(map(_constructed_value, kinds, value))
    return hint(value) if hint is float or (isinstance(hint, type) and issubclass(hint, Enum)) else value


def check_json(value: Any, name: str, levels: int = MAXIMUM_DEPTH) -> None:
    """Refuse values that Python accepts as JSON and other programs do not.

    Args:
        value: Objects, lists, texts and numbers.
        name: Name of the value in messages.
        levels: Maximum depth of nested objects and lists.

    Raises:
        ValueError: If a number is not finite or has more than 63 bits, a text is too long or is no text that can be
            written, or values are nested too deep.
    """
    match value:
        case dict() | list() if levels == 0:
            raise ValueError(f"{name} has objects and lists more than {MAXIMUM_DEPTH} levels deep in each other")
        case dict():
            for key, inner in value.items():
                check_json(str(key), name, levels - 1)
                check_json(inner, name, levels - 1)
        case list() | tuple():
            for inner in value:
                check_json(inner, name, levels - 1)
        case str():
            if len(value) > MAXIMUM_CHARACTERS:
                raise ValueError(
                    f"{name} has a text of {len(value):,} characters, at most {MAXIMUM_CHARACTERS:,} are read"
                )
            if any("\ud800" <= character <= "\udfff" for character in value):
                raise ValueError(f"{name} has a text with half a character in it: {reprlib.repr(value)}")
        case float() if not math.isfinite(value):
            raise ValueError(f"{name} has a number that is not finite: {value}")
        case int() if abs(value) > _LARGEST_WHOLE_NUMBER:
            raise ValueError(f"{name} has a whole number that is larger than any that is used: {reprlib.repr(value)}")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it names {reprlib.repr(twice)} twice")
    return content


@cache
def _adapter(kind: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "dataclass_type": "an object",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "a list of at least {min_length} entries",
    "too_long": "a list of at most {max_length} entries",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a text of at most {max_length} characters",
    "string_pattern_mismatch": "a text of the form {pattern}",
}
"""Expected value by pydantic's name of the mistake."""


def _sentence(error: Any) -> str:
    """Return the first mistake as a clause: which field, what was expected, what came."""
    first = error.errors(include_url=False)[0]
    place, details = ".".join(map(str, first["loc"])), first.get("ctx", {})
    match first["type"]:
        case "value_error":
            return str(details["error"])
        case "missing":
            return f"{place} is missing"
        case "unexpected_keyword_argument":
            return f"{place} is a field that this version does not know"
        case "literal_error" | "enum":
            expected = details["expected"].replace("'", "")
        case kind if kind in _EXPECTED:
            expected = _EXPECTED[kind].format(**details)
        case _:
            return f"{place or 'it'}: {first['msg']}"
    return f"{place} must be {expected}, got {reprlib.repr(first['input'])}"
