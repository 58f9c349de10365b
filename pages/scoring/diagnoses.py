"""Diagnoses of the photos of a session: made once, after the scores, and kept with the session."""

import contextlib
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

import streamlit as st

from metaiqa_core.diagnosis import Diagnosis
from metaiqa_core.errors import CheckpointError, PhotoError
from metaiqa_core.models.card import ModelCard, read_card
from metaiqa_core.models.distortion_graph.graph_config import SMALLEST_SIDE
from metaiqa_core.models.model_files import DEFAULT_GRAPH_MODEL, find_model, list_graph_models
from metaiqa_core.sessions.records import diagnosis_from, to_record
from pages.shared import samples
from pages.shared.assessor import load
from pages.shared.photo_library import PhotoFile, PhotoLibrary, SessionPhoto
from pages.shared.session_scores import ScoringResult
from pages.shared.turns import turn

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class SessionDiagnoses:
    """What the graph model says of the photos of a session.

    Attributes:
        photos: Library of the photos.
        found: Diagnoses by photo key and hash of the model; None where a photo has none.
    """

    photos: PhotoLibrary
    found: dict[tuple[str, str], Diagnosis | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for event in self.photos.events("diagnosis"):
            with contextlib.suppress(KeyError, TypeError, ValueError):  # a damaged line: it is diagnosed again
                said = None if event["said"] is None else diagnosis_from(event["said"])
                self.found[str(event["diagnosis"]), str(event["model"])] = said

    def of(self, photo: SessionPhoto, card: ModelCard | None) -> Diagnosis | None:
        """Return the diagnosis of a photo by a model; None where there is none."""
        return self.found.get((photo.key, card.sha256)) if card else None

    def waits(self, photo: SessionPhoto, result: ScoringResult | None, card: ModelCard | None) -> bool:
        """Return whether a photo has its score and has still to be diagnosed.

        Args:
            photo: The photo.
            result: Its scoring result; None while it waits.
            card: Card of the model that names defects; None where there is no such model.
        """
        assessment = result.assessment if result else None
        if card is None or assessment is None or min(assessment.width, assessment.height) < SMALLEST_SIDE:
            return False
        return (photo.key, card.sha256) not in self.found

    def make(self, photo: SessionPhoto, card: ModelCard) -> None:
        """Diagnose a photo, and keep what is said of it.

        A failure leaves the photo without a diagnosis: the score, which stands already, is worth more than the reason.
        """
        is_kept, said = photo.origin == "own", None
        try:
            with turn():
                said = _diagnose(photo, self.photos) if is_kept else diagnose_sample(photo.name, card)
        except PhotoError as error:
            _log.info("no diagnosis: %s", error)
        except Exception:  # a damaged model, which may be mended by the next visit
            is_kept = False
            _log.exception("no diagnosis")
        self.found[photo.key, card.sha256] = said
        if is_kept:
            record = None if said is None else to_record(said)
            self.photos.note({"diagnosis": photo.key, "model": card.sha256, "said": record})


def _diagnose(photo: SessionPhoto, photos: PhotoLibrary) -> Diagnosis:
    said = load(DEFAULT_GRAPH_MODEL).diagnose(PhotoFile(photo.name, photos.content(photo)))
    return replace(said, words={}, type_code=())  # which nothing here shows, and which would fill the journal


def diagnose_sample(name: str, card: ModelCard) -> Diagnosis:
    """Diagnose a sample; samples are the same for everybody, so it is done once for all sessions."""
    return _of_sample(name, card.sha256)


@st.cache_resource(max_entries=4 * len(samples.NAMES), show_spinner=False)
def _of_sample(name: str, model: str) -> Diagnosis:
    return load(DEFAULT_GRAPH_MODEL).diagnose(samples.content(name))


def graph_card() -> ModelCard | None:
    """Return the card of the model that names defects, without loading that model; None where there is none."""
    if DEFAULT_GRAPH_MODEL not in list_graph_models():
        return None
    path = find_model(DEFAULT_GRAPH_MODEL).with_suffix(".json")
    try:
        card = _card(str(path), path.stat().st_mtime_ns)
    except (CheckpointError, OSError):
        return None
    return card if card.sha256 and card.diagnosis is not None else None


@st.cache_resource(max_entries=3, show_spinner=False)
def _card(path: str, changed: int) -> ModelCard:
    return read_card(Path(path))
