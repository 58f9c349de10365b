"""Choice of the photo to explain: one of the session's, or a built-in example."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from metaiqa_core.images import Photo, decode
from pages.maps import examples
from pages.shared import intake, previews
from pages.shared.photo_library import PhotoFile, PhotoLibrary, SessionPhoto, library
from pages.shared.photo_limits import photo_limits
from pages.shared.plain import plain

DISPLAY_SIDE = 1200
"""Longest side of the copy on the screen, pixels. Maps are computed from the whole photo; only this copy is smaller."""
_LIBRARY, _EXAMPLES = "library", "examples"


@dataclass(frozen=True)
class MapPhoto:
    """A photo to explain.

    Attributes:
        key: Key of the photo's results.
        name: Name for people.
        origin: Sentence on how an example was made; empty for the session's own photos and samples.
        content: Function that returns the bytes of the photo's file.
        session_photo: The photo in the session's library; None for an example.
    """

    key: str
    name: str
    origin: str
    content: Callable[[], bytes]
    session_photo: SessionPhoto | None = None

    def decoded(self, minimum_short_side: int | None = None) -> Photo:
        """Decode the photo.

        Args:
            minimum_short_side: Least length of the decoded short side, pixels (see `decode`); None: full size.

        Raises:
            PhotoError: If it cannot be read.
        """
        file = PhotoFile(self.name, self.content())
        return decode(file, limits=photo_limits(), minimum_short_side=minimum_short_side)

    def shown(self) -> Photo:
        """Return the copy for the screen, at most `DISPLAY_SIDE` pixels long; the last few are kept in the session.

        Raises:
            PhotoError: If the photo cannot be read.
        """
        return _shown(self.key, self)


@st.cache_resource(scope="session", max_entries=4, show_spinner=False)
def _shown(key: str, _photo: MapPhoto) -> Photo:
    image = previews.fitted(_photo.decoded(DISPLAY_SIDE // 2), DISPLAY_SIDE)
    return Photo(np.array(image), image.size, "array")


def choose_source() -> str:
    """Offer the session's photos, the examples, and more photos; return which kind is chosen."""
    names = {_LIBRARY: "Your photos" if library().own else "Samples", _EXAMPLES: "Figure 3 examples"}
    with st.container(horizontal=True, vertical_alignment="center"):
        source = st.segmented_control(
            "Photos",
            list(names),
            default=_LIBRARY,
            required=True,
            format_func=names.__getitem__,
            key="maps_source",
            label_visibility="collapsed",
        )
        with st.popover("Add photos", key=f"add_photos_{intake.number()}"):  # a new key closes it
            intake.take_in()
    return source


def choose(source: str) -> MapPhoto:
    """Offer the photos of a source; of the session's photos, the one opened on the page Score photos comes first."""
    return _choose_example() if source == _EXAMPLES else _choose_from(library())


def _choose_example() -> MapPhoto:
    title = st.selectbox(
        "Example",
        list(examples.EXAMPLES),
        key="maps_example",
        help="The four kinds of damage of the paper's Figure 3, made here of bundled sample photos.",
    )
    example = examples.EXAMPLES[title]
    digest = hashlib.sha256(examples.content(title)).hexdigest()
    return MapPhoto(f"{digest} {title}", title, example.origin, lambda: examples.content(title))


def _choose_from(photos: PhotoLibrary) -> MapPhoto:
    known = photos.photos()
    opened = st.session_state.get("opened")
    # What is open is the session's; the widget only shows it, since a widget's state ends with its page.
    st.session_state["maps_photo"] = opened if opened in known else next(iter(known))
    key = st.selectbox(
        "Photo", list(known), format_func=lambda key: known[key].name, key="maps_photo", on_change=_open_chosen
    )
    photo = known[key]
    return MapPhoto(key, photo.name, "", lambda: photos.content(photo), photo)


def _open_chosen() -> None:
    st.session_state["opened"] = st.session_state["maps_photo"]


def describe(photo: MapPhoto) -> None:
    """Show what an example was made from."""
    if photo.origin:
        st.caption(plain(photo.origin))
