"""One photo, large, with its assessment."""

import streamlit as st
from humanize import naturalsize

from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import Assessment, QualityMap, word_of
from pages.scoring import quality_map
from pages.shared import previews
from pages.shared.encoding import jpeg
from pages.shared.failures import UNEXPECTED, explain
from pages.shared.headline import headline
from pages.shared.photo_library import PhotoLibrary, SessionPhoto
from pages.shared.plain import plain
from pages.shared.score_plot import score_plot, score_plot_in_words, tiles_plot
from pages.shared.session_scores import ScoringResult, SessionScores

_SIDE = 1600
_POPULATIONS = {"LIVE Challenge photos": "everyday photos (LIVE Challenge)"}
"""Names of populations for visitors who do not know the database."""
WHOLE_PHOTO, ZOOMED_IN = "Whole photo", "Zoomed in"


def show(
    photo: SessionPhoto, result: ScoringResult, session_scores: SessionScores, assessor: Assessor, *, wide: bool
) -> None:
    """Show a photo and its assessment, side by side where there is room.

    Args:
        photo: Photo to show.
        result: Scoring result of the photo.
        session_scores: Scores of the session.
        assessor: Model that made the result.
        wide: Whether the photo may take the whole width of the page.
    """
    if result.assessment is None:
        st.error(plain(result.error or UNEXPECTED))
        return
    if wide:
        picture, words = st.columns([3, 2], gap="large")
        top = bottom = words
    else:
        top, picture, bottom = st.container(), st.container(), st.container()
    quality = session_scores.quality_map(photo, assessor)
    with top:
        reading = _choose_reading(result.assessment, quality, assessor)
        if reading == WHOLE_PHOTO:
            headline(result.assessment.score, result.assessment.word, _percentile(result.assessment))
        elif quality is not None:
            headline(quality.score, word_of(quality.score), f"Mean of {len(quality.scores)} tiles")
    with picture:
        _picture(photo, result.assessment, session_scores.photos, quality if reading == ZOOMED_IN else None)
    with bottom:
        if reading == WHOLE_PHOTO:
            _whole_photo(result.assessment, assessor)
        else:
            _zoomed_in(result.assessment, quality, photo, session_scores, assessor)
        _facts(result.assessment, photo)


def _choose_reading(assessment: Assessment, quality: QualityMap | None, assessor: Assessor) -> str:
    """Return which reading to show; there is a choice only where the model sees less than the whole photo."""
    size = (assessment.width, assessment.height)
    if assessor.preprocessing.model_size(*size) == size:
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
    st.plotly_chart(
        score_plot(assessment, assessor.card.calibration),
        key="score_plot",
        config={"displayModeBar": False},
        alt=score_plot_in_words(assessment),
    )
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
        quality_map.read_zoomed_in(photo, session_scores, assessor, (assessment.width, assessment.height))
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


def _percentile(assessment: Assessment) -> str:
    if assessment.percentile is None:
        return ""
    population = _POPULATIONS.get(assessment.population or "", assessment.population)
    return f"Better than {assessment.percentile:.0f} of 100 {population}"


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


def _facts(assessment: Assessment, photo: SessionPhoto) -> None:
    megapixels = assessment.width * assessment.height / 1e6
    facts = [
        f"{assessment.width} × {assessment.height} pixels ({megapixels:.1f} MP)",
        assessment.format,
        naturalsize(photo.size),
        f"model {plain(assessment.model)}",
    ]
    st.caption(" · ".join(facts))
    for note in assessment.notes:
        st.caption(f"Note: {plain(note)}.", help="What had to be done to read the file.")


def _picture(photo: SessionPhoto, assessment: Assessment, photos: PhotoLibrary, quality: QualityMap | None) -> None:
    try:
        image = previews.preview(photo, photos, _SIDE)
    except Exception as error:
        st.error(plain(explain(error)))
        return
    description = f"{photo.name}, scored {assessment.score:.1f}, {assessment.word}"
    with st.container(key="hero_photo"):
        if quality is None:
            st.image(image, width="stretch", alt=description)
        else:
            drawn = quality_map.draw(previews.opened(image), quality, (assessment.width, assessment.height))
            st.image(
                jpeg(drawn, 88),
                width="stretch",
                alt=f"{description}; tinted by the scores of its tiles, {min(quality.scores):.0f} to "
                f"{max(quality.scores):.0f}",
            )
    st.caption(plain(photo.name))
