"""The frame around the pages: the list of pages, and the way to it from a page that was opened alone."""

from pathlib import Path

import streamlit as st

from pages.shared.streamlit_internals import (
    StreamlitPage,
    keep_files,
    keep_messages,
    one_line_for_lost_uploads,
    opens_pages_without_app,
    silence_late_refreshes,
)

ICON = Path(__file__).with_name("icon.png")
"""Icon of the tab: a file, since the browser would fetch a named one from outside.

Streamlit makes the icon of a page the tab's: look.css draws the icons in the list instead, from the font that is there.
"""


def navigation() -> StreamlitPage:
    """Show all pages on top, and return the one that was asked for.

    The address of a page is its file's name: `ensure` needs it.
    """
    keep_messages()
    keep_files()
    silence_late_refreshes()
    one_line_for_lost_uploads()
    return st.navigation(
        [
            st.Page("pages/score_photos.py", title="Score photos", default=True),
            st.Page("pages/gradient_maps.py", title="Gradient maps"),
            st.Page("pages/distortion_lab.py", title="Distortion lab"),
            st.Page("pages/teach_your_taste.py", title="Teach it your taste"),
            st.Page("pages/leave_one_distortion_out.py", title="Leave-one-distortion-out"),
            st.Page("pages/authentic_databases.py", title="Authentic databases"),
            st.Page("pages/training_jobs.py", title="Training jobs"),
            st.Page("pages/about.py", title="About"),
        ],
        position="top",
    )


def ensure() -> None:
    """Run app.py instead, if Streamlit opened a page without it.

    Until app.py has run once, a server that was just started opens the files in pages/ by their names, as Streamlit did
    before `st.navigation`, and says of any other address that there is no such page. Whoever comes by a link then, or
    had a page open when the server was restarted, comes here.
    """
    if opens_pages_without_app():
        navigation()  # from now on app.py is run for every page
        st.rerun()
