"""The two containers that `torch.save` has written, opened without executing them.

- Legacy (before PyTorch 1.6): five pickles in a row (magic number, version, machine, object, storage keys), then every
  storage as an element count (8 bytes) and its raw elements.
- Zip: `NAME/data.pkl` holds the object, `NAME/data/KEY` one raw storage each, uncompressed.

Inside either object pickle, a tensor is a call of `torch._utils._rebuild_tensor_v2` on a storage, and a storage is a
persistent id that names element type, key and element count. Devices are ignored: everything is read to the CPU.

Source: `torch.serialization` and `torch._utils`.
"""

import io
import math
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.foreign.inert_pickle import Name, Record, read_inert

ZIP_SIGNATURE = b"PK\x03\x04"
PICKLE_SIGNATURE = b"\x80"

_LEGACY_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_DIMENSION_LIMIT = 64  # PyTorch's own
_ZIP_ENTRY_LIMIT = 20_000
_ZIP_ENTRY_SIGNATURE = b"PK\x01\x02"
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    KeyError,
    ValueError,
    struct.error,
)

_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
}
_TENSOR_CALLS = {"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"}
_PARAMETER_CALLS = {
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch.nn.parameter.Parameter",
}


@dataclass(frozen=True, eq=False)
class Storage:
    """A run of elements that tensors are views of, as the pickle refers to it."""

    type_name: str
    key: str
    count: int

    @property
    def byte_count(self) -> int | None:
        """Length in bytes; None for an element type that no network's weights have."""
        dtype = _DTYPES.get(self.type_name)
        return None if dtype is None else self.count * dtype.itemsize


@dataclass(frozen=True, eq=False)
class Archive:
    """An opened container.

    Attributes:
        source: Name of the file, for messages.
        root: Saved object as inert data (see `read_inert`), its storages as `Storage`.
        contents: Bytes of every storage that the object refers to, by key.
    """

    source: str
    root: Any
    contents: dict[str, bytes | memoryview]
    _elements_of: dict[str, Tensor] = field(default_factory=dict, init=False)

    def tensor(self, call: Record) -> Tensor:
        """Build the tensor that a record describes; tensors of one storage share memory.

        Args:
            call: Record for which `is_tensor` holds.

        Raises:
            CheckpointError: If the description does not fit the storage.
        """
        match _without_parameter(call).arguments:
            case (Storage() as storage, int(offset), tuple(size), tuple(stride), *_):
                pass
            case _:
                raise _damaged(self.source, "a tensor's description makes no sense")
        if not (_is_count(offset) and _are_counts(size) and _are_counts(stride) and len(size) == len(stride)):
            raise _damaged(self.source, "a tensor's description makes no sense")
        element_count = math.prod(size)
        last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
        # Views that repeat elements could describe any amount of data in no space; weights never do.
        if element_count > storage.count or offset > storage.count or (element_count and last >= storage.count):
            raise _damaged(self.source, "a tensor is larger than the data behind it")
        return torch.as_strided(self._elements(storage), size, stride, offset)

    def _elements(self, storage: Storage) -> Tensor:
        if storage.key not in self._elements_of:
            dtype = _DTYPES.get(storage.type_name)
            if dtype is None:
                raise CheckpointError(
                    f"{self.source} holds values of the type {storage.type_name[:60]!r}; expected floats or integers. "
                    "Save the network in 32-bit floats."
                )
            content = self.contents.get(storage.key, b"")
            if len(content) != storage.byte_count:
                raise _damaged(self.source, "a tensor's data are incomplete")
            self._elements_of[storage.key] = (
                torch.frombuffer(bytearray(content), dtype=dtype) if storage.count else torch.empty(0, dtype=dtype)
            )
        return self._elements_of[storage.key]


def is_tensor(value: Any) -> bool:
    """Return whether inert data describe a tensor or a parameter."""
    return isinstance(value, Record) and _without_parameter(value).class_name in _TENSOR_CALLS


