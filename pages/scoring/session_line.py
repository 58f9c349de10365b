"""One line on what is kept of the session, and for how long."""

import streamlit as st

from pages.shared.photo_library import PhotoLibrary
from pages.shared.plain import plain
from pages.shared.session_scores import SessionScores


def show(session_scores: SessionScores) -> None:
    """Say what is kept, and offer to delete it."""
    photos = session_scores.photos
    if not photos.known:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="session_line"):
        st.caption(_sentence(photos), width="content")
        with st.popover("Remove all photos", type="tertiary"):
            st.write("All photos, scores and decisions are deleted here. Your own files stay. This cannot be undone.")
            st.button("Remove all", on_click=session_scores.remove_photos, key="clear", type="primary")


def _sentence(photos: PhotoLibrary) -> str:
    if photos.problem:
        return plain(photos.problem)
    if photos.folder is None:
        return "Your photos, scores and decisions are here until you close or reload this page."
    return (
        "Your photos, scores and decisions are kept on this computer for a day after your last visit: "
        "a reload or a restart loses nothing."
    )
