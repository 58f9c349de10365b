"""Gradient maps: where in a photo its score comes from, and how far to believe it (the paper's Figure 3)."""

import streamlit as st

from metaiqa_core.assess import word_of
from pages.shared import (
    frame,
    maps_downloads,
    maps_evidence,
    maps_methods,
    maps_photo,
    maps_regions,
    maps_results,
    maps_view,
)
from pages.shared.assessor import choose_assessor
from pages.shared.failures import readable_failures
from pages.shared.hero import headline

frame.ensure()

st.title("Gradient maps", anchor=False)
st.write("Where in a photo does its score come from? Methods differ; evidence says how far to trust each.")

assessor = choose_assessor()
source = maps_photo.choose_source()
photo_place, method_place, comparison_place = st.columns([3, 3, 4])
with photo_place:
    photo = maps_photo.choose(source)
with readable_failures():  # a photo that cannot be read is one sentence; the rest of the page stays
    maps = maps_results.maps_of(photo, assessor)
    maps_results.compute_first(maps, maps_methods.first(assessor.card.name))
    chosen = maps_methods.choose(maps, method_place, comparison_place)
    maps_results.compute(maps, chosen)
    maps_results.show_failures(maps, chosen)
    results = maps.found(chosen)
    picture, words = st.columns([7, 5], gap="large") if len(chosen) == 1 else (st.container(), st.container())
    with picture:
        maps_view.show(photo, results)
    with words:
        if maps.score is not None:
            headline(maps.score, word_of(maps.score), f"{photo.name}, by {assessor.card.name}")
        maps_photo.describe(photo)
        if results:
            maps_evidence.summarise(maps, results)
            maps_regions.show(maps, results[0])
            maps_downloads.offer(photo, results[0])
    if results:
        st.subheader("Does it hold on this photo?", anchor=False)
        maps_evidence.examine(maps, results[0])
with st.expander("All methods: how well each finds damage"):
    maps_evidence.show_all_methods(assessor.card.name)
