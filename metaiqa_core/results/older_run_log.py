"""Logs of runs of older versions, which wrote the place and the kind of a line only into the text of its stage."""

import pandas as pd

from metaiqa_core.progress import Kind

OLDER_COLUMNS = ("seconds", "stage", "step", "total", "metric", "value")
_SENTENCE = r"^(?P<place>.*?\b(?P<number>\d+) of (?P<places>\d+)\b.*?): (?P<stage>.*)$"


def with_places(metrics: pd.DataFrame) -> pd.DataFrame:
    """Take apart the stages of an older log, such as "split 1 of 10: done".

    Args:
        metrics: Table of the log with `OLDER_COLUMNS`.

    Returns:
        The lines with columns for place, number, places and kind, as `run_log` writes them.
    """
    stages = metrics["stage"].fillna("").astype(str)
    parts = stages.str.extract(_SENTENCE)
    is_outcome = parts["stage"] == "done"
    return metrics.assign(
        stage=parts["stage"].fillna(metrics["stage"]),
        place=parts["place"].fillna(""),
        number=pd.to_numeric(parts["number"]).fillna(0).astype(int),
        places=pd.to_numeric(parts["places"]).fillna(0).astype(int),
        kind=is_outcome.map({True: Kind.OUTCOME.value, False: Kind.STEP.value}),
    )
