"""The intake of photos: files, a folder, the camera."""

import streamlit as st

from metaiqa_core.images import READABLE_SUFFIXES
from pages.shared.photo_library import PhotoLibrary, library
from pages.shared.streamlit_internals import UploadedFile, release_upload

SOURCES = ("Files", "Folder", "Camera")
_PICTURE_SUFFIXES = [suffix.removeprefix(".") for suffix in READABLE_SUFFIXES]


def take_in() -> None:
    """Show the kind of intake that the user chose, and move new photos into the session's library."""
    source = st.segmented_control(
        "Photos from", SOURCES, default=SOURCES[0], required=True, key="intake_source", label_visibility="collapsed"
    )
    # A widget with a new key starts empty: the photos live in the library now, and the uploader is ready for more.
    key = f"intake_{source}_{st.session_state.setdefault('intakes', 0)}"
    if source == "Camera":
        arrived = [photo] if (photo := st.camera_input("Take a photo", key=key)) else []
    elif source == "Folder":
        # A folder holds other things too; only pictures are taken, while a chosen file always gets an answer.
        arrived = st.file_uploader(
            "Choose a folder of photos", _PICTURE_SUFFIXES, accept_multiple_files="directory", key=key
        )
    else:
        arrived = st.file_uploader("Drop one photo or hundreds", accept_multiple_files=True, key=key)
    if arrived:
        _move(arrived, library(), source)
        st.session_state["intakes"] += 1
        st.rerun()


def _move(arrived: list[UploadedFile], photos: PhotoLibrary, source: str) -> None:
    """Move uploads into the library, one after the other, and open the first of them."""
    added = []
    for file in arrived:
        name = f"camera {len(photos.own) + 1}.jpg" if source == "Camera" else file.name
        added.append(photos.add(name, file.getvalue()))
        release_upload(file)
    st.session_state["opened"] = added[0].key
