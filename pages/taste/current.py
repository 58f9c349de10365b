"""The taste that the page is about: its folder, its photos and ratings, and the model that is taught."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from metaiqa_core.errors import CheckpointError, MetaIQAError, TasteError
from metaiqa_core.models.model_files import DEFAULT_MODEL, find_model
from metaiqa_core.settings import read_settings
from metaiqa_core.taste.general_model import GeneralModel, teachable_models
from metaiqa_core.taste.ratings import Rating
from metaiqa_core.taste.record import TasteRecord
from metaiqa_core.taste.space import TasteSpace
from metaiqa_core.taste.store import TasteFolder, TasteStore
from metaiqa_core.taste.taste import Taste, evidence_of
from pages.shared.assessor import offered_models
from pages.shared.plain import plain

FIRST_NAME = "my taste"
"""Name of the first taste of a person."""
PARAMETER = "taste"
"""Query parameter with the name of the open taste."""
_REPLACED = "taste_model_replaced"


def are_kept() -> bool:
    """Return whether tastes outlive the visit: not in an app that serves others, who would see each other's photos."""
    settings = read_settings()
    return settings.sessions and not settings.allowed_hosts


def store() -> TasteStore:
    """Return the user's store, or one that ends with the visit."""
    if are_kept():
        return TasteStore.own()
    return TasteStore(Path(_temporary_folder().name))


@st.cache_resource(scope="session", show_spinner=False)
def _temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="metaiqa-taste-")


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _general_model(name: str, changed: int) -> GeneralModel:
    return GeneralModel(name)


@dataclass(frozen=True, eq=False)
class CurrentTaste:
    """The open taste, as it was when the page began to draw itself.

    Attributes:
        folder: Folder of the taste.
        record: Photos and ratings.
        general: Model that is taught.
    """

    folder: TasteFolder
    record: TasteRecord
    general: GeneralModel

    def seen(self) -> tuple[list[str], NDArray[np.float32]]:
        """Return the keys of the photos that the model has looked at, and what it saw of each (N, 1 + 9 + P)."""
        width = self.general.layout.width
        found = {
            photo.key: values
            for photo in self.record.photos
            if (values := self.folder.seen(photo.key, self.general.hash, width)) is not None
        }
        return list(found), np.stack(list(found.values())) if found else np.empty((0, width), np.float32)

    def taste(self) -> tuple[list[str], Taste | None]:
        """Return the keys of the photos and what the ratings say of them; None where no photo was looked at yet.

        What was inferred last is kept for the session.
        """
        keys, seen = self.seen()
        if not keys:
            return [], None
        signature = (self.general.hash, tuple(keys), self.record.ratings.given)
        kept = st.session_state.get("taste_inferred")
        if kept is None or kept[0] != signature:
            taste = Taste(TasteSpace(seen, self.general.layout), evidence_of(self.record.ratings, keys))
            kept = st.session_state["taste_inferred"] = (signature, taste)
        return keys, kept[1]

    def save(self, record: TasteRecord) -> None:
        """Write the photos and ratings; where the disk refuses, the next drawing of the page says so."""
        try:
            self.folder.save(record)
        except TasteError as error:
            st.session_state["taste_problem"] = str(error)

    def rate(self, rating: Rating) -> None:
        """Add a rating, and keep it at once."""
        latest = self.folder.read()
        self.save(latest.with_ratings(latest.ratings.with_rating(rating)))

    def undo(self) -> tuple[str, ...]:
        """Take the last rating back, and return the keys of the photos that it was about."""
        latest = self.folder.read()
        self.save(latest.with_ratings(latest.ratings.without_last()))
        return latest.ratings.given[-1].photos if latest.ratings.given else ()

    def skip(self, keys: tuple[str, ...]) -> None:
        """Do not ask about a photo, or a pair of photos, again."""
        latest = self.folder.read()
        self.save(replace(latest, skipped=(*latest.skipped, keys)))

    def unskip(self) -> None:
        """Ask about all that was skipped again."""
        self.save(replace(self.folder.read(), skipped=()))


def open_taste() -> CurrentTaste:
    """Open the taste that the address names, or the only one, or a new one; where that fails, say why and stop."""
    if problem := st.session_state.pop("taste_problem", None):
        st.error(plain(problem))
    try:
        found = store().list()
        name = st.query_params.get(PARAMETER) or (next(iter(found)) if found else FIRST_NAME)
        folder = found.get(name) or store().create(name[:200] or FIRST_NAME)
        record = folder.read()
        try:
            general = load_general(record.model)
        except CheckpointError as error:
            if record.model == "default":
                raise
            # A run's model goes with its run; the ratings are as good for any other.
            record, general = record.with_model("default"), load_general("default")
            folder.save(record)
            st.session_state[_REPLACED] = name, f"{error} The default model is taught instead."
        taste, sentence = st.session_state.get(_REPLACED, ("", ""))
        if taste == name:
            st.warning(plain(sentence))
        return CurrentTaste(folder, record, general)
    except MetaIQAError as error:
        st.error(plain(str(error)))
        st.stop()


def load_general(name: str) -> GeneralModel:
    """Return a model to teach, loaded once a process and again when its file changes.

    Raises:
        CheckpointError: If it cannot be used.
        TasteError: If it cannot be taught.
    """
    path = find_model(name)
    return _general_model(name, path.stat().st_mtime_ns if path.is_file() else 0)


def name_of_general(model: str) -> str:
    """Return the name under which a general model is listed."""
    return DEFAULT_MODEL if model == "default" else model


def general_names() -> list[str]:
    """Return the names of the models that can be taught, the default one first."""
    teachable = teachable_models()
    return [name for name in offered_models() if name in teachable]
