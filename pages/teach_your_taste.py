"""Teach it your taste: rate some photos, and the model learns what one person likes."""

import streamlit as st

from pages.shared import frame
from pages.shared.failures import readable_failures
from pages.shared.front_end import source
from pages.taste import asking, collecting, current, managing, own_model, verdict

frame.ensure()

st.title("Teach it your taste", anchor=False)
st.write(
    "Rate ten photos or more, and the model learns what you like. Photos that it has not learned from show whether "
    "that helped."
)
st.html(f"<style>{source('taste/taste.css')}</style>")

taste = current.open_taste()
with st.container(horizontal=True, vertical_alignment="center", key="taste_tools"):
    way = asking.choose_way()
    managing.toolbar(taste)
question, answers = st.columns([7, 5], gap="large")
with answers:
    collecting.collect(taste)
with question, readable_failures():
    asking.ask(taste, way)
with answers, readable_failures():
    lesson = verdict.show(taste)
    own_model.offer(taste, lesson)
managing.where_it_is_kept(taste)
