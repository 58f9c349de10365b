"""What the graph model calls the distortion that was just applied; asked for by a switch."""

import numpy as np
import streamlit as st

from metaiqa_core.defect_words import defect_of
from metaiqa_core.diagnosis import Diagnosis
from metaiqa_core.distortions import distort
from metaiqa_core.errors import MetaIQAError
from metaiqa_core.models.model_files import DEFAULT_GRAPH_MODEL, list_graph_models
from pages.lab.bench import Bench
from pages.lab.controls import Choice
from pages.shared.assessor import load
from pages.shared.plain import plain

_KEY, _REMEMBERED = "lab_name_defect", "lab_names_defect"


def show(bench: Bench, choice: Choice) -> None:
    """Where the reader asks, say what the graph model finds in the photo at the chosen level, and what was applied."""
    entry = choice.distortion
    if DEFAULT_GRAPH_MODEL not in list_graph_models() or entry.key in bench.failures:
        return
    # The widget's own state ends with the page, or with a run that another click ends before it is drawn; the choice
    # outlives it under another name, where the click itself writes it.
    st.toggle(
        "Let a model name the damage",
        st.session_state.get(_REMEMBERED, False),
        key=_KEY,
        on_change=_remember,
        help="A second model says what is wrong with the photo and how sure it is. It says that it cannot tell where "
        "no kind of damage is probable enough.",
    )
    if not st.session_state.get(_REMEMBERED, False):
        return
    try:
        said = diagnosis_of(bench, choice)
    except MetaIQAError as error:
        st.caption(plain(f"The damage cannot be named: {error}"))
        return
    applied = defect_of(entry.key, choice.level)
    st.caption(plain(f"The model's answer: {said.sentence} What was applied: {applied.word}, level {choice.level}."))


def _remember() -> None:
    st.session_state[_REMEMBERED] = st.session_state[_KEY]


def diagnosis_of(bench: Bench, choice: Choice) -> Diagnosis:
    """Return what the graph model says of the photo at the chosen level; the last ones are kept.

    Raises:
        MetaIQAError: If the type cannot be applied, or the photo is too small.
    """
    model = load(DEFAULT_GRAPH_MODEL).card.sha256
    return _diagnosis(model, bench.seed, choice.distortion.key, choice.level, bench.pixels)


@st.cache_data(max_entries=200, show_spinner="Naming the damage …")
def _diagnosis(model: str, seed: int, key: str, level: int, pixels: np.ndarray) -> Diagnosis:
    return load(DEFAULT_GRAPH_MODEL).diagnose(distort(pixels, key, level, seed=seed))
