"""Start of a job: an introduction, the form, and an example for visitors without a database."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from metaiqa_core.errors import MetaIQAError
from metaiqa_core.jobs.job import Job
from pages.jobs import example, form
from pages.jobs.permission import require_permission
from pages.shared.plain import plain

_INTRODUCTION = """
**Meta-training** learns a quality prior from distorted photos; **fine-tuning** adapts it to photos that people rated.\\
**Evaluate** tells how well a model agrees with people on a database of yours.\\
**Leave-one-distortion-out**, **ablation** and **adaptation curves** measure what that is worth, for the result pages.\\
Jobs keep running when you close this page; come back to cancel or resume them. One runs at a time, the next waits.
"""


def show(runs: Path, reason: str | None) -> None:
    """Draw the introduction, the form and the example.

    Args:
        runs: Folder of all runs.
        reason: Reason why this visitor may only look; None if everything is allowed.
    """
    st.markdown(_INTRODUCTION)
    with st.container(border=True):
        st.markdown("**Start a job**")
        name, words, upload = form.show(runs)
        if st.button("Start", type="primary", disabled=not words or reason is not None, key="start_job"):
            _begin(lambda: form.start(runs, name, words, upload))
    with st.expander("No database at hand? A small example", expanded=not words):
        st.markdown(example.ABOUT)
        st.code(example.shell(runs), language="bash", wrap_lines=True)
        if st.button("Start the example", disabled=reason is not None, key="start_example"):
            _begin(lambda: example.start(runs))


def _begin(start: Callable[[], Job]) -> None:
    try:
        require_permission()
        job = start()
    except MetaIQAError as error:
        st.error(plain(str(error)))
        return
    st.query_params["job"] = job.name
    st.rerun()
