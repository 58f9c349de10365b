"""What the theme cannot say: sizes of the hero photo and its score, and the order of things on a phone."""

import streamlit as st

_STYLE = """<style>
.stMainBlockContainer { padding-top: 4.5rem; padding-bottom: 3rem; }
.stMainBlockContainer h1 { font-size: 2.1rem; padding-bottom: 0; }
.st-key-hero_photo img { max-height: 64vh; object-fit: contain; border-radius: 6px; }
.reading { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.3rem 0.8rem; }
.reading .score { font-size: 3.2rem; font-weight: 650; line-height: 1; font-variant-numeric: tabular-nums; }
.reading .word { font-size: 1rem; font-weight: 600; padding: 0.15rem 0.7rem; border-radius: 1rem; align-self: center; }
.reading .sentence { font-size: 1rem; }
.st-key-many .st-key-hero_photo img { max-height: 52vh; }
@media (max-width: 640px) {
  /* The photo first, the list below it. */
  .st-key-many > div > .stHorizontalBlock { flex-direction: column-reverse; }
  .stMainBlockContainer { padding-top: 3.8rem; }
}
</style>"""


def apply() -> None:
    """Add the styles to the page."""
    st.html(_STYLE)
