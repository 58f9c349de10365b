"""MetaIQA in a browser: `streamlit run app.py`. This file is only the frame around the pages."""

import streamlit as st

from pages.shared import arrival, browser_session, frame, look
from pages.shared.failures import readable_failures

# The icon comes before the pages: the tab never shows another.
st.set_page_config(page_icon=frame.ICON, layout="wide")
page = frame.navigation()
st.set_page_config(page_title=f"{page.title} · MetaIQA")
look.apply()
browser_session.remember()
arrival.stand_by()
with readable_failures():
    page.run()
