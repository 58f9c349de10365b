"""Assessments of the photos of a session by its models, made the same way as on the command line."""

from dataclasses import dataclass, field

import streamlit as st

from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import Assessment, QualityMap
from metaiqa_core.databases import near_duplicates
from metaiqa_core.images import decode
from pages.shared import previews, samples
from pages.shared.failures import explain
from pages.shared.photo_library import PhotoFile, PhotoLibrary, SessionPhoto, library
from pages.shared.photo_limits import photo_limits


@dataclass(frozen=True)
class Outcome:
    """Result for one photo; either an assessment or a reason.

    Attributes:
        assessment: The model's assessment; None where the photo failed.
        error: One sentence; None where the photo was assessed.
        thumbnail: Small JPEG as a data URI; None where the photo failed.
        appearance: 64-bit perceptual hash; None where the photo failed or shows nothing but one tone.
    """

    assessment: Assessment | None = None
    error: str | None = None
    thumbnail: str | None = None
    appearance: int | None = None


@dataclass(eq=False)
class Outcomes:
    """The outcomes and quality maps of one session.

    Attributes:
        photos: The library that the photos are in.
        known: Outcomes by photo key and model.
        quality_maps: Zoomed-in readings by photo key and model.
    """

    photos: PhotoLibrary
    known: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    quality_maps: dict[tuple[str, str], QualityMap] = field(default_factory=dict)

    def of(self, photo: SessionPhoto, assessor: Assessor) -> Outcome:
        """Return what is known about a photo, after looking at it if nothing is."""
        key = (photo.key, model_key(assessor))
        if key not in self.known:
            if photo.origin == "sample":
                self.known[key] = _examine_sample(photo.name, key[1], assessor)
            else:
                self.known[key] = examine(photo.name, self.photos.content(photo), assessor)
        return self.known[key]

    def find(self, photo: SessionPhoto, assessor: Assessor) -> Outcome | None:
        """Return what is known about a photo; None where this model has not looked at it."""
        return self.known.get((photo.key, model_key(assessor)))

    def quality_map(self, photo: SessionPhoto, assessor: Assessor) -> QualityMap | None:
        """Return the zoomed-in reading of a photo; None where there is none yet."""
        return self.quality_maps.get((photo.key, model_key(assessor)))

    def remove_photos(self) -> None:
        """Remove the user's photos from the library, with all that is known about them."""
        for results in (self.known, self.quality_maps):
            for key in [key for key in results if key[0] in self.photos.own]:
                del results[key]
        self.photos.clear()


def session_outcomes() -> Outcomes:
    """Return this session's outcomes."""
    photos = library()
    found: Outcomes | None = st.session_state.get("outcomes")
    if found is None or found.photos is not photos:
        found = st.session_state["outcomes"] = Outcomes(photos)
    return found


def model_key(assessor: Assessor) -> str:
    """Return what outcomes of this model are kept under: its hash, so that a retrained model is another one."""
    return assessor.card.sha256 or assessor.card.name


def examine(name: str, content: bytes, assessor: Assessor) -> Outcome:
    """Decode a photo once, score it and make its thumbnail; any failure becomes the outcome's reason."""
    try:
        least = assessor.preprocessing.short_side
        photo = decode(PhotoFile(name, content), limits=photo_limits(), least_short_side=least)
        assessment = assessor.assess(photo)
        small = previews.fitted(photo, 2 * previews.THUMBNAIL_SIDE)
        return Outcome(assessment, thumbnail=previews.thumbnail(small), appearance=near_duplicates.appearance(small))
    except Exception as error:
        return Outcome(error=explain(error))


@st.cache_resource(max_entries=4 * len(samples.NAMES), show_spinner=False)
def _examine_sample(name: str, model: str, _assessor: Assessor) -> Outcome:
    """Score a sample; samples are the same for everybody, so one session scores them for all."""
    return examine(name, samples.content(name), _assessor)
