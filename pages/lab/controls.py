"""Choice of the distortion: family, type, level and seed; type and level are in the address."""

from dataclasses import dataclass

import streamlit as st

from metaiqa_core.distortions import CATALOGUE, FAMILIES, LEVELS, DistortionType, find_distortion
from metaiqa_core.errors import DistortionError
from pages.shared.lab_link import WANTED

DATABASES = {"kadid10k": "KADID-10k", "tid2013": "TID2013"}
"""Spelling of the databases' names."""
THIS_FAMILY, ALL_TYPES = "This family", f"All {len(CATALOGUE)} types"
DIFFERENCE_FIRST, CATALOGUE_ORDER = "Furthest from people first", "In database order"
_FIRST_TYPE, _FIRST_LEVEL = "kadid10k:GB", 4
_REMEMBERED = "lab_remembered"


@dataclass(frozen=True)
class Choice:
    """The chosen distortion."""

    distortion: DistortionType
    level: int
    seed: int


def choose() -> Choice:
    """Show the controls and return the choice, which outlives a visit to another page."""
    state = st.session_state
    if (wanted := state.pop(WANTED, None)) is not None:  # another page opened the lab with a distortion
        state["lab_type"] = find_distortion(wanted).key
    # The widgets' own state ends with the page; the choice outlives it under another name.
    remembered = state.get(_REMEMBERED) or _from_address()
    state.setdefault("lab_type", remembered.distortion.key)
    state.setdefault("lab_level", remembered.level)
    state.setdefault("lab_seed", remembered.seed)
    state["lab_family"] = find_distortion(state["lab_type"]).family
    st.pills(
        "Family",
        FAMILIES,
        key="lab_family",
        required=True,
        format_func=str.capitalize,
        on_change=_open_family,
        wrap=True,
    )
    types = {entry.key: entry for entry in CATALOGUE if entry.family == state["lab_family"]}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Type", list(types), key="lab_type", format_func=lambda key: title(types[key]))
        with st.popover("Seed"):
            st.number_input(
                "Seed",
                0,
                2**31 - 1,
                key="lab_seed",
                help="Decides where random damage such as noise falls. The same seed gives the same picture, here and "
                "in a terminal.",
            )
    st.slider("Level", LEVELS[0], LEVELS[-1], key="lab_level", help="1 is mild, 5 is strong.")
    choice = Choice(types[state["lab_type"]], state["lab_level"], state["lab_seed"])
    state[_REMEMBERED] = choice
    st.query_params.update(type=choice.distortion.key, level=str(choice.level))
    return choice


def title(entry: DistortionType) -> str:
    """Return a type's name and database: some names are in both."""
    return f"{entry.name} ({DATABASES[entry.database]})"


def open_type(key: str) -> None:
    """Choose a type, by its key, from the next run on."""
    st.session_state["lab_type"] = find_distortion(key).key


def describe(choice: Choice) -> None:
    """Describe the type and its levels, the chosen one in bold."""
    entry = choice.distortion
    values = " · ".join(
        f"**{value:g}**" if level == choice.level else f"{value:g}"
        for level, value in zip(LEVELS, entry.parameters, strict=True)
    )
    st.caption(f"**{title(entry)}.** {entry.description} Levels 1 to 5: {values} ({entry.parameter_name}).")


@dataclass(frozen=True)
class Scope:
    """The types to measure, and whether those with the largest differences from people are shown first."""

    types: list[DistortionType]
    misread_first: bool


def scope(chosen: DistortionType) -> Scope:
    """Let the reader choose between the chosen type's family and all types, and an order."""
    st.subheader("Other types on this photo", anchor=False)
    with st.container(horizontal=True):
        family = _remembered_control("lab_scope", "Types", [THIS_FAMILY, ALL_TYPES])
        order = _remembered_control("lab_order", "Order", [DIFFERENCE_FIRST, CATALOGUE_ORDER])
    return Scope([e for e in CATALOGUE if family == ALL_TYPES or e.family == chosen.family], order == DIFFERENCE_FIRST)


def _remembered_control(key: str, label: str, options: list[str]) -> str:
    """Show a control whose choice outlives a visit to another page."""
    remembered = f"{key}_remembered"
    default = st.session_state.get(remembered, options[0])
    st.session_state[remembered] = st.segmented_control(
        label, options, default=default, key=key, required=True, wrap=True
    )
    return st.session_state[remembered]


def _open_family() -> None:
    family = st.session_state["lab_family"]
    st.session_state["lab_type"] = next(entry.key for entry in CATALOGUE if entry.family == family)


def _from_address() -> Choice:
    """Return the choice in the address; a value that makes no sense is replaced by the default."""
    try:
        entry = find_distortion(st.query_params.get("type", _FIRST_TYPE))
    except DistortionError:
        entry = find_distortion(_FIRST_TYPE)
    level = st.query_params.get("level", "")
    return Choice(entry, int(level) if level in map(str, LEVELS) else _FIRST_LEVEL, seed=0)
