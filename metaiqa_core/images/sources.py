"""The bytes of a photo and its name in messages, from a path, an open file or bytes."""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Union

import numpy as np
from PIL import Image

from metaiqa_core.errors import PhotoError
from metaiqa_core.images.limits import DecodeLimits

if TYPE_CHECKING:  # reading files needs no torch
    import torch

PhotoSource = Union[str, os.PathLike[str], bytes, BinaryIO, Image.Image, np.ndarray, "torch.Tensor"]  # noqa: UP007
"""Types that a photo may come from."""


def _printable(path: object, fallback: str) -> str:
    """Return the last part of a path as text that any terminal, log or page can show; a fallback where it has none."""
    name = (Path(path).name if isinstance(path, str | os.PathLike) else "") or fallback
    shown = "".join(character if character.isprintable() else "?" for character in name)
    return shown if len(shown) <= 80 else f"{shown[:60]}...{shown[-17:]}"  # the suffix stays


def read(source: Any, limits: DecodeLimits) -> tuple[bytes, str]:
    """Return the content of a file and its printable name."""
    if isinstance(source, bytes | bytearray | memoryview):
        name = "the image data"
        data = bytes(source)
    elif isinstance(source, str | os.PathLike):
        name = _printable(source, "the path")
        data = _read_path(source, name, limits)
    elif hasattr(source, "read"):
        name = _printable(getattr(source, "name", None), "the file")
        try:
            if source.seekable():  # a second read of the same upload must not find it empty
                source.seek(0)
            data = source.read(limits.max_file_bytes + 1)
        except (OSError, ValueError) as error:
            raise PhotoError(f"{name} cannot be read: open it again.") from error
        if not isinstance(data, bytes):
            raise TypeError(f"a file must be opened in binary mode, its read() gave {type(data).__name__}")
    else:
        raise TypeError(
            "a photo must be a path, bytes, a binary file, a PIL image, a NumPy array or a tensor, "
            f"got {type(source).__name__}"
        )
    if not data:
        raise PhotoError(f"{name} is empty: copy or export it again.")
    if len(data) > limits.max_file_bytes:
        raise PhotoError(f"{name} is larger than {limits.max_file_bytes / 2**20:g} MiB, the limit for one photo.")
    return data, name


def _read_path(path: str | os.PathLike[str], name: str, limits: DecodeLimits) -> bytes:
    if not os.fspath(path):
        raise PhotoError("The name of the photo is empty: expected the path of a photo.")
    try:
        # Asked first: opening a pipe would wait for a writer for ever.
        kind = Path(path).stat().st_mode
        if stat.S_ISDIR(kind):
            raise PhotoError(f"{name} is a folder: expected a photo.")
        if not stat.S_ISREG(kind):
            raise PhotoError(f"{name} is not a regular file: expected a photo.")
        with Path(path).open("rb") as file:
            return file.read(limits.max_file_bytes + 1)
    except FileNotFoundError as error:
        raise PhotoError(f"{name} does not exist: check the path.") from error
    except PermissionError as error:
        raise PhotoError(f"{name} may not be read: its permissions forbid it.") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise PhotoError(f"{name} cannot be read: check the path and the disk.") from error
