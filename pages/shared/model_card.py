"""A model's card, for people: its training data, its measured accuracy and its terms."""

import json
from typing import Any

import pandas as pd
import streamlit as st

from metaiqa_core.foreign_text import printable
from metaiqa_core.models.card import Calibration, ModelCard
from pages.shared.plain import plain

_RECIPE_PIXELS = 400
"""Height of a recipe, which may have hundreds of lines."""
_CRITERIA = {
    "srocc": ("SROCC", "Agreement in rank between the scores and people's mean opinions; 1 is perfect."),
    "plcc": ("PLCC", "Linear correlation between the scores and people's mean opinions; 1 is perfect."),
    "krocc": ("KROCC", "Share of photo pairs in the right order, minus the share in the wrong one; 1 is perfect."),
    "rmse": ("RMSE", "Typical distance between the scores and people's mean opinions, from 0 to 1; 0 is perfect."),
}

_KEYS = {"n_test": "test photos"}
"""Names of measurements whose key no visitor would understand."""


def show(card: ModelCard) -> None:
    """Show a card; missing entries are named as missing, never guessed."""
    st.subheader(f"Model card: {plain(card.name)}", anchor=False)
    st.write(plain(card.summary))
    show_accuracy(card.accuracy)
    if card.calibration:
        _calibration(card.calibration)
    st.markdown("**Training data**")
    st.write(plain(card.training_data))
    st.markdown("**Licence**")
    st.write(plain(card.licence))
    with st.expander("Recipe and file"):
        show_recipe_and_file(card)


def show_recipe_and_file(card: ModelCard) -> None:
    """Show how a model was made, and what tells its file from others.

    As code, since the colours of `st.json` are too faint to read and no theme changes them.
    """
    content = {
        "recipe": card.recipe,
        "preprocessing": card.preprocessing.to_dict(),
        "score scale": card.score_scale,
        "sha256": card.sha256,
        "created": card.created,
        "code version": card.code_version,
    }
    text = printable(json.dumps(content, indent=2, ensure_ascii=False), keep="\n")
    st.code(text, language="json", wrap_lines=True, height=_RECIPE_PIXELS)


def show_accuracy(accuracy: dict[str, Any]) -> None:
    """Show the measured accuracy that a card has, or that there is none."""
    st.markdown("**Measured accuracy**")
    found = {key: texts for key, texts in _CRITERIA.items() if isinstance(accuracy.get(f"{key}_mean"), int | float)}
    if not found:
        st.write("Not measured: read this model's scores with care.")
    with st.container(horizontal=True, gap="medium"):
        for key, (name, meaning) in found.items():
            spread = accuracy.get(f"{key}_std")
            value = f"{accuracy[f'{key}_mean']:.3f}" + (f" ± {spread:.3f}" if isinstance(spread, int | float) else "")
            st.metric(name, value, help=meaning, width="content")
    shown = {f"{key}_{end}" for key in found for end in ("mean", "std")}
    rest = {
        plain(name_of_measurement(key)): plain(_readable(value)) for key, value in accuracy.items() if key not in shown
    }
    if rest:
        st.table(pd.Series(rest, name="measured here"))


def _calibration(calibration: Calibration) -> None:
    st.write(
        f"The {100 * calibration.level:.0f} % interval is the score ± {calibration.half_width:.1f} points. On photos "
        f"that were new to the model, it held people's mean opinion {100 * calibration.measured_coverage:.1f} % "
        f"of the time. Percentiles compare with {calibration.population_size:,} {plain(calibration.population)}."
    )


def name_of_measurement(key: str) -> str:
    """Return the key of a measurement as people write it.

    >>> name_of_measurement("srocc_by_split"), name_of_measurement("n_test"), name_of_measurement("held_out_of_BIQ2021")
    ('SROCC by split', 'test photos', 'held out of BIQ2021')
    """
    if key in _KEYS:
        return _KEYS[key]
    return " ".join(word.upper() if word in _CRITERIA else word for word in key.split("_"))


def _readable(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(_readable(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name_of_measurement(str(key))} {_readable(each)}" for key, each in value.items())
    return str(value)
