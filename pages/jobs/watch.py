"""View of one run: its progress, curves and log, drawn anew every few seconds while it works."""

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import streamlit as st

from metaiqa_core.durations import duration_in_words
from metaiqa_core.errors import MetaIQAError
from metaiqa_core.jobs import control
from metaiqa_core.jobs.catalogue import job_title
from metaiqa_core.jobs.job import LOG_FILE, Job, State, find_job, find_jobs, shell_lines
from metaiqa_core.jobs.job_log import tail
from metaiqa_core.jobs.outlook import Outlook, outlook
from metaiqa_core.results.progress_file import PROGRESS_FILE, read_position
from metaiqa_core.results.run_log import METRICS_FILE
from pages.jobs import checks, comparison, outcome
from pages.jobs.charts import LOSS, SROCC, Chart, curves, metrics_of
from pages.jobs.curves import curves_of
from pages.jobs.permission import require_permission
from pages.jobs.states import WORDS
from pages.shared.failures import readable_failures
from pages.shared.plain import plain

REFRESH_SECONDS = 2.0
LOG_LINES = 8


def show(runs: Path, job: Job, reason: str | None, leave: Callable[[], None]) -> None:
    """Draw one run.

    Args:
        runs: Folder of all runs.
        job: Run to show.
        reason: Reason why this visitor may only look; None if everything is allowed.
        leave: Function to call when the run is deleted.
    """
    sign, word, colour = WORDS[job.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(job.name, anchor=False, width="content")
        st.badge(word, icon=sign, color=colour)
    if job.commands:
        _actions(runs, job, reason, leave)
    else:
        st.caption("This run was started in a terminal and has to be stopped there. Its progress is shown here.")
        comparison.choose(job, _others(runs, job))
    _show_state(job)
    comparison.show(job)
    outcome.show(job)
    follow(runs, job)
    if job.commands:
        with st.expander("Terminal command"):
            st.code(shell_lines(job.command_words()), language="bash", wrap_lines=True)
            st.caption(
                f"In the folder {plain(str(job.working_folder))}. Started again, it continues from its saved state."
            )


def follow(runs: Path, job: Job | None) -> None:
    """Look again every few seconds while any job works or waits; draw the whole page again when a state has changed."""
    seen = _states(runs)
    is_moving = any(state.is_active for _, state in seen) or (job is not None and _is_being_written(job))
    st.fragment(_refresh, run_every=REFRESH_SECONDS if is_moving else None)(runs, job, seen)


def _refresh(runs: Path, job: Job | None, seen: list[tuple[str, State]]) -> None:
    if _states(runs) != seen:
        st.rerun()
    if job is not None:
        with readable_failures():
            _progress(find_job(runs, job.name))


def _states(runs: Path) -> list[tuple[str, State]]:
    return [(job.name, job.state) for job in find_jobs(runs)[0]]


def _is_being_written(job: Job) -> bool:
    """Return whether a run without a supervisor here wrote something within the last minutes."""
    return job.state == State.TERMINAL and time.time() - job.status.queued_at < 120


def _progress(job: Job) -> None:
    metrics = curves_of(job)
    view = outlook(metrics)
    if job.state.is_active or job.state == State.TERMINAL:
        share, sentence = _position(job, view)
        st.progress(share, plain(sentence))
        if job.state == State.RUNNING and job.status.begun_at:
            st.caption(f"Started {duration_in_words(time.time() - job.status.begun_at)} ago.")
    charts = [chart for chart in (LOSS, SROCC) if len(metrics_of(metrics, chart))]
    for chart, column in zip(charts, st.columns(len(charts)) if charts else [], strict=True):
        with column:
            _draw(metrics, chart, job.name)
    if not charts and job.state == State.RUNNING:
        st.caption("Curves appear with the first step; until then the database and the model are prepared.")
    _log(job)


def _position(job: Job, view: Outlook | None) -> tuple[float, str]:
    """Return the finished share and a sentence; commands without curves say themselves how far they have come."""
    if job.state == State.QUEUED:
        return 0.0, "Waiting: one job runs at a time, in the order in which they were started"
    position = read_position(job.folder)
    if position and (view is None or _changed_at(job, PROGRESS_FILE) > _changed_at(job, METRICS_FILE) + 5):
        title = f"{position.title[:1].upper()}{position.title[1:]}"
        return position.share, f"{title}: {position.step:,} of {position.total:,}"
    if view is None:
        return 0.0, "Getting ready"
    left = ""
    if view.seconds_left and job.state == State.RUNNING:
        left = f"; about {duration_in_words(view.seconds_left)} left"
    return view.share, f"{view.stage}: {view.share:.0%}{left}"


def _changed_at(job: Job, file: str) -> float:
    try:
        return (job.folder / file).stat().st_mtime
    except OSError:
        return 0.0


def _draw(metrics: pd.DataFrame, chart: Chart, name: str) -> None:
    rows = metrics_of(metrics, chart)
    last = rows.groupby("metric", sort=False)["value"].last()
    values = ", ".join(f"{metric.replace('_', ' ')} {value:.3g}" for metric, value in last.items())
    st.plotly_chart(
        curves(metrics, chart),
        key=f"{chart.title}_{name}",
        alt=f"{chart.title} of {name} over its working time; the last values are {values}.",
        config={"displaylogo": False, "displayModeBar": False},
    )


def _log(job: Job) -> None:
    path = job.folder / LOG_FILE
    if not path.is_file():
        return
    st.caption("Latest log")
    st.code(tail(path, LOG_LINES) or "(nothing yet)", language=None, wrap_lines=True)
    st.download_button(
        "Download the whole log",
        lambda: path.read_bytes() if path.is_file() else b"",
        f"{job.name}.log.txt",
        "text/plain",
        key=f"log_{job.name}",
        on_click="ignore",
    )


def _show_state(job: Job) -> None:
    sentence, status = plain(job.status.sentence), job.status
    if job.state == State.FAILED:
        st.error(sentence)
    elif job.state == State.STALE or (sentence and job.state.is_active):
        st.warning(
            f"{sentence} *Resume* continues from its last saved state." if job.state == State.STALE else sentence
        )
    elif job.state == State.CANCELLED:
        st.info("Cancelled. What was saved is kept; *Resume* continues from there.")
    elif job.state == State.FINISHED and status.ended_at and status.begun_at:
        counted = ", counted from its first start" if status.begun_at != status.started_at else ""
        st.success(f"Finished after {duration_in_words(status.ended_at - status.begun_at)}{counted}.")


def _actions(runs: Path, job: Job, reason: str | None, leave: Callable[[], None]) -> None:
    title = job_title(job.commands[-1])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(title, width="content")
        if job.state.is_active:
            stops = job.state == State.CANCELLING or reason is not None
            st.button("Cancel", on_click=_do, args=(control.cancel, runs, job.name), disabled=stops, key="cancel_job")
            return
        if job.state != State.FINISHED:
            st.button(
                "Resume",
                type="primary",
                on_click=_do,
                args=(_resume, runs, job.name),
                disabled=reason is not None,
                key="resume_job",
            )
        comparison.choose(job, _others(runs, job))
        with st.popover("Delete …", disabled=reason is not None):
            st.markdown(
                f"Delete **{plain(job.name)}** with its state, curves, results and models? This cannot be undone."
            )
            st.button(
                "Delete for good",
                on_click=_do,
                args=(control.delete, runs, job.name, leave),
                key="delete_job",
            )


def _resume(runs: Path, name: str) -> None:
    checks.require_allowed_job(find_job(runs, name))
    control.resume(runs, name)


def _others(runs: Path, job: Job) -> list[str]:
    """Return the names of the other runs, those of the same command first."""
    kind = job.commands[-1][0] if job.commands else ""
    others = [other for other in find_jobs(runs)[0] if other.name != job.name]
    others.sort(key=lambda other: (other.commands[-1][0] if other.commands else "") != kind)
    return [other.name for other in others]


def _do(action: Callable[[Path, str], object], runs: Path, name: str, after: Callable[[], None] | None = None) -> None:
    """Carry out the action of a button; a refusal is shown at the next drawing."""
    try:
        require_permission()
        action(runs, name)
        if after:
            after()
    except MetaIQAError as error:
        st.session_state["job_problem"] = str(error)
