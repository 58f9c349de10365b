"""Pickles read as plain data: nothing that a pickle asks for is imported, called or built.

A pickle is a program for a small stack machine, and two of its instructions import and call anything. This interpreter
knows the same instructions but keeps such requests as records: a call of os.system stays `Record("os.system", (...,))`.
The reader of the records decides on their meaning.

Work and memory grow in proportion to the length of the pickle. Dictionaries keep entries under string keys only: a
weight's name is a string, and hashing the nested tuples that a hostile pickle can build may take for ever.

Source: Python's `pickletools`, which documents and decodes the instructions.
"""

import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from metaiqa_core.errors import CheckpointError

INSTRUCTION_LIMIT = 500_000  # a pickled ResNet18 takes about 13,000
_NAME_LENGTH_LIMIT = 1000  # without it, five instructions could join two strings as long as the file, again and again

_DECODING_ERRORS = (ValueError, IndexError, KeyError, TypeError, struct.error, OverflowError, MemoryError)
_LITERALS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_SET": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}
_LENGTHS = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True, eq=False, repr=False)
class Name:
    """A class or function that the pickle mentions, by its dotted name."""

    dotted: str


@dataclass(eq=False, repr=False)
class Record:
    """An object that the pickle asks to build, not built.

    Attributes:
        class_name: Dotted name of its class, or of the function that would have made it; "?" if the pickle names none.
        arguments: Arguments that the class or function would have been called with.
        state: State that the object's `__setstate__` or `__dict__` would have received.
        items: Items that would have been set by key, string keys only.
    """

    class_name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None
    items: dict[str, Any] = field(default_factory=dict)


def read_inert(stream: BinaryIO, persistent: Callable[[Any], Any], source: str) -> Any:
    """Read the pickle at the stream's position and leave the stream right behind it.

    Args:
        stream: Stream at the position of the pickle.
        persistent: Function from a persistent id, the pickle's reference to something outside, to an object.
        source: Name of the file, for messages.

    Returns:
        Numbers, strings, bytes, None, lists (sets become lists), tuples, dictionaries with string keys, `Name`s,
        `Record`s and what `persistent` returns.

    Raises:
        CheckpointError: If this is no pickle, a damaged one, or one beyond `INSTRUCTION_LIMIT`.
    """
    machine = _Machine(persistent)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if count >= INSTRUCTION_LIMIT:
                raise CheckpointError(
                    f"{source} is more complicated than a model: its pickle has over {INSTRUCTION_LIMIT:,} "
                    "instructions. Save the network's state dict and import that file."
                )
            machine.execute(opcode.name, argument)
        return machine.pop()
    except _DECODING_ERRORS as error:
        raise CheckpointError(
            f"{source} is damaged or cut short: its pickle breaks off or makes no sense. Download it again."
        ) from error


class _Machine:
    """The stack, the stacks set aside by MARK, and the memo of one pickle."""

    def __init__(self, persistent: Callable[[Any], Any]) -> None:
        self.persistent = persistent
        self.stack: list[Any] = []
        self.outer_stacks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        values, self.stack = self.stack, self.outer_stacks.pop()
        return values

    def execute(self, instruction: str, argument: Any) -> None:
        """Carry out one instruction; raise one of `_DECODING_ERRORS` if the stack does not allow it."""
        match instruction:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "MARK":
                self.outer_stacks.append(self.stack)
                self.stack = []
            case "POP":
                self.pop() if self.stack else self.pop_to_mark()
            case "POP_MARK":
                self.pop_to_mark()
            case "DUP":
                self.push(self.stack[-1])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = self.stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = self.stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                self.push(self.memo[argument])
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                self.push(tuple([self.pop() for _ in range(_LENGTHS[instruction])][::-1]))
            case "TUPLE" | "LIST" | "FROZENSET" | "DICT":
                self.push(_collected(instruction, self.pop_to_mark()))
            case "APPEND":
                _extend(self.stack[-2], [self.pop()])
            case "APPENDS" | "ADDITEMS":
                values = self.pop_to_mark()
                _extend(self.stack[-1], values)
            case "SETITEM":
                value, key = self.pop(), self.pop()
                _set_items(self.stack[-1], [key, value])
            case "SETITEMS":
                values = self.pop_to_mark()
                _set_items(self.stack[-1], values)
            case "GLOBAL":
                self.push(Name(argument.replace(" ", ".")))
            case "STACK_GLOBAL":
                name, module = self.pop(), self.pop()
                self.push(Name(f"{_text(module)}.{_text(name)}"))
            case "REDUCE" | "NEWOBJ":
                arguments, target = self.pop(), self.pop()
                self.push(_record(target, arguments))
            case "NEWOBJ_EX":
                _, arguments, target = self.pop(), self.pop(), self.pop()
                self.push(_record(target, arguments))
            case "OBJ":
                target, *values = self.pop_to_mark()
                self.push(_record(target, tuple(values)))
            case "INST":
                self.push(Record(argument.replace(" ", "."), tuple(self.pop_to_mark())))
            case "BUILD":
                state = self.pop()
                if isinstance(self.stack[-1], Record):
                    self.stack[-1].state = state
            case "PERSID" | "BINPERSID":
                self.push(self.persistent(argument if instruction == "PERSID" else self.pop()))
            case "EXT1" | "EXT2" | "EXT4" | "NEXT_BUFFER" | "READONLY_BUFFER":
                raise ValueError(f"{instruction} refers to something outside the file")
            case _ if instruction in _LITERALS:
                self.push(_LITERALS[instruction]())
            case _:  # what remains is numbers, strings and bytes, which pickletools has decoded
                self.push(argument)


def _collected(instruction: str, values: list[Any]) -> Any:
    if instruction == "TUPLE":
        return tuple(values)
    if instruction == "DICT":
        mapping: dict[str, Any] = {}
        _set_items(mapping, values)
        return mapping
    return values


def _record(target: Any, arguments: Any) -> Record:
    if not isinstance(arguments, tuple):
        raise TypeError("a call's arguments must be a tuple")
    return Record(target.dotted if isinstance(target, Name) else "?", arguments)


def _extend(target: Any, values: list[Any]) -> None:
    if isinstance(target, list):
        target.extend(values)
    elif not isinstance(target, Record):
        raise TypeError("only lists and objects can be appended to")


def _set_items(target: Any, keys_and_values: list[Any]) -> None:
    items = target.items if isinstance(target, Record) else target
    if not isinstance(items, dict):
        raise TypeError("only dictionaries and objects have items")
    for key, value in zip(keys_and_values[::2], keys_and_values[1::2], strict=True):
        if isinstance(key, str):
            items[key] = value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a name must be a string")
    if len(value) > _NAME_LENGTH_LIMIT:
        raise ValueError("a name is too long")
    return value
