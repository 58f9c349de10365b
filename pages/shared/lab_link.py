"""The way to the distortion lab from other pages: with a photo, or with a distortion."""

import streamlit as st

WANTED = "lab_wanted"
"""Slot of the session's state for the distortion that the lab opens with: its key, such as `kadid10k:GB`."""


def offer_photo(photo_key: str, *, key: str) -> None:
    """Show a button that opens a photo of the session in the lab.

    Args:
        photo_key: Key of the photo.
        key: Key of the button.
    """
    if st.button(
        "Distort this photo",
        key=key,
        icon=":material/science:",
        help="Opens this photo on the page Distortion lab, to see how its score falls with each kind of damage.",
    ):
        st.session_state["opened"] = st.session_state["lab_photo"] = photo_key
        st.switch_page("pages/distortion_lab.py")


def offer_distortion(distortion: str, *, key: str) -> None:
    """Show a button that opens the lab with a type of distortion.

    Args:
        distortion: Key of the type, such as `kadid10k:GB`.
        key: Key of the button.
    """
    if st.button(
        "Try it in the lab",
        key=key,
        icon=":material/science:",
        help="Opens the page Distortion lab with this distortion, to see it on any photo and level.",
    ):
        st.session_state[WANTED] = distortion
        st.switch_page("pages/distortion_lab.py")
