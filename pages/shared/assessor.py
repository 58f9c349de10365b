"""The model that the pages use: chosen in one place, loaded once for all sessions."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from metaiqa_core.assess import Assessor
from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.model_files import DEFAULT_MODEL, find_model, list_models
from metaiqa_core.settings import read_settings, runs_folder
from pages.shared.photo_library import PhotoLibrary, library
from pages.shared.photo_limits import photo_limits
from pages.shared.plain import plain


@st.cache_resource(max_entries=3, show_spinner=False)  # without torch it takes a tenth of a second
def _load(name: str, changed: int) -> Assessor:
    return Assessor.load(name, limits=photo_limits())


def load(name: str = "default") -> Assessor:
    """Return a model, loaded once a process and again when its file changes.

    Raises:
        CheckpointError: If it cannot be used.
    """
    path = find_model(name)
    if name == "default" and path.is_file():
        name = DEFAULT_MODEL  # loaded once under both of its names
    return _load(name, path.stat().st_mtime_ns if path.is_file() else 0)


def _may_be_used(path: Path) -> bool:
    """Return whether a model may be offered: those of runs only where the settings let the runs folder be read."""
    return not path.is_relative_to(runs_folder().resolve()) or read_settings().allows(path)


def offered_models() -> list[str]:
    """Return the names of the models that pages offer, the default one first."""
    names = (name for name, path in list_models().items() if _may_be_used(path))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


@dataclass(eq=False)
class ModelChoice:
    """The model that was chosen last in a session, from which a reload and a restarted app go on.

    Attributes:
        photos: Library of the session.
        name: Name of the model; empty while the default one was never left.
    """

    photos: PhotoLibrary
    name: str = ""

    def __post_init__(self) -> None:
        for event in self.photos.events("chosen_model"):
            self.name = str(event["chosen_model"])

    def remember(self, name: str) -> None:
        """Remember a choice."""
        if name != (self.name or DEFAULT_MODEL):
            self.name = name
            self.photos.note({"chosen_model": name})


def choose_model(name: str) -> None:
    """Let every page use a model from now on."""
    st.session_state["model"] = name
    library().companion(ModelChoice).remember(name)


def choose_assessor() -> Assessor:
    """Offer a choice where there is more than one model, and return the chosen one.

    Where the model cannot be loaded, the page shows the reason and stops.
    """
    names = offered_models()
    name = "default"
    if len(names) > 1:
        # The widget's own state ends with its page; the choice outlives it under another name.
        remembered = st.session_state.get("model") or library().companion(ModelChoice).name
        name = st.selectbox(
            "Model",
            names,
            index=names.index(remembered) if remembered in names else 0,
            help="Each model has its own interval and its own photos to compare with; the About page shows its card.",
        )
        choose_model(name)
    try:
        return load(name)
    except CheckpointError as error:
        st.error(plain(str(error)))
        st.stop()
