"""The intake of photos: files, a folder, the camera."""

import streamlit as st

from metaiqa_core.images import READABLE_SUFFIXES
from metaiqa_core.settings import read_settings
from pages.shared.photo_library import PhotoLibrary, SessionPhoto, library
from pages.shared.streamlit_internals import UploadedFile, release_upload

SOURCES = ("Files", "Folder", "Camera")
REMEDY = "remove photos that you do not need any more, or bring fewer or smaller ones."
"""What to do where there is no room for photos."""
_PICTURE_SUFFIXES = [suffix.removeprefix(".") for suffix in READABLE_SUFFIXES]


def number() -> int:
    """Return how many times photos came in this session, which makes new widgets of the intake."""
    return int(st.session_state.setdefault("intakes", 0))


def take_in(place: str = "") -> None:
    """Show the kind of intake that the user chose, and move new photos into the session's library.

    Args:
        place: Name of the place, where a page has several of which a reader sees one. Such a page calls `say_problem`
            where all see it.
    """
    source = st.segmented_control(
        "Photos from",
        SOURCES,
        default=SOURCES[0],
        required=True,
        key=f"intake_source{place}",
        label_visibility="collapsed",
    )
    # A widget with a new key starts empty: the photos live in the library now, and the uploader is ready for more.
    largest = read_settings().max_upload_mb
    key = f"intake{place}_{source}_{number()}"
    if source == "Camera":
        arrived = [photo] if (photo := st.camera_input("Take a photo", key=key)) else []
    elif source == "Folder":
        # A folder holds other things too; only pictures are taken, while a chosen file always gets an answer.
        arrived = st.file_uploader(
            "Choose a folder of photos",
            _PICTURE_SUFFIXES,
            accept_multiple_files="directory",
            key=key,
            max_upload_size=largest,
        )
    else:
        arrived = st.file_uploader(
            "Drop one photo or hundreds", accept_multiple_files=True, key=key, max_upload_size=largest
        )
    if arrived:
        _move(arrived, library(), source)
        st.session_state["intakes"] += 1
        st.rerun()
    if not place:
        say_problem()


def say_problem() -> None:
    """Say once why photos could not be taken in; nothing where they could."""
    if problem := st.session_state.pop("intake_problem", None):
        st.error(problem)


def _move(arrived: list[UploadedFile], photos: PhotoLibrary, source: str) -> None:
    """Move uploads into the library, and open a single one; of several, the page opens one."""
    if source == "Camera":
        arrived[0].name = f"camera {len(photos.own) + 1}.jpg"
    added = keep(arrived, photos)
    if len(added) < len(arrived):
        st.session_state["intake_problem"] = (
            f"There is no room for {len(arrived) - len(added)} of {len(arrived)} photos here: {REMEDY}"
        )
    if added:
        st.session_state["opened"] = added[0].key if len(added) == 1 else ""


def keep(arrived: list[UploadedFile], photos: PhotoLibrary) -> list[SessionPhoto]:
    """Move uploads into the library, one after the other, until there is no room; return those that are there now.

    Args:
        arrived: The uploads; the memory of all of them is freed.
        photos: The library.
    """
    added = []
    for file in arrived:
        try:
            added.append(photos.add(file.name, file.getvalue()))
        except OSError:  # the disk, or what the server may take of it, is full
            break
        finally:
            release_upload(file)
    for file in arrived[len(added) + 1 :]:
        release_upload(file)
    return added
