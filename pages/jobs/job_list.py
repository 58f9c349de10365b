"""The list of runs; the one that is open is named in the address, so that a refresh or a link finds it again."""

import time
from collections.abc import Sequence

import streamlit as st

from metaiqa_core.durations import duration_in_words
from metaiqa_core.jobs.catalogue import job_title
from metaiqa_core.jobs.job import Job
from pages.jobs import comparison
from pages.jobs.states import WORDS
from pages.shared.plain import plain

NEW = ""
"""Stands for the form in the list of runs."""
_LONG = 6
_OPENED = "opened_job"


def show(jobs: Sequence[Job], opened: str | None) -> None:
    """Let the user choose among the runs and the form for a new one."""
    names = [NEW, *(job.name for job in jobs)]
    captions = ["", *map(_caption, jobs)]
    by_name = {job.name: job for job in jobs}
    # The address decides what is open, so the choice follows it also when a link or the back button changed it.
    st.session_state["job_choice"] = opened if opened in by_name else None if opened else NEW

    def title(name: str) -> str:
        return f"{WORDS[by_name[name].state][0]} {plain(name)}" if name in by_name else ":material/add: Start a new job"

    with st.container(height=520 if len(jobs) > _LONG else "content", border=False):
        st.radio("Runs", names, format_func=title, captions=captions, key="job_choice", on_change=_open, index=None)


def opened() -> str | None:
    """Return the name of the run that is open: the one in the address, or who comes back finds what was open before."""
    name = st.query_params.get("job")
    # The list keeps its choice as long as the page is shown: without one, the page was just opened.
    if name is None and "job_choice" not in st.session_state and (before := st.session_state.get(_OPENED)):
        st.query_params["job"] = name = before
        comparison.take_up()
    st.session_state[_OPENED] = name
    return name


def close() -> None:
    """Close the run that is open."""
    st.session_state.pop(_OPENED, None)
    comparison.forget()
    st.query_params.pop("job", None)


def _open() -> None:
    comparison.forget()
    if name := st.session_state["job_choice"]:
        st.query_params["job"] = name
    else:
        close()


def _caption(job: Job) -> str:
    what = job_title(job.commands[-1]) if job.commands else ""
    age = duration_in_words(time.time() - (job.status.begun_at or job.status.queued_at))
    word = WORDS[job.state][1]
    return f"{what}, {word}, {age} ago" if what else f"{word}, {age} ago"
