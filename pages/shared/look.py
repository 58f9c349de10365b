"""The look of all pages, as far as the theme cannot say it."""

import streamlit as st

from pages.shared.front_end import source


def apply() -> None:
    """Add the style sheet to the page."""
    st.html(f"<style>{source('shared/look.css')}</style>")
