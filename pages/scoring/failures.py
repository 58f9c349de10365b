"""The photos that could not be scored, each with its reason in full."""

import streamlit as st

from metaiqa_core.assess import Assessor
from metaiqa_core.foreign_text import about_file
from pages.shared.plain import plain
from pages.shared.session_scores import SessionScores

_EXPANDED = 5


def show(session_scores: SessionScores, assessor: Assessor) -> None:
    """List the photos that failed."""
    photos = session_scores.photos.photos().values()
    results = [(photo.name, session_scores.find(photo, assessor)) for photo in photos]
    failed = [(name, result.error) for name, result in results if result and result.error]
    if failed:
        with st.expander(
            f"{len(failed)} of {len(results)} files could not be scored", expanded=len(failed) <= _EXPANDED
        ):
            for name, reason in failed:
                st.markdown(plain(about_file(name, reason)))
