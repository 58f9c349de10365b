"""From file content to an outcome, the same way as the command line goes: one decode serves score and thumbnail."""

import io

import streamlit as st

from metaiqa_core.assess import Assessor
from metaiqa_core.databases import near_duplicates
from metaiqa_core.images import decode
from pages.shared import previews, samples
from pages.shared.failures import explain
from pages.shared.photo_library import Outcome, PhotoLibrary, SessionPhoto


def model_key(assessor: Assessor) -> str:
    """Return what outcomes of this model are kept under: its hash, so that a retrained model is another one."""
    return assessor.card.sha256 or assessor.card.name


def examine(name: str, content: bytes, assessor: Assessor) -> Outcome:
    """Decode a photo once, score it and make its thumbnail; any failure becomes the outcome's reason."""
    file = io.BytesIO(content)
    file.name = name  # type: ignore[attr-defined]  # sentences about the file call it by its name
    try:
        photo = decode(file, least_short_side=assessor.preprocessing.short_side)
        assessment = assessor.assess(photo)
        small = previews.fitted(photo, 2 * previews.THUMBNAIL_SIDE)
        return Outcome(assessment, thumbnail=previews.thumbnail(small), appearance=near_duplicates.appearance(small))
    except Exception as error:
        return Outcome(error=explain(error))


def outcome_of(photo: SessionPhoto, photos: PhotoLibrary, assessor: Assessor) -> Outcome:
    """Return what is known about a photo, after looking at it if nothing is."""
    key = (photo.key, model_key(assessor))
    if key not in photos.outcomes:
        if photo.origin == "sample":
            photos.outcomes[key] = _examine_sample(photo.name, key[1], assessor)
        else:
            photos.outcomes[key] = examine(photo.name, photos.content(photo), assessor)
    return photos.outcomes[key]


@st.cache_resource(max_entries=4 * len(samples.NAMES), show_spinner=False)
def _examine_sample(name: str, model: str, _assessor: Assessor) -> Outcome:
    """Samples are the same for everybody: one session scores them for all."""
    return examine(name, samples.content(name), _assessor)
