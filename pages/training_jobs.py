"""Training jobs: start, watch, cancel and resume trainings that take minutes to days."""

import streamlit as st

from metaiqa_core.errors import JobError
from metaiqa_core.jobs.job import find_job, find_jobs
from metaiqa_core.settings import FOLDERS, read_settings, runs_folder
from pages.jobs import job_list, permission, start, watch
from pages.shared import frame, skipped_results
from pages.shared.plain import plain

frame.ensure()

st.title("Training jobs", anchor=False)
if not permission.jobs_are_on():
    st.info(plain(permission.JOBS_OFF))
    st.stop()
runs, reason = runs_folder().resolve(), permission.refusal()
if not read_settings().allows(runs):
    st.error(plain(f"The runs folder {runs} lies outside the folders in {FOLDERS}: move it into one, or name its own."))
    st.stop()
if reason:
    st.info(plain(reason))
if problem := st.session_state.pop("job_problem", None):
    st.error(plain(problem))

jobs, problems = find_jobs(runs)
name = job_list.opened()
if not jobs and not name:
    start.show(runs, reason)
else:
    left, right = st.columns([1, 3], gap="medium")
    with left:
        job_list.show(jobs, name)
    with right:
        try:
            job = find_job(runs, name) if name else None
        except JobError as error:
            st.error(plain(str(error)))
        else:
            if job is None:
                start.show(runs, reason)
                watch.follow(runs, None)
            else:
                watch.show(runs, job, reason, job_list.close)
skipped_results.show(problems)
