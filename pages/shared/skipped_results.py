"""Results files that were left out, each with its reason."""

from collections.abc import Sequence

import streamlit as st


def show(problems: Sequence[str]) -> None:
    """Show which results files were left out, and why."""
    if problems:
        with st.expander(f"{len(problems)} results file{'s' * (len(problems) > 1)} skipped"):
            for problem in problems:
                st.text(problem)
