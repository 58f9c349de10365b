"""Score photos: the quality of each, the certainty of its score, and the best of many."""

import streamlit as st

from pages.scoring import batch, compare, exports, hero, ranked_table
from pages.shared import frame, intake
from pages.shared.assessor import choose_assessor
from pages.shared.session_scores import scores_of_session

frame.ensure()

st.title("Score photos", anchor=False)
st.write(
    "How good is a photo, from 0 to 100? How certain is the score? Photos are judged on this computer and stay on it."
)

session_scores = scores_of_session()
photos = session_scores.photos
intake.take_in()
assessor = choose_assessor()
batch.score_waiting(session_scores, assessor)

shown = photos.photos()
found = {key: result for key, photo in shown.items() if (result := session_scores.find(photo, assessor))}
rows = ranked_table.ranked(shown, found)

if len(shown) == 1:
    key, photo = next(iter(shown.items()))
    if key in found:
        hero.show(photo, found[key], session_scores, assessor, wide=True)
    st.button("Remove this photo", on_click=session_scores.remove_photos, key="clear")
else:
    if not photos.own:
        st.caption("Sample photos: five originals and damaged copies. Add yours to replace them.")
    with st.container(key="many"):
        table, detail = st.columns([5, 7], gap="medium")
    with table:
        with st.container(horizontal=True, vertical_alignment="center"):
            passing = ranked_table.filtered(rows)
            exports.offer(passing, session_scores, assessor)
            if photos.own:
                st.button("Remove all", on_click=session_scores.remove_photos, key="clear")
        chosen = ranked_table.show(passing)
        ranked_table.show_failures(rows)
        st.caption("Click a photo to open it; tick two to compare them.")
    with detail:
        known = {row.photo.key: row for row in rows}
        if len(chosen) == 2:
            compare.show(known[chosen[0]], known[chosen[1]], photos)
        else:
            if len(chosen) > 2:
                st.caption(f"{len(chosen)} photos are ticked. Tick exactly two to compare them; the first is shown.")
            opened = chosen[0] if chosen else st.session_state.get("opened")
            opened = opened if opened in known else next(iter(shown))
            st.session_state["opened"] = opened
            if opened in found:
                hero.show(shown[opened], found[opened], session_scores, assessor, wide=False)
