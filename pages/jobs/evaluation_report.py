"""What an evaluation found: the criteria with their intervals, the scatter plot, and the worst photos."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from metaiqa_core.commands.options.database_choice import chosen_database
from metaiqa_core.errors import MetaIQAError
from metaiqa_core.jobs.catalogue import EVALUATION_FILE, PREDICTIONS_FILE
from metaiqa_core.jobs.job import Job
from metaiqa_core.json_files import read_json
from metaiqa_core.settings import read_settings
from pages.jobs.checks import arguments_of
from pages.jobs.folders import require_allowed
from pages.shared import worst_photos
from pages.shared.plain import plain
from pages.shared.prediction_charts import predictions_scatter
from pages.shared.terms import TERMS

_CRITERIA = {"srocc": "SROCC", "plcc": "PLCC", "plcc_logistic": "PLCC, fitted", "krocc": "KROCC", "rmse": "RMSE"}
_MAXIMUM_BYTES = 2**22


def show(job: Job) -> None:
    """Show the report of an evaluation that has ended."""
    try:
        answer = read_json(job.folder / EVALUATION_FILE, _MAXIMUM_BYTES)
        status = (job.folder / PREDICTIONS_FILE).stat()
        rows = _rows(str(job.folder / PREDICTIONS_FILE), status.st_mtime_ns)
        values = {name: float(answer[name]) for name in _CRITERIA}
        title = f"{answer['model']} on {answer['database']}"
        number = int(answer["n"])
    except (OSError, ValueError, TypeError, KeyError):
        st.error(f"The report of this run is missing or damaged: start the evaluation again ({EVALUATION_FILE}).")
        return
    st.markdown(f"**{plain(title)}**, {number:,} photos")
    with st.container(horizontal=True, gap="medium"):
        for name, label in _CRITERIA.items():
            st.metric(
                label,
                f"{values[name]:.3f}",
                _interval(answer, name),
                delta_color="off",
                delta_arrow="off",
                help=f"{TERMS[label]} Below it, the 95 % interval. {TERMS['interval']}",
                width="content",
            )
    st.write(_sentence(values["srocc"], answer))
    st.plotly_chart(
        predictions_scatter(rows, title, axes=("Opinion score", "Predicted score")),
        key="evaluation_scatter",
        config={"displaylogo": False, "displayModeBar": False},
        alt=f"Scatter plot of {len(rows)} predicted scores against opinion scores; SROCC {values['srocc']:.3f}.",
    )
    paths, reason = _paths(job)
    worst_photos.show(rows, paths, "The photos on which model and people differ most")
    if reason:
        st.caption(plain(reason))
    st.download_button(
        "Each photo's scores as CSV",
        lambda: (job.folder / PREDICTIONS_FILE).read_bytes(),
        f"{job.name}.csv",
        "text/csv",
        key="evaluation_csv",
        on_click="ignore",
    )


def _interval(answer: dict[str, Any], name: str) -> str | None:
    interval = answer.get(f"{name}_interval")
    return f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else None


def _sentence(srocc: float, answer: dict[str, Any]) -> str:
    right = 100 * (float(answer["krocc"]) + 1) / 2
    worth = "well" if srocc >= 0.8 else "fairly" if srocc >= 0.6 else "weakly" if srocc >= 0.3 else "hardly at all"
    agrees = f"The model agrees with people {worth}"
    if srocc <= -0.3:
        agrees = "The model ranks photos upside down (or the scores say how bad a photo is, not how good)"
    return (
        f"{agrees}: of two photos that people score differently, it puts the better one first in about {right:.0f} of "
        "100 pairs."
    )


@st.cache_data(max_entries=8, show_spinner=False)
def _rows(file: str, changed: int) -> pd.DataFrame:
    rows = pd.read_csv(file)[["image", "mos", "predicted"]]
    rows = rows.rename(columns={"mos": "opinion_score", "predicted": "predicted_score"}).assign(level=0)
    return rows.astype({"image": str, "opinion_score": float, "predicted_score": float})


def _paths(job: Job) -> tuple[list[Path], str]:
    """Return the file of each photo, in the order of the predictions, or the reason why there are no pictures."""
    if not (job.working_folder.is_dir() and job.working_folder.samefile(Path.cwd())):
        return [], "Pictures are shown where the app runs in the folder that the evaluation was started in."
    settings = read_settings()
    try:
        arguments = arguments_of(job.commands[-1], job.folder)
        require_allowed(arguments, settings)
        database = chosen_database(arguments)
    except (MetaIQAError, OSError) as error:
        return [], f"There are no pictures: {error}"
    paths = [image.path for image in database]
    return (paths, "") if all(map(settings.allows, paths)) else ([], "Its photos lie where this app may not read.")
