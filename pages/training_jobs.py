"""Training jobs: start, watch, cancel and resume what takes minutes to days."""

import streamlit as st

from metaiqa_core.errors import JobError
from metaiqa_core.jobs.job import find_job, find_jobs
from metaiqa_core.results.storage import runs_folder
from pages.shared import frame, jobs_list, jobs_permission, jobs_start, jobs_watch, results_widgets
from pages.shared.plain import plain

frame.ensure()

st.title("Training jobs", anchor=False)
runs, reason = runs_folder().resolve(), jobs_permission.refusal()
if reason:
    st.info(plain(reason))
if problem := st.session_state.pop("job_problem", None):
    st.error(plain(problem))

jobs, problems = find_jobs(runs)
name = st.query_params.get("job")
if not jobs and not name:
    jobs_start.show(runs, reason)
else:
    left, right = st.columns([1, 3], gap="medium")
    with left:
        jobs_list.show(jobs, name)
    with right:
        try:
            job = find_job(runs, name) if name else None
        except JobError as error:
            st.error(plain(str(error)))
        else:
            if job is None:
                jobs_start.show(runs, reason)
                jobs_watch.follow(runs, None)
            else:
                jobs_watch.show(runs, job, reason, jobs_list.leave)
results_widgets.skipped_runs(problems)
