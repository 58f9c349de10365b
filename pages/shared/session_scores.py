"""Assessments of the photos of a session by its models, made the same way as on the command line."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import streamlit as st

from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import Assessment, QualityMap
from metaiqa_core.databases import near_duplicates
from metaiqa_core.images import decode
from metaiqa_core.images.capture import Capture, capture_of
from metaiqa_core.sessions.records import assessment_from, quality_map_from, to_record
from pages.shared import previews, samples
from pages.shared.failures import explain
from pages.shared.photo_library import PhotoFile, PhotoLibrary, SessionPhoto, library
from pages.shared.photo_limits import photo_limits


@dataclass(frozen=True)
class ScoringResult:
    """Result of scoring one photo: either an assessment or the reason why there is none.

    Attributes:
        assessment: The model's assessment; None where the photo failed.
        error: Reason of the failure, one sentence; None where the photo was assessed.
        thumbnail: Small JPEG; None where the photo failed.
        perceptual_hash: 64-bit perceptual hash; None where the photo failed or shows nothing but one tone.
        capture: When and by which camera it was taken.
    """

    assessment: Assessment | None = None
    error: str | None = None
    thumbnail: bytes | None = None
    perceptual_hash: int | None = None
    capture: Capture = Capture()


@dataclass(eq=False)
class SessionScores:
    """Scoring results and quality maps of the photos of one session.

    Attributes:
        photos: Library of the photos.
        results: Scoring results by photo key and model.
        quality_maps: Zoomed-in readings by photo key and model.
    """

    photos: PhotoLibrary
    results: dict[tuple[str, str], ScoringResult] = field(default_factory=dict)
    quality_maps: dict[tuple[str, str], QualityMap] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for event in self.photos.events("result"):
            with contextlib.suppress(KeyError, TypeError, ValueError, OSError):  # a damaged line: it is scored again
                self.results[str(event["result"]), str(event["model"])] = _result_from(event, self.photos)
        for event in self.photos.events("map"):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                self.quality_maps[str(event["map"]), str(event["model"])] = quality_map_from(event["quality"])

    def of(self, photo: SessionPhoto, assessor: Assessor) -> ScoringResult:
        """Return the scoring result of a photo, which is scored now if it was not before."""
        key = (photo.key, model_key(assessor))
        if key not in self.results:
            if photo.origin == "sample":
                self.results[key] = score_sample(photo.name, assessor)
            else:
                self.results[key] = result = examine(photo.name, self.photos.content(photo), assessor)
                if photo.origin == "own":
                    self._keep(photo, key[1], result)
        return self.results[key]

    def find(self, photo: SessionPhoto, assessor: Assessor) -> ScoringResult | None:
        """Return the scoring result of a photo; None where this model has not scored it."""
        return self.results.get((photo.key, model_key(assessor)))

    def quality_map(self, photo: SessionPhoto, assessor: Assessor) -> QualityMap | None:
        """Return the zoomed-in reading of a photo; None where there is none yet."""
        return self.quality_maps.get((photo.key, model_key(assessor)))

    def keep_quality_map(self, photo: SessionPhoto, assessor: Assessor, quality: QualityMap) -> None:
        """Keep the zoomed-in reading of a photo."""
        self.quality_maps[photo.key, model_key(assessor)] = quality
        if photo.origin == "own":
            self.photos.note({"map": photo.key, "model": model_key(assessor), "quality": to_record(quality)})

    def remove_photos(self) -> None:
        """Delete the user's photos from the library, with their results and quality maps."""
        for kept in (self.results, self.quality_maps):
            for key in [key for key in kept if key[0] in self.photos.known]:
                del kept[key]
        self.photos.clear()

    def _keep(self, photo: SessionPhoto, model: str, result: ScoringResult) -> None:
        folder = self.photos.folder
        if folder is None:
            return
        if result.thumbnail is not None:
            with contextlib.suppress(OSError):  # without it, the photo is scored again after a reload
                folder.write("thumbnails", photo.sha256, result.thumbnail)
        self.photos.note(
            {
                "result": photo.key,
                "model": model,
                "assessment": to_record(result.assessment) if result.assessment else None,
                "error": result.error,
                "hash": result.perceptual_hash,
                "taken": result.capture.taken.isoformat() if result.capture.taken else None,
                "camera": result.capture.camera,
            }
        )


def _result_from(event: Mapping[str, Any], photos: PhotoLibrary) -> ScoringResult:
    """Return the result that an event of the journal tells.

    Raises:
        KeyError, TypeError, ValueError, OSError: If it is damaged, or its thumbnail is missing.
    """
    if event["assessment"] is None:
        return ScoringResult(error=str(event["error"]))
    taken = datetime.fromisoformat(event["taken"]) if event["taken"] else None
    return ScoringResult(
        assessment_from(event["assessment"]),
        thumbnail=photos.folder.read("thumbnails", event["result"][:64]) if photos.folder else None,
        perceptual_hash=event["hash"],
        capture=Capture(taken, str(event["camera"])),
    )


def scores_of_session() -> SessionScores:
    """Return the scores of this session."""
    found: SessionScores = library().companion(SessionScores)
    st.session_state["session_scores"] = found
    return found


def model_key(assessor: Assessor) -> str:
    """Return the key of a model's results: the hash of its weights, so that a retrained model is another one."""
    return assessor.card.sha256 or assessor.card.name


def examine(name: str, content: bytes, assessor: Assessor) -> ScoringResult:
    """Decode a photo once, score it and make its thumbnail; a failure becomes the result's error."""
    try:
        short_side = assessor.preprocessing.short_side
        photo = decode(PhotoFile(name, content), limits=photo_limits(), minimum_short_side=short_side)
        assessment = assessor.assess(photo)
        small = previews.fitted(photo, 2 * previews.THUMBNAIL_SIDE)
        return ScoringResult(
            assessment,
            thumbnail=previews.thumbnail(small),
            perceptual_hash=near_duplicates.perceptual_hash(small),
            capture=capture_of(content),
        )
    except Exception as error:
        return ScoringResult(error=explain(error))


def score_sample(name: str, assessor: Assessor) -> ScoringResult:
    """Score a sample; samples are the same for everybody, so it is done once for all sessions."""
    return _examine_sample(name, model_key(assessor), assessor)


@st.cache_resource(max_entries=4 * len(samples.NAMES), show_spinner=False)
def _examine_sample(name: str, model: str, _assessor: Assessor) -> ScoringResult:
    return examine(name, samples.content(name), _assessor)
