"""The curves of a run, read once for each state of its files."""

from pathlib import Path

import pandas as pd
import streamlit as st

from metaiqa_core.jobs.job import Job
from metaiqa_core.results.run_log import METRICS_FILE, read_metrics


def curves_of(job: Job) -> pd.DataFrame:
    """Return the curves of a run; for one that workers share, the curves in their folders."""
    folders = [job.folder, *sorted((job.folder / "workers").glob("[0-9]*"))]
    frames = [frame for folder in folders if len(frame := _metrics(folder))]
    if not frames:
        return read_metrics(job.folder)
    return frames[0] if len(frames) == 1 else pd.concat(frames).sort_values("seconds", ignore_index=True)


def _metrics(folder: Path) -> pd.DataFrame:
    try:
        status = (folder / METRICS_FILE).stat()
    except OSError:
        return pd.DataFrame()
    return _read(str(folder), status.st_mtime_ns, status.st_size)


@st.cache_data(max_entries=16, show_spinner=False)
def _read(folder: str, modified: int, size: int) -> pd.DataFrame:
    return read_metrics(Path(folder))
