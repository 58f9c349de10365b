"""An example of a distortion at its five levels, on a bundled photo."""

import numpy as np
import streamlit as st

from metaiqa_core.errors import MetaIQAError
from metaiqa_core.images import png
from pages.shared import previews, samples
from pages.shared.plain import plain

_DATABASES = {"TID2013": "tid2013", "KADID-10k": "kadid10k"}
_PHOTO = "astronaut.png"
# Left, top, right, bottom: a detail at the photo's own size, so that a level looks about as strong as it is.
_CROP = (140, 40, 316, 216)


def distortion_key(database: str, abbreviation: str) -> str:
    """Return the key of a distortion type of a database, such as `kadid10k:GB`."""
    return f"{_DATABASES[database]}:{abbreviation}"


def show_levels(database: str, abbreviation: str) -> None:
    """Show a sample photo with the distortion at levels 1 to 5."""
    st.markdown(f"**{abbreviation} at its five levels**")
    try:
        with st.spinner("Distorting a sample photo …"):
            photos, facts = levels(distortion_key(database, abbreviation))
    except MetaIQAError as error:
        st.error(plain(str(error)))
        return
    with st.container(horizontal=True, gap="small"):
        for level, photo in enumerate(photos, start=1):
            alt = f"{abbreviation} at level {level} on a sample photo"
            # PNG: JPEG would add a distortion of its own.
            st.image(photo, width=124, caption=f"level {level}", output_format="PNG", alt=alt)
    st.caption(f"{facts} Made here on a sample photo, as the database's generator would; not an image of {database}.")


@st.cache_data(max_entries=49, show_spinner=False)
def levels(key: str) -> tuple[list[bytes], str]:
    """Return a sample photo with a distortion at levels 1 to 5 as PNG, and the description of a distorted photo.

    Args:
        key: Key of the distortion, such as `kadid10k:GB`.
    """
    # Imports torch: only when an example is shown.
    from metaiqa_core.distortions import LEVELS, distort, find_distortion

    entry = find_distortion(key)
    photo = np.asarray(previews.opened(samples.content(_PHOTO)).crop(_CROP))
    return [png(distort(photo, entry, level)) for level in LEVELS], entry.description
