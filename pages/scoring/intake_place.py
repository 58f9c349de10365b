"""The place of the intake: wide while there are only samples; behind a button on a phone, and once there are photos."""

import streamlit as st

from pages.shared import intake
from pages.shared.photo_library import PhotoLibrary
from pages.shared.streamlit_internals import DeltaGenerator

_INTRODUCTION = (
    "How good is a photo, from 0 to 100? Photos are judged on this computer and stay on it. These are samples, five "
    "originals and damaged copies: add yours to replace them."
)


def take_in(photos: PhotoLibrary) -> None:
    """Show the title, and offer the intake of photos."""
    if photos.own:
        with _beside_the_title():
            _behind_a_button()
    else:
        # look.css shows one of the two: on a phone, the photo and its score come before everything else.
        words, place = st.columns([4, 5], vertical_alignment="bottom")
        with words:
            with _beside_the_title(), st.container(key="intake_on_phone", width="content"):
                _behind_a_button(_INTRODUCTION)
            with st.container(key="introduction"):
                st.write(_INTRODUCTION)
        with place, st.container(key="intake"):
            intake.take_in("_wide")
    intake.say_problem()


def _beside_the_title() -> DeltaGenerator:
    """Show the title, and return the place beside it."""
    row = st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute")
    row.title("Score photos", anchor=False, width="content")
    return row


def _behind_a_button(introduction: str = "") -> None:
    # A popover whose key is new is closed: it does not stay open over the photos that it brought.
    with st.popover("Add photos", icon=":material/add_photo_alternate:", key=f"add_photos_{intake.number()}"):
        if introduction:
            st.write(introduction)
        intake.take_in("_button")
