"""What the graph model calls the distortion that was just applied."""

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


def show(bench: Bench, choice: Choice) -> None:
    """Say what the graph model finds in the photo at the chosen level, and what it should find."""
    entry = choice.distortion
    if DEFAULT_GRAPH_MODEL not in list_graph_models() or entry.key in bench.failures:
        return
    try:
        said = diagnosis_of(bench, choice)
    except MetaIQAError as error:
        st.caption(plain(f"What the model would call this: {error}"))
        return
    applied = defect_of(entry.key, choice.level)
    st.caption(
        plain(f"The graph model's answer: {said.sentence} What was applied: {applied.word}, level {choice.level}."),
        help="Another model than the one that scores names what is wrong with a photo. It says that it cannot tell "
        "where none is probable enough.",
    )


def diagnosis_of(bench: Bench, choice: Choice) -> Diagnosis:
    """Return what the graph model says of the photo at the chosen level; the last ones are kept.

    Raises:
        MetaIQAError: If the type cannot be applied, or the photo is too small.
    """
    model = load(DEFAULT_GRAPH_MODEL).card.sha256
    return _diagnosis(model, bench.seed, choice.distortion.key, choice.level, bench.pixels)


@st.cache_data(max_entries=200, show_spinner=False)
def _diagnosis(model: str, seed: int, key: str, level: int, pixels: np.ndarray) -> Diagnosis:
    return load(DEFAULT_GRAPH_MODEL).diagnose(distort(pixels, key, level, seed=seed))
