"""The table as a file, with the field names that `python -m metaiqa_core score --format json` uses."""

import io
import json
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

import metaiqa_core
from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import QualityMap, failed_row
from metaiqa_core.foreign_text import path_text
from metaiqa_core.results import export
from pages.scoring.ranked_table import Row
from pages.shared.session_scores import SessionScores


def records(rows: list[Row], session_scores: SessionScores, assessor: Assessor) -> list[dict[str, Any]]:
    """Return one plain record a row, with everything that is needed to repeat its score."""
    of_model = {
        "model_sha256": assessor.card.sha256,
        "preprocessing": json.dumps(assessor.preprocessing.to_dict()),
        "metaiqa_version": metaiqa_core.__version__,
    }
    return [
        _assessed(row, session_scores.quality_map(row.photo, assessor), assessor.card.name)
        | {
            "near_duplicates": row.group or None,
            "best_of_near_duplicates": row.best if row.group else None,
            "sha256": row.photo.sha256,
        }
        | of_model
        for row in rows
    ]


def _assessed(row: Row, quality: QualityMap | None, model: str) -> dict[str, Any]:
    """Return the row of an assessment, with the reading at 100 % if there is one by now, or that of a failure."""
    file = path_text(row.photo.name)
    if row.result and row.result.assessment:
        return replace(row.result.assessment, at_full_size=quality).to_row(file)
    return failed_row(file, model, (row.result and row.result.error) or "not scored")


def to_csv(rows: list[dict[str, Any]]) -> bytes:
    """Return records as CSV in UTF-8, with the mark that spreadsheets need to see it."""
    return export.to_csv(pd.DataFrame(rows)).encode("utf-8-sig")


def to_json(rows: list[dict[str, Any]]) -> bytes:
    """Return records as a JSON list."""
    return json.dumps(rows, indent=2, ensure_ascii=False).encode()


def to_parquet(rows: list[dict[str, Any]]) -> bytes:
    """Return records as Parquet; every column has its type, also where all values are missing."""
    table = pd.DataFrame(rows).astype(
        {
            "width": "Int64",
            "height": "Int64",
            "best_of_near_duplicates": "boolean",
            **dict.fromkeys(
                ("score", "interval_low", "interval_high", "interval_level", "percentile", "score_at_full_size"),
                "Float64",
            ),
        }
    )
    texts = [name for name in table.columns if table[name].dtype == object]
    buffer = io.BytesIO()
    table.astype(dict.fromkeys(texts, "string")).to_parquet(buffer, index=False)
    return buffer.getvalue()


_KINDS = {
    "CSV": (to_csv, "text/csv"),
    "JSON": (to_json, "application/json"),
    "Parquet": (to_parquet, "application/vnd.apache.parquet"),
}


def offer(rows: list[Row], session_scores: SessionScores, assessor: Assessor) -> None:
    """Offer the shown rows for download; a file is made when it is asked for."""
    with st.popover("Export"):
        st.caption(
            "The rows that pass the filter, with model, preprocessing and version. The file is saved on your disk only."
        )
        for name, (write, kind) in _KINDS.items():
            st.download_button(
                name,
                lambda write=write: write(records(rows, session_scores, assessor)),
                f"metaiqa-scores.{name.lower()}",
                kind,
                key=f"export_{name}",
                on_click="ignore",
                width="stretch",
            )
