"""The picture of Algorithm 1 on a toy of two weights: one frame for each step, played or moved through by hand."""

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from metaiqa_core.training.toy import COMMON, ToyIteration
from pages.shared.palette import ACCENT, GREEN, MUTED, OPPOSITE, PURPLE

_MILLISECONDS = 220
_GAP = [[np.nan, np.nan]]
_TITLE_CHARACTERS = 46
_MOVING = 5
"""Number of traces that change from frame to frame; those of the ground come after them."""


def moments(iterations: Sequence[ToyIteration]) -> list[tuple[int, int]]:
    """Return every moment as (mini-batch, step): 0 is its start, 1 to 2 S are inner steps, the last is outer."""
    return [(number, step) for number, one in enumerate(iterations) for step in range(one.paths.shape[1] + 1)]


def in_words(iterations: Sequence[ToyIteration], moment: tuple[int, int]) -> str:
    """Return what happens at a moment, in one sentence."""
    number, step = moment
    one = iterations[number]
    tasks, steps = len(one.paths), (one.paths.shape[1] - 1) // 2
    begin = f"Mini-batch {number + 1} of {len(iterations)}"
    if step == 0:
        if tasks == 1:
            return f"{begin}: a task is drawn; the star is the weights that fit it."
        return f"{begin}: {tasks} tasks are drawn; the stars are the weights that fit them."
    if step <= steps:
        return f"{begin}: each task steps towards its support set, {step} of {steps} (Eq. 4)."
    if step <= 2 * steps:
        return f"{begin}: each goes on with its query set, {step - steps} of {steps} (Eq. 7)."
    return f"{begin}: the prior moves towards the mean of where the tasks ended (Eq. 8)."


def figure(iterations: Sequence[ToyIteration], shown: int) -> go.Figure:
    """Draw the moments as frames, and the one to begin with.

    Args:
        iterations: Result of `meta_train_toy`.
        shown: Position of the moment to show at first, in the order of `moments`.
    """
    every = moments(iterations)
    drawn = make_subplots(
        rows=2,
        cols=1,
        row_heights=[0.7, 0.3],
        vertical_spacing=0.2,
        subplot_titles=("", "Error on a new task after S steps"),
    )
    for place, trace in enumerate(_traces(iterations, every[shown])):
        drawn.add_trace(trace, row=2 if place == _MOVING - 1 else 1, col=1)
    drawn.add_trace(_goal(), row=1, col=1)
    drawn.frames = [
        go.Frame(
            name=str(place),
            data=_traces(iterations, moment),
            traces=list(range(_MOVING)),
            layout={"title": {"text": _title(iterations, moment)}},
        )
        for place, moment in enumerate(every)
    ]
    low, high = _range(iterations)
    largest = max(one.new_task_loss for one in iterations)
    drawn.update_xaxes(range=[low, high], title="First weight, θ₁", row=1, col=1, constrain="domain")
    drawn.update_yaxes(range=[low, high], title="Second weight, θ₂", row=1, col=1)
    drawn.update_xaxes(range=[0.5, len(iterations) + 0.5], title="Mini-batch", dtick=1, row=2, col=1)
    drawn.update_yaxes(range=[0, largest * 1.1], title="Squared error", row=2, col=1)
    drawn.update_layout(
        title={
            "text": _title(iterations, every[shown]),
            "x": 0,
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 12},
            "font": {"size": 13},
        },
        height=700,
        margin={"l": 10, "r": 10, "t": 104, "b": 100},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        updatemenus=[_buttons(shown)],
    )
    return drawn


def _title(iterations: Sequence[ToyIteration], moment: tuple[int, int]) -> str:
    """Return what happens at a moment, in lines that a phone has room for."""
    return "<br>".join(wrap(in_words(iterations, moment), _TITLE_CHARACTERS))


def _traces(iterations: Sequence[ToyIteration], moment: tuple[int, int]) -> list[go.Scatter]:
    number, step = moment
    one = iterations[number]
    half = (one.paths.shape[1] - 1) // 2
    support = _joined([path[: min(step, half) + 1] for path in one.paths])
    query = _joined([path[half : min(step, 2 * half) + 1] if step > half else path[:0] for path in one.paths])
    priors = [before.prior for before in iterations[: number + 1]] + ([one.after] if step > 2 * half else [])
    losses = [before.new_task_loss for before in iterations[: number + 1]]
    return [
        _line(support, "steps on the support set", OPPOSITE, "lines+markers", "circle", 5),
        _line(query, "steps on the query set", ACCENT, "lines+markers", "square", 5),
        _line(one.wanted, "the weights that fit each task", GREEN, "markers", "star", 12),
        _line(np.array(priors), "the prior θ", PURPLE, "lines+markers", "diamond", 10),
        go.Scatter(
            x=list(range(1, len(losses) + 1)),
            y=losses,
            mode="lines+markers",
            line={"color": PURPLE},
            showlegend=False,
            hovertemplate="mini-batch %{x}<br>squared error %{y:.3f}<extra></extra>",
        ),
    ]


def _line(points: np.ndarray, name: str, colour: str, mode: str, symbol: str, size: int) -> go.Scatter:
    return go.Scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode=mode,
        name=name,
        line={"color": colour, "width": 2},
        marker={"color": colour, "symbol": symbol, "size": size},
        hovertemplate=f"{name}<br>θ₁ %{{x:.2f}}, θ₂ %{{y:.2f}}<extra></extra>",
    )


def _goal() -> go.Scatter:
    return go.Scatter(
        x=[COMMON[0]],
        y=[COMMON[1]],
        mode="markers",
        name="what all tasks have in common",
        marker={"color": MUTED, "symbol": "circle-open", "size": 26, "line": {"width": 2}},
        hoverinfo="skip",
    )


def _joined(paths: Sequence[np.ndarray]) -> np.ndarray:
    """Return several paths as one with gaps between them."""
    return np.concatenate([part for path in paths for part in (path, _GAP)])


def _range(iterations: Sequence[ToyIteration]) -> tuple[float, float]:
    every = np.concatenate([np.concatenate([one.paths.reshape(-1, 2), one.wanted]) for one in iterations])
    return float(every.min()) - 0.15, float(every.max()) + 0.15


def _buttons(shown: int) -> dict[str, object]:
    pace = {"frame": {"duration": _MILLISECONDS, "redraw": True}, "transition": {"duration": 0}}
    still = {"frame": {"duration": 0, "redraw": True}, "mode": "immediate", "transition": {"duration": 0}}
    return {
        "type": "buttons",
        "direction": "left",
        "x": 1,
        "xanchor": "right",
        "y": 1,
        "yanchor": "bottom",
        "pad": {"b": 30},
        "showactive": False,
        "buttons": [
            {"label": "▶ Play", "method": "animate", "args": [None, {**pace, "fromcurrent": True}]},
            {"label": "Pause", "method": "animate", "args": [[None], still]},
        ],
    }
