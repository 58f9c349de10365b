"""Choice of the photo on the bench, and the benches of the last few photos."""

import streamlit as st

from metaiqa_core.assess import Assessor
from metaiqa_core.images import decode
from metaiqa_core.level_response import working_copy
from pages.lab.bench import Bench
from pages.shared import intake
from pages.shared.failures import explain
from pages.shared.photo_library import PhotoFile, PhotoLibrary, SessionPhoto
from pages.shared.photo_limits import photo_limits
from pages.shared.plain import plain
from pages.shared.session_scores import model_key


def choose(photos: PhotoLibrary) -> SessionPhoto:
    """Offer the session's photos, the one that was last open first, those of other places, and a way to add more."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = photos.photos() | photos.guests
        opened = st.session_state.get("opened")
        if st.session_state.get("lab_photo") not in shown:
            st.session_state["lab_photo"] = opened if opened in shown else next(iter(shown))
        st.selectbox(
            "Photo",
            list(shown),
            format_func=lambda key: shown[key].name,
            key="lab_photo",
            on_change=_open,
            args=(photos,),
            help="Your photos, or samples while you have none. Photos without flaws show the differences best.",
        )
        with st.popover("Add a photo", key=f"add_photo_{intake.number()}"):  # a new key closes it
            intake.take_in()
    return shown[st.session_state["lab_photo"]]


def _open(photos: PhotoLibrary) -> None:
    if st.session_state["lab_photo"] in photos.photos():
        st.session_state["opened"] = st.session_state["lab_photo"]  # other pages open with it


def bench_for(photo: SessionPhoto, photos: PhotoLibrary, assessor: Assessor, seed: int) -> Bench:
    """Return the photo's bench with the scores so far; if the photo cannot be read, show why and stop the page."""
    try:
        return _bench(photo.key, model_key(assessor), seed, photo, photos, assessor)
    except Exception as error:
        st.error(plain(explain(error)))
        st.stop()


@st.cache_resource(scope="session", max_entries=6, show_spinner=False)
def _bench(key: str, model: str, seed: int, _photo: SessionPhoto, _photos: PhotoLibrary, _assessor: Assessor) -> Bench:
    # Twice the working size in each direction is plenty for the shrinking, and much faster than all of it.
    pixels = working_copy(
        decode(PhotoFile(_photo.name, _photos.content(_photo)), limits=photo_limits(), minimum_short_side=512)
    )
    return Bench(_assessor, pixels, seed, _assessor.assess(pixels).score)
