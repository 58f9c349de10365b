"""Score photos: the quality of each, the certainty of its score, and the best of many."""

import streamlit as st

from pages.scoring import batch, failures, session_line, sorting
from pages.scoring.intake_place import take_in
from pages.shared import frame
from pages.shared.assessor import choose_assessor
from pages.shared.session_scores import scores_of_session

frame.ensure()

session_scores = scores_of_session()
take_in(session_scores.photos)
progress, photos, model = st.container(), st.container(), st.container(horizontal=True, vertical_alignment="bottom")
with model:
    assessor = choose_assessor()
with progress:
    batch.score_waiting(session_scores, assessor)
with photos:
    sorting.begin()
    sorting.show(session_scores, assessor)
    failures.show(session_scores, assessor)
session_line.show(session_scores)
