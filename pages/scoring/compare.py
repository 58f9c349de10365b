"""Two photos side by side; zooming or moving one moves the other."""

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from pages.scoring.rows import Row
from pages.shared import linked_pictures, previews
from pages.shared.encoding import data_uri
from pages.shared.failures import UNEXPECTED, explain
from pages.shared.headline import headline
from pages.shared.photo_library import PhotoLibrary
from pages.shared.plain import plain

_SIDE = 2400
_HEIGHT = 440


def show(left: Row, right: Row, photos: PhotoLibrary) -> None:
    """Show two assessed photos with their scores, the difference in words, and one zoom for both."""
    columns = st.columns(2)
    for column, row in zip(columns, (left, right), strict=True):
        with column:
            assessment = row.result.assessment if row.result else None
            if assessment:
                headline(assessment.score, assessment.word, row.photo.name)
            else:
                reason = row.result.error if row.result else f"{row.photo.name} is not scored yet."
                st.error(plain(reason or UNEXPECTED))
    try:
        contents = [previews.preview(row.photo, photos, _SIDE) for row in (left, right)]
    except Exception as error:
        st.error(plain(explain(error)))
        return
    st.plotly_chart(
        side_by_side(contents[0], contents[1]),
        key=f"compare {left.photo.key} {right.photo.key}",
        config={
            "scrollZoom": True,
            "displaylogo": False,
            "modeBarButtons": [["zoomIn2d", "zoomOut2d", "resetScale2d"]],
        },
        alt=f"{left.photo.name} on the left and {right.photo.name} on the right",
    )
    st.caption("Scroll or pinch to zoom, drag to move, double-click to see all. Both photos move together.")
    if left.result and right.result and left.result.assessment and right.result.assessment:
        st.write(_verdict(left, right))


def side_by_side(left: bytes, right: bytes) -> go.Figure:
    """Return two JPEGs on matched axes, in shares of each photo's width, so that the same part is seen of both."""
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.01)
    shapes = [previews.opened(content).size for content in (left, right)]
    tallest = max(height / width for width, height in shapes)
    for number, (content, (width, height)) in enumerate(zip((left, right), shapes, strict=True), start=1):
        axis = "" if number == 1 else str(number)
        figure.add_layout_image(
            source=data_uri(content), xref=f"x{axis}", yref=f"y{axis}", x=0, y=0, sizex=1,
            sizey=height / width, sizing="stretch", layer="below",
        )  # fmt: skip
        # Plotly draws axes only where there is a trace; one invisible point a corner makes them.
        figure.add_scatter(
            x=[0, 1], y=[0, height / width], mode="markers", opacity=0, hoverinfo="skip", row=1, col=number
        )
    linked_pictures.link(figure, 1, tallest, top_margin=32)
    figure.update_layout(height=_HEIGHT)
    return figure


def _verdict(left: Row, right: Row) -> str:
    """Return which photo is better, and whether the difference exceeds the model's interval."""
    better, worse = (left, right) if (left.score or 0) >= (right.score or 0) else (right, left)
    assessment = better.result.assessment if better.result else None
    difference = (better.score or 0) - (worse.score or 0)
    sentence = f"**{plain(better.photo.name)}** scores {difference:.1f} points higher."
    if assessment and assessment.interval_low is not None and (worse.score or 0) >= assessment.interval_low:
        sentence += " Too close to call."
    return sentence
