"""Distortion lab: damage a photo in 49 known ways, and compare the model's scores with people's."""

import streamlit as st

from pages.lab import chart, chosen_photo, controls, downloads, gallery, how_it_sees, measuring, named_defect, swipe
from pages.shared import frame
from pages.shared.assessor import choose_assessor
from pages.shared.photo_library import library

frame.ensure()

st.title("Distortion lab", anchor=False)
st.write("Damage a photo in 49 known ways, level by level. Does its score fall as people's ratings do?")

photos = library()
photo = chosen_photo.choose(photos)
assessor = choose_assessor()
picture, panel = st.columns([7, 5], gap="large")
with panel:
    choice = controls.choose()
    readings = st.container()
bench = chosen_photo.bench_for(photo, photos, assessor, choice.seed)
scope = controls.scope(choice.distortion)
progress = st.container()

with readings:
    chart.show(bench, choice)
    named_defect.show(bench, choice)
with picture:
    swipe.show(bench, choice, photo)
    controls.describe(choice)
    downloads.offer_photo(bench, choice, photo, photos)

gallery.show(bench, scope, choice)
downloads.offer_table(bench, photo, assessor)
how_it_sees.show(bench, choice)
with progress:
    measuring.measure(bench, scope.types, choice.distortion)
