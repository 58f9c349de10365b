"""One tap opens a cell: Plotly alone would show a cell's hover text at the first tap, and open it at the second."""

import streamlit as st

from pages.shared.front_end import component


def select_by_one_tap() -> None:
    """Let the charts of this page select what is touched; where there is no touch screen, nothing changes."""
    with st.container(key="one_tap"):
        component("one_tap", "benchmarks/tap")(key="one_tap_listener")
