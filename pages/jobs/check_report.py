"""What the check of a database found: a verdict, the numbers, and each problem in a sentence."""

import pandas as pd
import streamlit as st

from metaiqa_core.jobs.catalogue import REPORT_FILE
from metaiqa_core.jobs.job import Job
from metaiqa_core.json_files import read_json
from metaiqa_core.results import export
from pages.shared.plain import plain

_MAXIMUM_BYTES = 2**26
_SHOWN = 500


def show(job: Job) -> None:
    """Show the report of a check that has ended."""
    try:
        report = read_json(job.folder / REPORT_FILE, _MAXIMUM_BYTES)
        problems, notes = list(report["problems"]), list(report["notes"])
        name, usable, complete = str(report["database"]), bool(report["usable"]), bool(report["complete"])
        facts = {
            "Images listed": report["listed"],
            "Images there": report["present"],
            "References": report["references"],
            "Distortion types": report["distortion_types"],
        }
        table = pd.DataFrame([(entry["kind"], entry["sentence"]) for entry in problems], columns=["Kind", "Problem"])
    except (OSError, ValueError, TypeError, KeyError):
        st.error(f"The report of this run is missing or damaged: start the check again ({REPORT_FILE}).")
        return
    if usable and complete and not problems:
        st.success(plain(f"{name} is complete, and everything in it is as it should be."))
    elif usable:
        st.warning(plain(f"{name} can be used; {len(problems):,} things are not as they should be."))
    else:
        st.error(plain(f"{name} cannot be used as it is: {len(problems):,} things are not as they should be."))
    with st.container(horizontal=True, gap="medium"):
        for label, value in facts.items():
            if value:
                st.metric(label, f"{value:,}", width="content")
    if problems:
        alt = "The problems that the check found, each in a sentence."
        st.dataframe(export.harmless(table.head(_SHOWN)), hide_index=True, alt=alt)
        if len(problems) > _SHOWN:
            st.caption(f"The first {_SHOWN} of {len(problems):,}; the file {REPORT_FILE} in the run's folder has all.")
    for note in notes:
        st.caption(plain(str(note)))
