"""Gradient maps: where in a photo its score comes from, and how far to believe it (the paper's Figure 3)."""

import sys

import streamlit as st

from pages.shared import frame, lab_link
from pages.shared.assessor import choose_assessor
from pages.shared.failures import readable_failures
from pages.shared.headline import headline

frame.ensure()

st.title("Gradient maps", anchor=False)
st.write("Where in a photo does its score come from? Methods differ; each map says how far you can trust it.")

loading = st.empty()
if "torch" not in sys.modules:  # scoring does without it
    loading.caption("Loading torch, which computes gradients: some seconds, once after the start of the app …")
from pages.maps import chosen_photo, computing, downloads, evidence, methods, photo_maps, regions, view  # noqa: E402

loading.empty()
sources, photos = st.columns([5, 3], vertical_alignment="bottom")
with sources:
    source = chosen_photo.choose_source()
with photos:
    photo = chosen_photo.choose(source)
with st.container(key="maps_choices"):  # on a phone, look.css shows it below the picture
    method_place, comparison_place, model_place = st.columns([4, 4, 3])
with model_place:
    assessor = choose_assessor()
with readable_failures():  # a photo that cannot be read is one sentence; the rest of the page stays
    maps = photo_maps.maps_of(photo, assessor)
    computing.compute_first(maps, methods.first(assessor.card.name))
    chosen = methods.choose(maps, method_place, comparison_place)
    results = computing.compute(maps, chosen)
    picture, words = st.columns([7, 5], gap="large") if len(chosen) == 1 else (st.container(), st.container())
    with picture:
        view.show(maps, results)
    with words, st.container(key="maps_score"):  # on a phone, look.css shows it above the picture
        if assessment := maps.assessment:
            headline(assessment.score, assessment.word, f"{photo.name}, by {assessor.card.name}")
    with words, st.container(key="maps_words"):
        with st.container(horizontal=True):
            if results:
                downloads.offer(photo, results[0])
            if photo.session_photo:
                lab_link.offer_photo(photo.key, key="to_lab")
            else:
                lab_link.offer_content(f"{photo.name}.png", photo.content, key="to_lab")
        chosen_photo.describe(photo)
        if results:
            evidence.summarise(maps, results)
            regions.show(maps, results[0], among_others=len(results) > 1)
    with st.container(key="maps_trust"):
        if results:
            st.subheader("Can you trust this map?", anchor=False)
            evidence.examine(maps, results[0])
with st.container(key="maps_reliability"), st.expander("All methods: how well each finds damage"):
    evidence.show_all_methods(assessor.card.name)
