"""Files of weights: safetensors only, which hold numbers and nothing that could run."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from metaiqa_core.errors import CheckpointError


def read_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read a safetensors file without torch.

    Returns:
        Array of each tensor, by name; weights in half precision as float32.

    Raises:
        CheckpointError: If it is missing, is something else (a pickle, a git-lfs pointer), is cut short, or holds
            values that are not finite.
    """
    refuse_other_files(path)
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise not_whole(path, error) from error
    weights = {name: array.astype(np.float32) if array.dtype == np.float16 else array for name, array in arrays.items()}
    for name, array in weights.items():
        # A value that is not finite is the largest or the smallest one, or makes both of them NaN.
        if np.issubdtype(array.dtype, np.floating) and array.size and not np.isfinite((array.max(), array.min())).all():
            raise not_finite(path, name)
    return weights


def refuse_other_files(path: Path) -> None:
    """Refuse what is no safetensors file by its first bytes.

    Raises:
        CheckpointError: If it cannot be opened, or is a pickle or a git-lfs pointer.
    """
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise CheckpointError(f"The weights file {path.name} cannot be opened: {error.strerror}.") from error
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            f"{path.name} is a git-lfs pointer, not the weights: run `git lfs pull` in its repository."
        )
    # A safetensors file starts with the length of its JSON header, whose bytes can be anything; its ninth byte is "{".
    if start[8:9] != b"{" and (start[:1] == b"\x80" or start[:2] == b"PK"):
        raise CheckpointError(
            f"{path.name} is a pickle, which could run code and is never loaded: "
            f"bring it in with `models import {path.name}`."
        )


def not_whole(path: Path, reason: Exception) -> CheckpointError:
    """Return the error for a file that cannot be read as safetensors."""
    return CheckpointError(
        f"{path.name} is not a whole safetensors file ({reason}): it was cut short or is another kind of file."
    )


def not_finite(path: Path, name: str) -> CheckpointError:
    """Return the error for a file with a tensor whose values are not finite."""
    return CheckpointError(f"{path.name} holds values that are not finite, first in {name}: training went wrong there.")
