"""MetaIQA in a browser: `streamlit run app.py`. This file is only the frame around the pages."""

import streamlit as st

from pages.shared import frame, look
from pages.shared.failures import readable_failures

st.set_page_config(page_title="MetaIQA", page_icon="📷", layout="wide")
look.apply()
page = frame.navigation()
with readable_failures():
    page.run()
