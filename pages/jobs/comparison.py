"""Two runs beside each other: their curves over each other, their measures, and what differs in their configuration."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from metaiqa_core.errors import MetaIQAError
from metaiqa_core.jobs.job import NAME, Job, find_job
from metaiqa_core.models.card import read_card
from metaiqa_core.models.model_files import list_run_models
from pages.jobs.charts import LOSS, SROCC, compared, metrics_of
from pages.jobs.curves import curves_of
from pages.shared.plain import plain

PARAMETER = "with"
"""Part of the address that names the other run."""
_COMPARED = "compared_job"
"""Slot of the session's state for the other run: the address loses it on the way to another page."""
_FEW = 8
"""Largest number of settings of one run alone that stand among the others: two commands may share few of fifty."""
MEASURED = "measured "
"""Beginning of the names of measures among the settings."""
MISSING = "–"
"""Stands for the value of a run that has none."""
_MEASURES = {"srocc_mean": "SROCC, mean", "plcc_mean": "PLCC, mean", "srocc": "SROCC", "plcc": "PLCC"}
_WORDS = {"True": "yes", "False": "no", "None": MISSING}


def choose(job: Job, others: list[str]) -> None:
    """Let the user choose another run to compare with."""
    if not others:
        return
    asked = st.query_params.get(PARAMETER)
    chosen = st.selectbox(
        "Compare with",
        others,
        others.index(asked) if asked in others else None,
        placeholder="Compare with another run",
        label_visibility="collapsed",
        key=f"compare_{job.name}",
        width=280,
    )
    if chosen:
        st.query_params[PARAMETER] = st.session_state[_COMPARED] = chosen
    else:
        forget()


def take_up() -> None:
    """Compare again what was compared before, for somebody who comes back to the run from another page."""
    if before := st.session_state.get(_COMPARED):
        st.query_params[PARAMETER] = before


def forget() -> None:
    """End the comparison."""
    st.session_state.pop(_COMPARED, None)
    st.query_params.pop(PARAMETER, None)


def show(job: Job) -> None:
    """Compare a run with the one that the address names, if any."""
    name = st.query_params.get(PARAMETER, "")
    if not NAME.fullmatch(name) or name == job.name:
        return
    try:
        other = find_job(job.folder.parent, name)
    except MetaIQAError as error:
        st.error(plain(str(error)))
        return
    with st.container(border=True):
        st.markdown(f"**{plain(job.name)} and {plain(other.name)}**")
        both = {run.name: curves_of(run) for run in (job, other)}
        for chart in (LOSS, SROCC):
            if any(len(metrics_of(metrics, chart)) for metrics in both.values()):
                st.plotly_chart(
                    compared(both, chart),
                    key=f"compared_{chart.title}",
                    config={"displaylogo": False, "displayModeBar": False},
                    alt=f"{chart.title} of {job.name} and {other.name} over their working time.",
                )
        _show_differences(job, other)


def _show_differences(first: Job, second: Job) -> None:
    configurations = {run.name: configuration_of(run) for run in (first, second)}
    table = differences(configurations)
    if table.empty:
        st.caption("Their configurations are the same.")
        return
    one_sided = (table == MISSING).any(axis=1) & ~table.index.str.startswith(MEASURED)
    if one_sided.sum() <= _FEW:
        one_sided[:] = False
    if not one_sided.all():
        st.caption("What differs between them:")
        _show_table(table[~one_sided], "compared_settings")
    if one_sided.any():
        with st.expander(f"{one_sided.sum()} settings that only one of them has"):
            _show_table(table[one_sided], "compared_settings_of_one")


def _show_table(table: pd.DataFrame, key: str) -> None:
    with st.container(key=key):  # look.css makes it as wide as a phone
        st.table(table.map(plain).rename(plain, axis=0).rename(plain, axis=1))


def differences(configurations: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return the entries whose values differ, one row each; what a run does not have is a dash."""
    table = pd.DataFrame(configurations).fillna(MISSING)
    return table[table.nunique(axis=1) > 1]


def configuration_of(job: Job) -> dict[str, str]:
    """Return what is known of how a run was made, by name: the options of its command, and its model's recipe."""
    found: dict[str, str] = {}
    if job.commands:
        found |= _options(job.commands[-1])
    for file in list_run_models().values():
        if file.parent == job.folder.resolve():
            card = read_card(file.with_suffix(".json"))
            found |= _flat({name: value for name, value in card.recipe.items() if name != "command"})
            found |= {
                f"{MEASURED}{name}": f"{card.accuracy[key]:.3f}"
                for key, name in _MEASURES.items()
                if key in card.accuracy
            }
    return found


def _options(words: tuple[str, ...]) -> dict[str, str]:
    """Return the options of a command line with their values.

    >>> _options(("fine-tune", "--database", "a", "b", "--flip"))
    {'command': 'fine-tune', 'database': 'a b', 'flip': 'yes'}
    """
    found, name = {"command": words[0]}, ""
    for word in words[1:]:
        if word.startswith("--"):
            name, _, value = word.removeprefix("--").partition("=")
            found[name] = value
        elif name:
            found[name] = f"{found[name]} {word}".strip()
    return {name: value or "yes" for name, value in found.items()}


def _flat(values: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value)
        else:
            found[name.replace("_", "-")] = _WORDS.get(str(value), str(value))
    return found