def read_legacy(data: bytes, source: str) -> Archive:
    """Open a file that `torch.save` wrote before PyTorch 1.6.

    Args:
        data: Content of the whole file.
        source: Name of the file, for messages.

    Raises:
        CheckpointError: If the file is something else, damaged or cut short.
    """
    stream = io.BytesIO(data)
    storages: dict[str, Storage] = {}
    persistent = _storage_collector(storages)
    if read_inert(stream, persistent, source) != _LEGACY_MAGIC_NUMBER:
        raise CheckpointError(f"{source} is a pickle, but not one that torch.save wrote. Choose a model file.")
    read_inert(stream, persistent, source)  # the format's version: there has been only one
    machine = read_inert(stream, persistent, source)
    if isinstance(machine, dict) and machine.get("little_endian") is False:
        raise _big_endian(source)
    root = read_inert(stream, persistent, source)
    keys = read_inert(stream, persistent, source)
    if not isinstance(keys, list):
        raise _damaged(source, "its list of tensors makes no sense")
    contents: dict[str, bytes | memoryview] = {}
    view, position = memoryview(data), stream.tell()
    for key in keys:
        storage = storages.get(key) if isinstance(key, str) else None
        if storage is None or storage.byte_count is None:
            raise _damaged(source, "its list of tensors does not fit the network")
        start = position + 8
        position = start + storage.byte_count
        if position > len(data) or struct.unpack("<q", view[start - 8 : start])[0] != storage.count:
            raise _damaged(source, f"a tensor's data are missing after {len(data):,} bytes")
        contents[key] = view[start:position]
    return Archive(source, root, contents)


def read_zip(data: bytes, source: str) -> Archive:
    """Open a file that `torch.save` wrote since PyTorch 1.6.

    Args:
        data: Content of the whole file.
        source: Name of the file, for messages.

    Raises:
        CheckpointError: If the file is something else, damaged or cut short.
    """
    if data.count(_ZIP_ENTRY_SIGNATURE) > _ZIP_ENTRY_LIMIT:
        raise CheckpointError(f"{source} is a zip file of over {_ZIP_ENTRY_LIMIT:,} parts. Choose a model file.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            return _read_open_zip(container, len(data), source)
    except _ZIP_ERRORS as error:
        raise _damaged(source, "its zip container is broken") from error


def _read_open_zip(container: zipfile.ZipFile, byte_limit: int, source: str) -> Archive:
    names = set(container.namelist())
    pickles = [name for name in names if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        raise CheckpointError(f"{source} is a zip file, but not one that torch.save wrote. Choose a model file.")
    folder = pickles[0].removesuffix("data.pkl")
    if folder + "constants.pkl" in names:
        raise CheckpointError(f"{source} is a TorchScript program. Save the network's state dict and import that file.")
    budget = byte_limit  # parts may overlap in a hostile file, so that their sum could exceed the whole

    def read(name: str) -> bytes:
        nonlocal budget
        part = container.getinfo(name)
        budget -= part.file_size
        if part.compress_type != zipfile.ZIP_STORED or budget < 0:
            raise _damaged(source, "torch.save compresses nothing, and its parts never exceed the whole")
        return container.read(part)

    if folder + "byteorder" in names and read(folder + "byteorder") != b"little":
        raise _big_endian(source)
    storages: dict[str, Storage] = {}
    root = read_inert(io.BytesIO(read(pickles[0])), _storage_collector(storages), source)
    return Archive(source, root, {key: read(f"{folder}data/{key}") for key in storages})


def _storage_collector(storages: dict[str, Storage]) -> Callable[[Any], Any]:
    """Return a reader of persistent ids that gathers the storages by key."""

    def collect(identifier: Any) -> Any:
        match identifier:
            case ("module", Name() as network_class, *_):  # a class together with its source code, which is ignored
                return network_class
            case ("storage", Name(dotted), str(key), _, count, *view) if _is_count(count) and view in ([], [None]):
                storage = Storage(dotted.rpartition(".")[2], key, count)
                known = storages.setdefault(key, storage)
                if (known.type_name, known.count) != (storage.type_name, storage.count):
                    raise ValueError("one storage, described twice and differently")
                return known
        raise ValueError("neither a module's class nor a storage")

    return collect


def _without_parameter(call: Record) -> Record:
    inner = call.arguments[0] if call.class_name in _PARAMETER_CALLS and call.arguments else None
    return inner if isinstance(inner, Record) else call


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**40


def _are_counts(values: tuple[Any, ...]) -> bool:
    return len(values) <= _DIMENSION_LIMIT and all(map(_is_count, values))


def _big_endian(source: str) -> CheckpointError:
    return CheckpointError(f"{source} was saved on a big-endian machine. Save it again on an ordinary computer.")


def _damaged(source: str, detail: str) -> CheckpointError:
    return CheckpointError(f"{source} is damaged or cut short: {detail}. Download it again.")
