"""Distortion lab: damage a photo in 49 known ways, and compare the model's scores with people's."""

import streamlit as st

from pages.lab import chart, chosen_photo, controls, downloads, gallery, how_it_sees, measuring, named_defect, swipe
from pages.shared import frame
from pages.shared.assessor import choose_assessor
from pages.shared.photo_library import library
from pages.shared.session_scores import scores_of_session

frame.ensure()

st.title("Distortion lab", anchor=False)
st.write("Damage a photo in 49 known ways, level by level. Does its score fall as people's ratings do?")

photos = library()
photo_place, model_place = st.columns([8, 3], vertical_alignment="bottom")
with photo_place:
    photo = chosen_photo.choose(photos)
with model_place:
    assessor = choose_assessor()
score = st.container(key="lab_score")  # above the picture, on a phone too, where the controls lie below it
picture, panel = st.columns([7, 5], gap="large")
with panel:
    choice = controls.choose()
bench = chosen_photo.bench_for(photo, photos, assessor, choice.seed)
measuring.measure_shown(bench, choice)
with score:
    chart.show_score(bench, choice)
with panel:
    chart.show(bench, choice)
    measuring.offer_all_levels(bench, choice)
    named_defect.show(bench, choice)
with picture:
    swipe.show(bench, choice, photo, scores_of_session().of(photo, assessor).assessment)
    controls.describe(choice)
    downloads.offer_photo(bench, choice, photo, photos)

scope = controls.scope(choice.distortion)
measuring.offer_scope(bench, scope)
gallery.show(bench, scope, choice)
downloads.offer_table(bench, photo, assessor)
how_it_sees.show(bench, choice)
