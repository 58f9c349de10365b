"""A score in large figures, with its word and one sentence."""

import html

import streamlit as st

from pages.shared.palette import colour_of_word, text_colour_on


def headline(score: float, word: str, sentence: str) -> None:
    """Show a score, its word in the colour of its grade, and a sentence."""
    background = colour_of_word(word)
    st.html(
        f"""<div class="reading"><span class="score">{score:.1f}</span>
        <span class="word" style="background:{background};color:{text_colour_on(background)}">{word}</span>
        <span class="sentence">{html.escape(sentence)}</span></div>"""
    )
