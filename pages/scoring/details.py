"""What is known of the open photo besides its score: how certain the score is, how it reads zoomed in, its file."""

import streamlit as st
from humanize import naturalsize

from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import Assessment, QualityMap
from metaiqa_core.sorting.summary import WEAK
from pages.scoring import defects, quality_map, worst_place
from pages.scoring.diagnoses import graph_card
from pages.scoring.reading import WHOLE_PHOTO, ZOOMED_IN, can_zoom_in
from pages.scoring.rows import Row
from pages.scoring.tiles_plot import tiles_plot
from pages.shared import lab_link
from pages.shared.photo_library import SessionPhoto
from pages.shared.plain import plain
from pages.shared.score_scale import score_scale
from pages.shared.session_scores import SessionScores


def show(row: Row, session_scores: SessionScores, assessor: Assessor) -> None:
    """Show the details of a photo; nothing of one that failed, whose reason stands above it.

    Args:
        row: Row of the photo.
        session_scores: Scores of the session.
        assessor: Model that made the result.
    """
    if row.result is None or row.result.assessment is None:
        return
    assessment, quality = row.result.assessment, session_scores.quality_map(row.photo, assessor)
    certain, file = st.columns([3, 2], gap="large")
    with certain:
        reading = _choose_reading(assessment, quality, assessor)
        if reading == WHOLE_PHOTO:
            _whole_photo(assessment, assessor)
        else:
            _zoomed_in(assessment, quality, row.photo, session_scores, assessor)
    with file:
        _facts(assessment, row.photo)
        _explain_defect(row)
        # While the zoomed-in reading is still to be made, its own button stands beside this place.
        if can_zoom_in(assessment, assessor) and (quality or reading == WHOLE_PHOTO):
            worst_place.show(row.photo, assessment, session_scores, assessor)
        if st.button(
            defects.TO_MAP,
            key="to_map",
            icon=":material/search:",
            help="Opens this photo on the page Gradient maps, with the method that finds damage best.",
        ):
            st.session_state["opened"] = row.photo.key
            st.switch_page("pages/gradient_maps.py")
        lab_link.offer_photo(row.photo.key, key="to_lab")


def _choose_reading(assessment: Assessment, quality: QualityMap | None, assessor: Assessor) -> str:
    """Return which reading to show; there is a choice only where zooming in tells more."""
    if not can_zoom_in(assessment, assessor):
        return WHOLE_PHOTO
    labels = {
        WHOLE_PHOTO: f"{WHOLE_PHOTO}: {assessment.score:.0f}",
        ZOOMED_IN: f"{ZOOMED_IN}: {quality.score:.0f}" if quality else ZOOMED_IN,
    }
    return st.segmented_control(
        "Reading",
        list(labels),
        default=WHOLE_PHOTO,
        required=True,
        format_func=labels.__getitem__,
        key="reading",
        help="Whole photo: shrunk to the model's size, as a screen shows it, so that small flaws vanish. Zoomed in: "
        "judged in tiles at the photo's own resolution, as if each tile were a photo.",
    )


def _whole_photo(assessment: Assessment, assessor: Assessor) -> None:
    score_scale(assessment, assessor.card.calibration)
    _explain_interval(assessment, assessor)
    size = (assessment.width, assessment.height)
    if assessor.preprocessing.model_size(*size) == size:
        st.caption("The model sees every pixel of this photo, so zooming in would not change its score.")


def _zoomed_in(
    assessment: Assessment,
    quality: QualityMap | None,
    photo: SessionPhoto,
    session_scores: SessionScores,
    assessor: Assessor,
) -> None:
    if quality is None:
        st.write("The photo is judged in tiles at its own resolution, as you see it when you zoom in.")
        size = (assessment.width, assessment.height)
        quality_map.read_zoomed_in(photo, session_scores, assessor, size, "Judge it zoomed in")
        return
    low, high = min(quality.scores), max(quality.scores)
    st.plotly_chart(
        tiles_plot(quality, assessment.score),
        key="tiles_plot",
        config={"displayModeBar": False},
        alt=f"{len(quality.scores)} tiles score {low:.0f} to {high:.0f}, {quality.score:.0f} on average.",
    )
    st.caption(
        f"Each dot is a tile, {low:.0f} to {high:.0f}. Solid line: their mean. Dotted line: the whole photo.",
        help="There is no interval for the zoomed-in score: people rated whole photos, not tiles.",
    )


def _explain_interval(assessment: Assessment, assessor: Assessor) -> None:
    calibration = assessor.card.calibration
    if calibration is None:
        st.caption("This model was not calibrated, so there is no interval and no percentile.")
        return
    if assessment.interval_low is None:
        st.caption(
            f"No interval: photos this small were not among those it was measured on "
            f"({calibration.smallest_side} pixels and more). Grey shape: scores of {calibration.population}."
        )
        return
    st.caption(
        f"{100 * calibration.level:.0f} % interval: {assessment.interval_low:.0f} to {assessment.interval_high:.0f}. "
        f"Grey shape: scores of {plain(calibration.population)}.",
        help=f"The interval should hold people's mean opinion for {100 * calibration.level:.0f} % of photos. On photos "
        f"that the model had not learnt from, it did for {100 * calibration.measured_coverage:.1f} %. The grey shape "
        f"shows how the {calibration.population_size:,} {plain(calibration.population)} score.",
    )


def _explain_defect(row: Row) -> None:
    """Say what the numbers beside the name of a defect mean, or of a weak photo that none could be named."""
    card = graph_card()
    if card is None or card.diagnosis is None or row.diagnosis is None:
        return
    explanation = defects.explanation(plain(card.name), card.diagnosis.interval)
    if row.defect:
        st.caption(plain(defects.span(row.defect)), help=explanation)
    elif row.word in WEAK:
        st.caption(defects.NOT_CERTAIN, help=explanation)


def _facts(assessment: Assessment, photo: SessionPhoto) -> None:
    megapixels = assessment.width * assessment.height / 1e6
    facts = [
        f"{assessment.width} × {assessment.height} pixels ({megapixels:.1f} MP)",
        assessment.format,
        naturalsize(photo.size),
        f"model {plain(assessment.model)}",
    ]
    st.markdown(f"**{plain(photo.name)}**")
    st.caption(" · ".join(facts))
    for note in assessment.notes:
        st.caption(f"Note: {plain(note)}.", help="What had to be done to read the file.")
