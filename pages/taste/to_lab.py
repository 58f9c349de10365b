"""The way from a photo that is being rated to the Distortion lab."""

import streamlit as st

from metaiqa_core.errors import PhotoError
from pages.shared import lab_link
from pages.shared.photo_library import library, sample_photos
from pages.taste.current import CurrentTaste


def open_wanted(current: CurrentTaste, key: str) -> None:
    """Open a photo in the lab: as it came, where the session has it, else the small copy that the taste keeps.

    Args:
        current: The taste.
        key: Key of one of its photos; any other opens nothing.
    """
    name = next((photo.name for photo in current.record.photos if photo.key == key), None)
    if name is None:
        return
    photos = library()
    found = {photo.sha256: photo for photo in (*sample_photos().values(), *photos.photos().values())}.get(key)

    def small_copy() -> bytes:
        content = current.folder.picture(key)
        if content is None:
            raise PhotoError(f"{name} is not kept here any more: add it again.")
        return content

    if found is None:
        lab_link.open_content(name, small_copy)
        return
    if found.key in photos.photos():
        st.session_state["opened"] = found.key
    lab_link.open_content(found.name, lambda: photos.content(found))
