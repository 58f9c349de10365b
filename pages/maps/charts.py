"""Plotly figures of the gradient maps page; each takes plain values and draws nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from metaiqa_core.explain.evidence import DeletionInsertion
from metaiqa_core.explain.regions import Region
from pages.shared import linked_pictures
from pages.shared.encoding import data_uri
from pages.shared.palette import ACCENT, DARK, LIGHT, MUTED, OPPOSITE, faint

_GAP = 0.012
"""Between panels beside each other, as a share of the figure's width."""
_ROW_GAP = 0.1
"""Between two rows of panels, as a share of the figure's height: room for titles, on a phone too."""
TITLE_HEIGHT = 24
"""Height of the line of titles above the first row, pixels."""


@dataclass(frozen=True)
class Panel:
    """One picture of a figure.

    Attributes:
        title: Title, shown where there are several pictures.
        layers: JPEGs of one size, to lay over each other, the lowest first.
        size: Width and height of each, pixels.
        regions: Regions to frame, in the same pixels.
    """

    title: str
    layers: Sequence[bytes]
    size: tuple[int, int]
    regions: Sequence[Region] = ()


def grid_of(count: int) -> tuple[int, int]:
    """Return rows and columns for 1 to 4 panels."""
    return (1, count) if count <= 2 else (2, 2)


def titles_of(shown: Sequence[Panel]) -> list[str]:
    """Return the titles that stand above the panels; they are the figure's first annotations."""
    return [panel.title for panel in shown] if len(shown) > 1 else []


def panels(shown: Sequence[Panel]) -> go.Figure:
    """Draw 1 to 4 pictures of one size on matched axes, so that zooming or moving one moves all."""
    width, height = shown[0].size
    rows, columns = grid_of(len(shown))
    figure = make_subplots(rows, columns, horizontal_spacing=_GAP, vertical_spacing=_ROW_GAP)
    references = [{"xref": f"x{axis}", "yref": f"y{axis}"} for axis in ("", "2", "3", "4")]
    for title, reference in zip(titles_of(shown), references, strict=False):
        # Tied to the panel, not to the photo: a title stays in its place when the photo is zoomed or moved.
        panel_place = {name: f"{axis} domain" for name, axis in reference.items()}
        figure.add_annotation(
            text=title, showarrow=False, x=0, y=1, xanchor="left", yanchor="bottom", font={"size": 13}, **panel_place
        )
    for number, (panel, reference) in enumerate(zip(shown, references, strict=False)):
        for depth, layer in enumerate(panel.layers):
            # Of pictures at the very same place Plotly draws one; a millionth of a pixel tells them apart.
            figure.add_layout_image(
                source=data_uri(layer), x=1e-6 * depth, y=0, sizex=width, sizey=height,
                sizing="stretch", layer="below", **reference,
            )  # fmt: skip
        # Plotly draws axes only where there is a trace; one invisible point a corner makes them.
        figure.add_scatter(
            x=[0, width], y=[0, height], mode="markers", opacity=0, hoverinfo="skip",
            row=number // columns + 1, col=number % columns + 1,
        )  # fmt: skip
        for rank, region in enumerate(panel.regions, start=1):
            _frame(figure, region, rank, reference)
    linked_pictures.link(figure, width, height, top_margin=TITLE_HEIGHT if titles_of(shown) else 0)
    return figure


def _frame(figure: go.Figure, region: Region, rank: int, reference: dict[str, str]) -> None:
    """Frame a region, bright on dark so that it stands out anywhere, with its rank in the corner."""
    box = {"x0": region.left, "x1": region.right, "y0": region.top, "y1": region.bottom}
    for colour, width in ((DARK, 4), (LIGHT, 2)):
        figure.add_shape(type="rect", line={"color": colour, "width": width}, **box, **reference)
    _label(figure, str(rank), x=region.left, y=region.top, xanchor="left", **reference)


