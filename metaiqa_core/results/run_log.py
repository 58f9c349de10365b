"""The curves of a run: `metrics.csv` in its folder, one line a number, written as the work goes on.

| column | meaning |
|---|---|
| seconds | time since the start of the run, pauses left out |
| stage | current activity, for example "meta-training" |
| step, total | number of steps done, and in all |
| metric, value | name and value of a number, such as query_loss, 0.021 |
| place, number, places | part of larger work, such as "split 1 of 10", 1, 10; empty, 0, 0 where there are no parts |
| kind | unit that ended: a step, an epoch, or the place with its outcome |

Long rather than wide: stages have metrics of their own, and a reader needs no schema.
"""

import csv
import io
import math
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import pandas as pd

from metaiqa_core.errors import ResultsError
from metaiqa_core.files import write_text
from metaiqa_core.foreign_text import csv_text, name_text, text_from_csv
from metaiqa_core.progress import Progress, Work, passed_on
from metaiqa_core.results.older_run_log import OLDER_COLUMNS, with_places

COLUMNS = (*OLDER_COLUMNS, "place", "number", "places", "kind")
METRICS_FILE = "metrics.csv"

Result = TypeVar("Result")


def recorded(work: Work[Result], folder: Path, *, tensorboard: bool = False) -> Work[Result]:
    """Pass work through and write down its metrics; a run that is continued goes on with the same file.

    Args:
        work: Work that yields the progress reports.
        folder: Folder of the run; created if needed.
        tensorboard: Whether to write event files for TensorBoard into the folder as well.

    Yields:
        The work's `Progress`.

    Returns:
        The work's result.

    Raises:
        ResultsError: If TensorBoard is asked for and not installed.
        OSError: If the disk refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    events = _event_writer(folder) if tensorboard else None
    path = folder / METRICS_FILE
    earlier = _last_second(path)
    start = monotonic()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if file.tell() == 0:
            writer.writerow(COLUMNS)

        def write(progress: Progress) -> Progress:
            second = round(earlier + monotonic() - start, 2)
            stage, name = csv_text(progress.stage), csv_text(progress.place)
            place = name, progress.number, progress.places, progress.kind
            for metric, value in progress.metrics.items():
                writer.writerow([second, stage, progress.step, progress.total, metric, value, *place])
                if events:
                    events.add_scalar(f"{progress.title}/{metric}", value, progress.step)
            file.flush()
            return progress

        try:
            return (yield from passed_on(work, write))
        finally:
            if events:
                events.close()


def read_metrics(folder: Path) -> pd.DataFrame:
    """Return a run's `metrics.csv`; empty where there is none yet. A last line that is half written is left out.

    Args:
        folder: Folder of the run; created if needed.

    Raises:
        ResultsError: If the file is not one that `recorded` wrote.
    """
    path = folder / METRICS_FILE
    if not path.exists():
        return pd.DataFrame(columns=list(COLUMNS))
    try:
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if ",".join(COLUMNS).encode().startswith(content):  # nothing yet, or its first line half written
            return pd.DataFrame(columns=list(COLUMNS))
        frame = pd.read_csv(io.BytesIO(whole), on_bad_lines="skip")
        if tuple(frame.columns) == OLDER_COLUMNS:
            frame = with_places(frame)
        if tuple(frame.columns) != COLUMNS:
            raise ValueError(f"its columns are {', '.join(map(str, frame.columns))}")
        frame["place"] = frame["place"].fillna("").astype(str)
        for name in ("stage", "place"):  # which may hold what people called a method or a distortion type
            frame[name] = frame[name].map(lambda text: text_from_csv(str(text)), na_action="ignore")
        for name in ("seconds", "step", "total", "value", "number", "places"):
            frame[name] = pd.to_numeric(frame[name], errors="coerce").replace([math.inf, -math.inf], math.nan)
    except (OSError, ValueError) as error:
        name = name_text(folder.name)
        raise ResultsError(f"{name}/{METRICS_FILE} was not written by this program: {error}.") from None
    return frame.dropna().reset_index(drop=True)


def titles(metrics: pd.DataFrame) -> pd.Series:
    """Return `Progress.title` of each line of `read_metrics`."""
    return metrics["stage"].where(metrics["place"] == "", metrics["place"] + ": " + metrics["stage"])


def _last_second(path: Path) -> float:
    """Return the time of the last line of an earlier part of the run, and make its file ready to be continued.

    A line that a kill left half written is taken away, and a log of older versions gets the columns of this one.
    """
    if not path.exists():
        return 0.0
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)
    frame = read_metrics(path.parent)
    if content.startswith(",".join(OLDER_COLUMNS).encode() + b"\n"):
        write_text(path, frame.to_csv(index=False, lineterminator="\n"))
    return float(frame["seconds"].iloc[-1]) if len(frame) else 0.0


def _event_writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ResultsError(
            "TensorBoard's event files need the package tensorboard: pip install tensorboard, or leave out "
            "--tensorboard; metrics.csv holds the same numbers."
        ) from error
    return SummaryWriter(str(folder / "tensorboard"))
