"""Progress and remaining time of a run, estimated from its curves alone."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from metaiqa_core.progress import Kind
from metaiqa_core.results.run_log import titles

WINDOW_SECONDS = 300.0


@dataclass(frozen=True)
class Outlook:
    """Progress and remaining time of a run.

    Attributes:
        stage: Current activity, in the words of the command.
        share: Finished share of this part of the command, 0 to 1.
        seconds_left: Estimated time for the rest of this part at the recent speed, seconds; None as long as it is
            unknown.
    """

    stage: str
    share: float
    seconds_left: float | None


def outlook(metrics: pd.DataFrame) -> Outlook | None:
    """Judge by the recent speed how long a run will take.

    Args:
        metrics: Table from `results.run_log.read_metrics`.

    Returns:
        The outlook; None before the first line.
    """
    if metrics.empty:
        return None
    recent = metrics[metrics["seconds"] >= metrics["seconds"].iloc[-1] - WINDOW_SECONDS]
    lines = list(recent.assign(title=titles(recent)).itertuples(index=False))
    shares, parts = [_share(line) for line in lines], [_part(line) for line in lines]
    share = shares[-1]
    # Only what belongs to the same part: a command may measure first and train afterwards, each from 0 to 1. A run that
    # is continued repeats some steps, and passes in no time what is finished: both tell nothing about the speed.
    first = len(lines) - 1
    while first > 0 and parts[first - 1] == parts[-1] and shares[first - 1] <= shares[first]:
        if _is_passed(lines[first - 1], lines[first]):
            break
        first -= 1
    seconds = float(lines[-1].seconds - lines[first].seconds)
    gained = share - shares[first]
    left = (1 - share) / gained * seconds if gained > 0 and seconds > 0 else None
    return Outlook(str(lines[-1].title), share, 0.0 if share >= 1 else left)


def _share(line: Any) -> float:
    within = min(1.0, line.step / line.total) if line.total > 0 else 0.0
    if line.places == 0:
        return within
    # The line that ends a place counts places itself.
    return line.number / line.places if line.kind == Kind.OUTCOME else (line.number - 1 + within) / line.places


def _is_passed(earlier: Any, later: Any) -> bool:
    """Return whether the work between two places was only to find that they are finished."""
    return earlier.title != later.title and earlier.kind == later.kind == Kind.OUTCOME


def _part(line: Any) -> str:
    """Return the number of places, which tells the parts of a command apart."""
    return f"of {line.places}" if line.places else str(line.title)
