"""MetaIQA in a browser: `python app.py`. This file is only the frame around the pages."""

import sys

import streamlit as st

from pages.shared import arrival, browser_session, frame, look
from pages.shared.failures import readable_failures

if not st.runtime.exists():
    from pages.scoring import server

    server.serve(__file__, sys.argv[1:])

# The icon comes before the pages: the tab never shows another.
st.set_page_config(page_icon=frame.ICON, layout="wide")
page = frame.navigation()
st.set_page_config(page_title=f"{page.title} · MetaIQA")
look.apply()
browser_session.remember()
arrival.stand_by()
with readable_failures():
    page.run()
