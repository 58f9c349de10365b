"""About: how a score comes about, what the model is and cannot do, and where the data goes."""

import streamlit as st

from pages.about import how_it_works, tour
from pages.shared import frame, model_card
from pages.shared.assessor import choose_assessor

frame.ensure()

st.title("About", anchor=False)
st.write(
    "MetaIQA judges photos as people would, without an original to compare with. It builds on *MetaIQA: Deep "
    "Meta-Learning for No-Reference Image Quality Assessment* (Zhu, Li, Wu, Dong, Shi; CVPR 2020)."
)
assessor = choose_assessor()

st.subheader("How it works", anchor=False)
how_it_works.show(assessor)
tour.show()

left, right = st.columns(2, gap="large")
with left:
    model_card.show(assessor.card)
with right:
    st.subheader("Where your data goes", anchor=False)
    st.markdown(
        "Nowhere. Photos are judged on the computer that runs this program; the page loads nothing from anywhere else "
        "and reports nothing to anyone. Your photos, scores and decisions, and tables that you compare with, lie in a "
        "folder of that computer for a day after your last visit, so that a reload loses nothing; *Remove all photos* "
        "deletes them at once. *Teach it your taste* keeps small copies of the photos that it asks about, with your "
        "ratings, until you delete the taste there. A link to a result page carries what it shows of your numbers. "
        "Where the program serves many people, nothing is kept: photos lie in an unnamed file, which goes with the "
        "session. If somebody else runs the program for you, all of this happens on their computer."
    )
    st.subheader("Limits", anchor=False)
    st.markdown(
        """
- **It judges technical quality**: sharpness, noise, light, compression. It does not judge
  the moment, the subject or the art; soft backgrounds, night shots and intended grain can score low.
- **A score has an error.** Two photos a few points apart are a tie; the interval says how far off a score may be.
- **The default model hardly sees underexposure**: photos that are far too dark still score above 60. It sees
  blur, noise, heavy compression, overexposure and over-sharpening.
- **It knows photos from phones and cameras** as its training data has them. Drawings, screenshots, scans, medical or
  astronomical pictures get a number, but nobody has checked what it means.
- **It looks at each photo alone.** It does not notice that an edit differs from its original, or that a picture is
  made up.
- **It is not made for decisions about people**, and does not measure how well somebody photographs.
"""
    )
    st.subheader("Names of defects", anchor=False)
    st.markdown(
        "A second model names what is wrong with a photo: a graph of its parts over several levels of a network, after "
        "*GraphIQA* (Sun et al., 2022) and the abstract of Jia and Wei (PLoS ONE, 2026). It learned from 25 kinds of "
        "damage. It keeps silent rather than accuse an undamaged photo, above all of being too dark, too bright or too "
        "contrasty: whether that is meant cannot be seen. *Distortion lab* shows how it sees distortions."
    )
    st.subheader("Terms", anchor=False)
    st.markdown(
        "The program is under the MIT licence. The weights are under the terms that the card names. The sample "
        "photos come with scikit-image, which names their sources and licences."
    )
    st.subheader("Glossary", anchor=False)
    st.markdown(
        """
- **Score**: 0 to 100, higher is better; 0-20 Bad, 20-40 Poor, 40-60 Fair, 60-80 Good, 80-100 Excellent (the five grades
  of ITU-R BT.500).
- **Interval**: the range in which people's mean opinion is expected; the card says for how many photos it was there.
- **Percentile**: the share of a collection's photos that score lower; the card names the collection.
- **Whole photo**: the score of the photo shrunk to the model's size, as a screen shows it.
- **Zoomed in**: the mean score of tiles at the photo's own resolution.
- **Similar**: photos whose perceptual hashes differ in few bits, such as edits and copies, and bursts of one camera.
"""
    )