def _label(figure: go.Figure, text: str, **place: object) -> None:
    figure.add_annotation(
        text=text, showarrow=False, yanchor="top", borderpad=3, bgcolor=faint(DARK, 0.78),
        font={"color": LIGHT, "size": 12}, **place,
    )  # fmt: skip


def curves(found: DeletionInsertion) -> go.Figure:
    """Draw the score while pixels are blurred and while they are restored, by a map's order and by random ones."""
    shares = [100 * share for share in found.shares]
    figure = go.Figure()
    for name, own, random, colour, dash in (
        ("blurred", found.deletion, found.random_deletion_curves, OPPOSITE, "solid"),
        ("restored", found.insertion, found.random_insertion_curves, ACCENT, "dot"),
    ):
        scores = 100 * np.array([curve.scores for curve in random])  # (maps, shares)
        figure.add_scatter(
            x=[*shares, *reversed(shares)], y=[*scores.max(0), *scores.min(0)[::-1]], fill="toself", mode="none",
            fillcolor=faint(MUTED, 0.35), hoverinfo="skip", name="random maps", showlegend=name == "blurred",
        )  # fmt: skip
        figure.add_scatter(
            x=shares, y=[100 * score for score in own.scores], mode="lines+markers", name=f"this map, {name}",
            line={"color": colour, "width": 3, "dash": dash},
            hovertemplate=f"%{{x:.0f}} % {name}: %{{y:.1f}}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=320,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "Pixels replaced, those marked most first", "ticksuffix": " %", "fixedrange": True},
        yaxis={"title": "Score (0-100)", "fixedrange": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure


def likeness(correlations: Mapping[str, float]) -> go.Figure:
    """Draw rank correlations as dots between no likeness (0) and the same map (1)."""
    figure = go.Figure(
        go.Scatter(
            x=list(correlations.values()), y=list(correlations), mode="markers", marker={"size": 13, "color": ACCENT},
            hovertemplate="%{y}: %{x:.2f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=180,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "Likeness to this map (1: the same, 0: none)", "range": [-0.25, 1.05], "fixedrange": True},
        yaxis={"fixedrange": True, "automargin": True},
    )
    return figure


@dataclass(frozen=True)
class Ratio:
    """One line of the dot plot.

    Attributes:
        title: Title of the method.
        mean: Mean localisation ratio; chance is 1.
        low: Lower end of its interval.
        high: Upper end of that interval.
        informative: Whether the whole interval lies above chance.
    """

    title: str
    mean: float
    low: float
    high: float
    informative: bool


def ratios(shown: Sequence[Ratio]) -> go.Figure:
    """Draw the localisation ratio of methods as dots with intervals, the first on top, chance as a line."""
    ordered = list(reversed(shown))  # Plotly draws the first category at the bottom
    figure = go.Figure(
        go.Scatter(
            x=[ratio.mean for ratio in ordered],
            y=[ratio.title for ratio in ordered],
            mode="markers",
            marker={
                "size": 11,
                "color": [ACCENT if ratio.informative else OPPOSITE for ratio in ordered],
                "symbol": ["circle" if ratio.informative else "circle-open" for ratio in ordered],
                "line": {"width": 2},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [ratio.high - ratio.mean for ratio in ordered],
                "arrayminus": [ratio.mean - ratio.low for ratio in ordered],
                "color": MUTED,
                "thickness": 2,
            },
            customdata=[[ratio.low, ratio.high] for ratio in ordered],
            hovertemplate="<b>%{y}</b><br>%{x:.2f} (%{customdata[0]:.2f} to %{customdata[1]:.2f})<extra></extra>",
        )
    )
    figure.add_vline(
        x=1, line={"color": MUTED, "dash": "dash"}, annotation_text="chance", annotation_position="top right"
    )
    figure.update_layout(
        height=70 + 32 * len(ordered),
        margin={"l": 10, "r": 10, "t": 24, "b": 10},
        xaxis={
            "title": "Times as much in the damaged square as by chance",
            "fixedrange": True,
            "rangemode": "tozero",
        },
        yaxis={"fixedrange": True, "automargin": True},
    )
    return figure
