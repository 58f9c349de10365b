"""Distortion lab: damage a photo in 49 known ways, and see whether the model minds as much as people do."""

import streamlit as st

from pages.shared import frame, lab_chart, lab_choice, lab_downloads, lab_gallery, lab_photo, lab_swipe, lab_work
from pages.shared.assessor import choose_assessor
from pages.shared.photo_library import library

frame.ensure()

st.title("Distortion lab", anchor=False)
st.write("Damage a photo in 49 known ways, level by level. Does its score fall as people's opinion does?")

photos = library()
photo = lab_photo.choose(photos)
assessor = choose_assessor()
picture, panel = st.columns([7, 5], gap="large")
with panel:
    choice = lab_choice.choose()
    readings = st.container()
bench = lab_photo.bench_for(photo, photos, assessor, choice.seed)
scope = lab_choice.scope(choice.distortion)
progress = st.container()

with readings:
    lab_chart.show(bench, choice)
with picture:
    lab_swipe.show(bench, choice, photo)
    lab_choice.describe(choice)
    lab_downloads.offer_photo(bench, choice, photo, photos)

lab_gallery.show(bench, scope, choice)
lab_downloads.offer_table(bench, photo, assessor)
with progress:
    lab_work.measure(bench, scope.types, choice.distortion)
