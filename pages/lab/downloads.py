"""The distorted photo as PNG, the same at full size, and every measured number as CSV."""

import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

import metaiqa_core
from metaiqa_core.assess import Assessor
from metaiqa_core.distortions import CATALOGUE, distort
from metaiqa_core.distortions.opinion_scores import opinion_curve
from metaiqa_core.foreign_text import path_text
from metaiqa_core.images import decode, png
from metaiqa_core.level_response import compare_with_people
from metaiqa_core.results import export
from pages.lab.bench import Bench
from pages.lab.controls import Choice
from pages.shared.photo_library import PhotoLibrary, SessionPhoto


def offer_photo(bench: Bench, choice: Choice, photo: SessionPhoto, photos: PhotoLibrary) -> None:
    """Offer the distorted photo as it is shown, and at full size."""
    entry, level = choice.distortion, choice.level
    if entry.key in bench.failures:
        return
    name = f"{Path(photo.name).stem}-{entry.key.replace(':', '-')}-{level}.png"
    with st.container(horizontal=True):
        st.download_button(
            "Distorted photo (PNG)",
            lambda: bench.picture(entry, level),
            name,
            "image/png",
            key="lab_download_photo",
            on_click="ignore",
        )
        with st.popover("At full size"):
            st.caption(
                "Several types measure their level in pixels, so a large photo looks less damaged than here. Large "
                "photos may take some minutes. The command below makes the same file in a terminal."
            )
            st.download_button(
                "Full-size photo (PNG)",
                lambda: png(distort(decode(photos.content(photo)).pixels, entry, level, seed=choice.seed)),
                f"full-{name}",
                "image/png",
                key="lab_download_full_size",
                on_click="ignore",
            )
            words = ["--type", entry.key, "--level", str(level), "--seed", str(choice.seed), "--output", name]
            st.code(
                shlex.join(["python", "-m", "metaiqa_core", "distort", photo.name, *words]),
                language="bash",
                wrap_lines=True,
            )


def offer_table(bench: Bench, photo: SessionPhoto, assessor: Assessor) -> None:
    """Offer all that is measured on this photo, one row a type and level."""
    st.download_button(
        "Scores (CSV)",
        lambda: to_csv(table(bench, photo, assessor)),
        f"{Path(photo.name).stem}-levels.csv",
        "text/csv",
        key="lab_download_table",
        on_click="ignore",
        help="Every type and level of this photo that was scored, with people's mean ratings and the model's version.",
    )


def table(bench: Bench, photo: SessionPhoto, assessor: Assessor) -> list[dict[str, Any]]:
    """Return one record for each measured level, level 0 first, with everything that repeating it needs."""
    height, width = bench.pixels.shape[:2]
    origin = {
        "seed": bench.seed,
        "width": width,
        "height": height,
        "file": path_text(photo.name),
        "sha256": photo.sha256,
        "model": assessor.card.name,
        "model_sha256": assessor.card.sha256,
        "metaiqa_version": metaiqa_core.__version__,
    }
    records = [{"type": None, "level": 0, "score": bench.undistorted, **origin}]
    for entry in CATALOGUE:
        response = bench.response(entry)
        disagreement = compare_with_people(response) if response else None
        for level, score in sorted(bench.scores.get(entry.key, {}).items()):
            opinion = opinion_curve(entry)[level - 1]
            records.append(
                {
                    "type": entry.key,
                    "level": level,
                    "score": score,
                    "name": entry.name,
                    "family": entry.family,
                    "parameter": entry.parameters[level - 1],
                    "parameter_name": entry.parameter_name,
                    "people_mean": 100 * opinion.mean,
                    "people_std": 100 * opinion.std,
                    "people_photos": opinion.count,
                    "gap": disagreement.gaps[level - 1] if disagreement else None,
                    "type_rmse": disagreement.rmse if disagreement else None,
                    "type_order": disagreement.order if disagreement else None,
                    **origin,
                }
            )
    return records


def to_csv(records: list[dict[str, Any]]) -> bytes:
    """Return records as CSV in UTF-8, with the mark that spreadsheets need to see it."""
    return export.to_csv(pd.DataFrame(records)).encode("utf-8-sig")
