"""The way to the distortion lab from other pages: with a photo, or with a distortion."""

from collections.abc import Callable
from typing import Literal

import streamlit as st

from pages.shared.failures import explain
from pages.shared.photo_library import library
from pages.shared.plain import plain

WANTED = "lab_wanted"
"""Slot of the session's state for the distortion that the lab opens with: its key, such as `kadid10k:GB`."""
_PAGE = "pages/distortion_lab.py"


def offer_photo(photo_key: str, *, key: str) -> None:
    """Show a button that opens a photo of the session in the lab.

    Args:
        photo_key: Key of the photo.
        key: Key of the button.
    """
    if _button(key):
        st.session_state["opened"] = st.session_state["lab_photo"] = photo_key
        _open_lab()


def offer_content(
    name: str, content: Callable[[], bytes], *, key: str, kind: Literal["secondary", "tertiary"] = "secondary"
) -> None:
    """Show a button that opens any photo in the lab, such as one of a database.

    Args:
        name: Name of its file.
        content: Function that returns the bytes of its file.
        key: Key of the button.
        kind: Look of the button: with a frame, or without.
    """
    if _button(key, kind):
        open_content(name, content)


def open_content(name: str, content: Callable[[], bytes]) -> None:
    """Open any photo in the lab; one that cannot be read is a sentence.

    Args:
        name: Name of its file.
        content: Function that returns the bytes of its file.
    """
    try:
        photo = library().add_guest(name, content())
    except Exception as error:
        st.error(plain(explain(error)))
        return
    st.session_state["lab_photo"] = photo.key
    _open_lab()


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
        _open_lab()


def _open_lab() -> None:
    # Left out, they would be cleared, which Streamlit refuses where widgets of this page are bound to any; replaced by
    # none, they go all the same.
    st.switch_page(_PAGE, query_params={})


def _button(key: str, kind: Literal["secondary", "tertiary"] = "secondary") -> bool:
    return st.button(
        "Distort this photo",
        key=key,
        type=kind,
        icon=":material/science:",
        help="Opens this photo on the page Distortion lab, to see how its score falls with each kind of damage.",
    )
