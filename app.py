"""MetaIQA in a browser: `streamlit run app.py`. This file is only the frame around the pages."""

import streamlit as st

from pages.shared import look
from pages.shared.failures import readable_failures

st.set_page_config(page_title="MetaIQA", page_icon="📷", layout="wide")
look.apply()

# An address that is a file's name in pages/ would be opened by Streamlit itself, without this frame around it; so each
# page has an address of its own, and links to it can be shared.
page = st.navigation(
    [
        st.Page("pages/score_photos.py", title="Score photos", icon="📷", default=True),
        st.Page("pages/gradient_maps.py", title="Gradient maps", icon="🔍", url_path="gradient-maps-on-photo"),
        st.Page("pages/distortion_lab.py", title="Distortion lab", icon="🧪", url_path="distortion-lab-on-photo"),
        st.Page(
            "pages/leave_one_distortion_out.py",
            title="Leave-one-distortion-out",
            icon="🧩",
            url_path="leave-one-distortion-out",
        ),
        st.Page("pages/authentic_databases.py", title="Authentic databases", icon="🌍", url_path="authentic-databases"),
        st.Page("pages/training_jobs.py", title="Training jobs", icon="⏱️", url_path="start-and-watch-training"),
        st.Page("pages/about.py", title="About", icon="💡", url_path="about-metaiqa"),
    ],
    position="top",
)
with readable_failures():
    page.run()
