"""The place of the intake: wide while there are only samples, behind a button once there are photos to look at."""

import streamlit as st

from pages.shared import intake
from pages.shared.photo_library import PhotoLibrary


def take_in(photos: PhotoLibrary) -> None:
    """Show the title, and offer the intake of photos."""
    if photos.own:
        with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
            st.title("Score photos", anchor=False, width="content")
            # A popover whose key is new is closed: it does not stay open over the photos that it brought.
            with st.popover("Add photos", icon=":material/add_photo_alternate:", key=f"add_photos_{intake.number()}"):
                intake.take_in()
        return
    words, place = st.columns([4, 5], vertical_alignment="bottom")
    with words:
        st.title("Score photos", anchor=False)
        st.write(
            "How good is a photo, from 0 to 100? Photos are judged on this computer and stay on it. These are samples, "
            "five originals and damaged copies: add yours to replace them."
        )
    with place, st.container(key="intake"):
        intake.take_in()
