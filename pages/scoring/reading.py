"""The reading of one photo: judged as a whole, or zoomed in, where that tells more."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from metaiqa_core.assess import TILE, Assessor
from metaiqa_core.assessment import Assessment, QualityMap, word_of
from metaiqa_core.preprocessing import tiles
from pages.scoring import quality_map
from pages.scoring.rows import Row
from pages.shared import previews
from pages.shared.encoding import jpeg
from pages.shared.session_scores import SessionScores

WHOLE_PHOTO, ZOOMED_IN = "Whole photo", "Zoomed in"
_POPULATIONS = {"LIVE Challenge photos": "everyday photos (LIVE Challenge)"}
"""Names of populations for visitors who do not know the database."""
_ENLARGEMENT = 1.5
"""From how many times the model's resolution on zooming in shows what the whole photo hides."""
_SIDE = 1600


@dataclass(frozen=True)
class Reading:
    """What stands beside a photo.

    Attributes:
        quality: Quality map, where the photo is read zoomed in and the map is there.
        picture: The photo tinted by it, a JPEG.
    """

    quality: QualityMap | None = None
    picture: bytes | None = None

    @staticmethod
    def percentile(assessment: Assessment) -> str:
        """Return the sentence that compares a photo with its population; empty where there is none."""
        if assessment.percentile is None:
            return ""
        population = _POPULATIONS.get(assessment.population or "", assessment.population)
        # No photo is better than 100 of 100, those like itself among them.
        return f"Better than {min(assessment.percentile, 99):.0f} of 100 {population}"

    def to_data(self, key: str) -> dict[str, Any] | None:
        """Return score, grade and sentence of the zoomed-in reading; None where the photo's own hold."""
        if self.quality is None:
            return None
        score = self.quality.score
        sentence = f"Zoomed in: mean of {len(self.quality.scores)} tiles"
        return {"key": key, "score": f"{score:.1f}", "status": word_of(score), "sentence": sentence}


def can_zoom_in(assessment: Assessment, assessor: Assessor) -> bool:
    """Return whether the zoomed-in reading tells more: the photo has clearly more pixels than the model sees of it."""
    size = (assessment.width, assessment.height)
    shrinking = min(size) / min(assessor.preprocessing.model_size(*size))
    return shrinking >= _ENLARGEMENT and len(tiles(*size, TILE)) > 1


def chosen(row: Row, session_scores: SessionScores, assessor: Assessor) -> Reading:
    """Return the reading that was chosen for a photo; where it is not there yet, the photo as a whole."""
    quality = session_scores.quality_map(row.photo, assessor)
    assessment = row.result.assessment if row.result else None
    if quality is None or assessment is None or st.session_state.get("reading") != ZOOMED_IN:
        return Reading()
    if not can_zoom_in(assessment, assessor):
        return Reading()
    return Reading(quality, _tinted(row, quality, session_scores))


def _tinted(row: Row, quality: QualityMap, session_scores: SessionScores) -> bytes | None:
    assessment = row.result.assessment if row.result else None
    try:
        image = previews.opened(previews.preview(row.photo, session_scores.photos, _SIDE))
    except Exception:
        return None
    if assessment is None:
        return None
    return jpeg(quality_map.draw(image, quality, (assessment.width, assessment.height)), 88)
