"""Options that say something of each of several databases, and the file of names that nothing learns from."""

from collections.abc import Sequence
from pathlib import Path

from metaiqa_core.errors import TrainingError


def read_shares(option: str, values: Sequence[str]) -> dict[str, float]:
    """Return the shares that NAME=SHARE words give.

    Raises:
        TrainingError: If a share is no number above 0.
    """
    return dict(_share(option, text) for text in values)


def read_counts(option: str, values: Sequence[str]) -> dict[str, int]:
    """Return the numbers that NAME=N words give.

    Raises:
        TrainingError: If one is no whole number above 0.
    """
    found = {}
    for text in values:
        name, _, number = text.rpartition("=")
        if not name or not number.isdecimal() or not int(number):
            raise TrainingError(f"{option} takes NAME=N with a whole number above 0, got {text!r}.")
        found[name] = int(number)
    return found


def read_names(file: Path | None) -> frozenset[str]:
    """Return the file names, one a line, that a text file lists; none without a file.

    Raises:
        TrainingError: If it cannot be read.
    """
    if file is None:
        return frozenset()
    try:
        return frozenset(line for line in file.read_text(encoding="utf-8").splitlines() if line)
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            f"The list of held-out images {file} cannot be read: expected one file name a line."
        ) from error


def _share(option: str, text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        share = float(number)
    except ValueError:
        share = 0.0
    if not name or not 0 < share < float("inf"):
        raise TrainingError(f"{option} takes NAME=NUMBER with a number above 0, got {text!r}.")
    return name, share
