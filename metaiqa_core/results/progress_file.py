"""How far a command has come, in one small file that is written anew about once a second, for whoever watches a job.

`metrics.csv` holds numbers alone; commands such as `evaluate` and `synthesize` have none, and the others none yet while
they read images.
"""

import contextlib
import json
import os
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Interval, MaxLen

from metaiqa_core.files import write_text
from metaiqa_core.json_files import STRICT, read_json, validated
from metaiqa_core.progress import Progress

PROGRESS_FILE = "progress.json"
PROGRESS_VARIABLE = "METAIQA_PROGRESS"
"""Environment variable that names the file which a command writes."""
_SECONDS = 1.0
_MAXIMUM_BYTES = 2**16


@dataclass(frozen=True)
class Position:
    """How far a command has come.

    Attributes:
        title: Current activity, in words.
        step: Number of steps done.
        total: Number of steps in all.
    """

    __pydantic_config__ = STRICT

    title: Annotated[str, MaxLen(10_000)]
    step: Annotated[int, Interval(ge=0)]
    total: Annotated[int, Interval(ge=0)]

    @property
    def share(self) -> float:
        """Finished share, 0 to 1."""
        return min(1.0, self.step / self.total) if self.total else 0.0


class ProgressFile:
    """The file that `PROGRESS_VARIABLE` names, if any; processes that this one starts do not inherit it."""

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        name = environment.pop(PROGRESS_VARIABLE, "")
        self._path = Path(name) if name else None
        self._written = -_SECONDS

    def write(self, progress: Progress) -> None:
        """Write the position, at most once a second; a disk that refuses stops no work."""
        if self._path is None or time.monotonic() - self._written < _SECONDS:
            return
        self._written = time.monotonic()
        content = {"title": progress.title[:10_000], "step": progress.step, "total": progress.total}
        with contextlib.suppress(OSError):
            write_text(self._path, json.dumps(content) + "\n")


def read_position(folder: Path) -> Position | None:
    """Return how far the command of a run has come; None where it has not said so, or not so that it can be read."""
    try:
        content = read_json(folder / PROGRESS_FILE, _MAXIMUM_BYTES)
        return validated(Position, content)
    except (OSError, ValueError):
        return None
