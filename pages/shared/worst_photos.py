"""The photos on which a model and people differ most: pictures of the first few, and a table of more."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from metaiqa_core.errors import MetaIQAError
from metaiqa_core.images import decode
from metaiqa_core.results import export
from pages.shared import lab_link
from pages.shared.encoding import jpeg
from pages.shared.photo_limits import photo_limits
from pages.shared.plain import plain
from pages.shared.previews import fitted
from pages.shared.turns import turn

_PICTURES, _ROWS, _SIDE = 5, 20, 320
_WIDTH = 168
"""Width of a picture, pixels: two lie beside each other on a phone."""


def show(predictions: pd.DataFrame, paths: Sequence[Path], title: str) -> None:
    """Show the worst photos.

    Args:
        predictions: Table with the columns `image`, `level`, `opinion_score` and `predicted_score`.
        paths: File of each row's photo, all of which may be read; empty where they are not known.
        title: Title of this part.
    """
    residual = predictions["predicted_score"] - predictions["opinion_score"]
    shown = predictions.assign(residual=residual, place=range(len(predictions)))
    worst = shown.loc[residual.abs().sort_values(ascending=False).index].head(_ROWS)
    st.markdown(f"**{plain(title)}**")
    if len(paths) == len(predictions):
        with st.container(horizontal=True, gap="small"):
            for number, (_, row) in enumerate(worst.head(_PICTURES).iterrows()):
                _picture(paths[row["place"]], row, number)
    kinder, stricter = int((worst["residual"] > 0).sum()), int((worst["residual"] < 0).sum())
    st.caption(f"Of the {len(worst)} worst, the model is kinder than people on {kinder} and stricter on {stricter}.")
    columns = ["image", "level", "opinion_score", "predicted_score", "residual"]
    if not predictions["level"].any():
        columns.remove("level")
    score = st.column_config.NumberColumn
    with st.expander(f"The {len(worst)} worst as a table"):
        st.dataframe(
            export.harmless(worst[columns]),
            hide_index=True,
            height=220,
            column_config={
                "image": "Image",
                "level": "Level",
                "opinion_score": score("People", format="%.3f"),
                "predicted_score": score("Model", format="%.3f"),
                "residual": score("Residual", format="%+.3f", help="Model minus people."),
            },
            alt=f"The {len(worst)} images with the largest difference between predicted and opinion score.",
        )


def _picture(path: Path, row: pd.Series, number: int) -> None:
    caption = f"people {row['opinion_score']:.2f}, model {row['predicted_score']:.2f}"
    try:
        picture = _thumbnail(str(path), path.stat().st_mtime_ns)
    except (MetaIQAError, OSError):
        return  # the table has its name and its numbers
    with st.container(width=_WIDTH, gap="xsmall"):
        st.image(picture, caption=caption, alt=f"{row['image']}: {caption}")
        lab_link.offer_content(path.name, path.read_bytes, key=f"worst_to_lab_{number}", kind="tertiary")


@st.cache_data(max_entries=200, show_spinner=False)
def _thumbnail(path: str, changed: int) -> bytes:
    with turn():
        photo = decode(Path(path), limits=photo_limits(), minimum_short_side=_SIDE // 2)
        return jpeg(fitted(photo, _SIDE), 85)
