"""How far a run is and how long it will take, from its curves alone."""

import re
from dataclasses import dataclass

import pandas as pd

WINDOW_SECONDS = 300.0
_DONE = ": done"  # how a stage ends that says the outcome of one place
_PLACE = re.compile(r"\b(\d+) of (\d+)\b")


@dataclass(frozen=True)
class Outlook:
    """How far a run is.

    Attributes:
        stage: What it does, as its command calls it.
        share: How much of this part of the command is done, 0 to 1.
        seconds_left: For the rest of this part at the recent speed; None as long as that is unknown.
    """

    stage: str
    share: float
    seconds_left: float | None


def outlook(metrics: pd.DataFrame) -> Outlook | None:
    """Judge by the recent speed how long a run will take.

    Args:
        metrics: As `results.run_log.read_metrics` returns them.

    Returns:
        The outlook; None before the first line.
    """
    if metrics.empty:
        return None
    recent = metrics[metrics["seconds"] >= metrics["seconds"].iloc[-1] - WINDOW_SECONDS]
    shares = [_share(*row) for row in zip(recent["stage"], recent["step"], recent["total"], strict=True)]
    parts = [_part(stage) for stage in recent["stage"]]
    share = shares[-1]
    # Only what belongs to the same part: a command may measure first and train afterwards, each from 0 to 1. A run that
    # is continued repeats some steps, and passes in no time what is finished: both tell nothing about the speed.
    stages, first = list(recent["stage"]), len(parts) - 1
    while first > 0 and parts[first - 1] == parts[-1] and shares[first - 1] <= shares[first]:
        if _is_passed(stages[first - 1], stages[first]):
            break
        first -= 1
    seconds = float(recent["seconds"].iloc[-1] - recent["seconds"].iloc[first])
    gained = share - shares[first]
    left = (1 - share) / gained * seconds if gained > 0 and seconds > 0 else None
    return Outlook(str(recent["stage"].iloc[-1]), share, 0.0 if share >= 1 else left)


def _share(stage: str, step: float, total: float) -> float:
    within = min(1.0, step / total) if total > 0 else 0.0
    place = _PLACE.search(stage)
    if not place or int(place[2]) == 0:
        return within
    number, count = int(place[1]), int(place[2])
    # The line that ends a place counts places itself.
    return number / count if stage.endswith(_DONE) else (number - 1 + within) / count


def _is_passed(earlier: str, later: str) -> bool:
    """Return whether nothing was done between two places but to find that they are finished."""
    return earlier != later and earlier.endswith(_DONE) and later.endswith(_DONE)


def _part(stage: str) -> str:
    """Return what two places of the same part have in common: how many places there are."""
    place = _PLACE.search(stage)
    return f"of {place[2]}" if place else stage
