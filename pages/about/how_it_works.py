"""Picture of the way from a photo to its score: four steps from left to right, of a real sample and the real card."""

import streamlit as st

from metaiqa_core.assess import Assessor
from pages.shared import samples
from pages.shared.front_end import source
from pages.shared.palette import ACCENT
from pages.shared.photo_library import library, sample_photos
from pages.shared.previews import preview
from pages.shared.score_scale import score_scale
from pages.shared.session_scores import scores_of_session


def show(assessor: Assessor) -> None:
    """Draw the steps; on a phone they stand one below the other."""
    photo = next(photo for photo in sample_photos().values() if photo.name == samples.NAMES[0])
    result = scores_of_session().of(photo, assessor)
    seen, shrunk, network, score = st.columns(4, border=True)
    with seen:
        st.markdown("**1. The photo** →")
        st.image(preview(photo, library(), 480), width="stretch", alt="A cup of coffee, the sample photo")
        st.caption("Turned upright, colours to sRGB, transparent parts on white.")
    with shrunk:
        st.markdown("**2. As the model sees it** →")
        side = assessor.preprocessing.short_side
        st.subheader(f"{side} pixels" if side else "1 : 1", anchor=False)
        st.write(_size(assessor))
        st.caption(
            "Nothing is cropped or stretched. Of a large photo, blur and noise finer than a pixel of this copy are "
            "lost; *zoomed in* on Score photos sees them."
        )
    with network:
        st.markdown("**3. The network** →")
        parameters = sum(weight.numel() for weight in assessor.network.parameters()) / 1e6
        st.subheader(f"{parameters:.1f} M weights", anchor=False)
        st.write(_network(assessor))
        st.caption(_head(assessor))
    with score:
        st.markdown("**4. The score**")
        if result.assessment:
            score_scale(result.assessment, assessor.card.calibration)
        st.caption("0 to 100, a grade, and an interval measured on photos that the model had not seen.")
    _equation()


def _equation() -> None:
    """Draw Eq. 1: what a photo goes through, and which parts of it learn."""
    st.markdown("**The network as an equation: y = f(x; θ)** (Eq. 1 of the paper)")
    colour = f":root {{ --learns: {ACCENT}; }}"
    st.html(f"<style>{colour}{source('about/equation.css')}</style>{source('about/equation.html')}")
    st.caption(
        "The framed parts learn: their weights, millions of numbers, are θ. Learning makes the squared difference "
        "between y and what people said small (Eq. 2). The mean takes maps of any size, so that photos of any size "
        "will do."
    )


def _size(assessor: Assessor) -> str:
    side = assessor.preprocessing.short_side
    if side is None:
        return "At its own resolution."
    rest = "smaller ones are enlarged" if assessor.preprocessing.enlarge else "smaller photos stay as they are"
    return f"Shrunk until the short side has {side} pixels; {rest}."


def _head(assessor: Assessor) -> str:
    """Say how this model departs from Eq. 1, if it does."""
    config, own = assessor.card.regressor, []
    if config and config.pooled:
        own.append(f"the means and deviations of {len(config.pooled)} stages instead of one mean")
    if config and config.centres:
        own.append(f"{config.centres} Gaussian functions between the linear layers")
    return f"Eq. 1 of the paper, below, with {' and '.join(own)}." if own else "Eq. 1 of the paper, below."


def _network(assessor: Assessor) -> str:
    config = assessor.card.regressor
    name = f"`{config.backbone}`" if config else "The network of the authors' released code"
    return f"{name}, trained on photos that people rated, run on your processor."
