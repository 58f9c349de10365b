"""A visitor's own numbers or predictions: kept for the session, shown on both result pages, never stored."""

from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from metaiqa_core.errors import ResultsError
from metaiqa_core.results import uploads
from metaiqa_core.results.records import ResultRecord
from metaiqa_core.results.uploaded_predictions import holds_predictions, read_predictions_upload
from pages.shared.plain import plain

_KEPT, _UPLOADER = "my_results_file", "my_results"
_LARGEST = 8
"""Largest file, MiB."""
_NAMED = 20


@dataclass(frozen=True, eq=False)
class MyResults:
    """What a visitor brought.

    Attributes:
        records: Their numbers.
        frames: Predictions behind them, by method, database and distortion type; empty where numbers alone came.
    """

    records: list[ResultRecord] = field(default_factory=list)
    frames: dict[tuple[str, str, str], pd.DataFrame] = field(default_factory=dict)

    def predictions_of(self, record: ResultRecord) -> pd.DataFrame | None:
        """Return the predictions behind one of the records; None where there are none."""
        return self.frames.get((record.method, record.database, record.distortion_type or ""))


def choose(database: str) -> MyResults:
    """Offer the upload, and return what this session's file holds.

    Args:
        database: Database that predictions belong to where their file does not say.
    """
    st.markdown("**Compare with mine**")
    st.caption(
        "A CSV file with your numbers, or with predictions image by image (as `evaluate --predictions` writes them), "
        "which are tested for significance too. It stays in this session, on both result pages, and nobody checks it."
    )
    upload = st.file_uploader("Results or predictions as CSV", type="csv", key=_UPLOADER, max_upload_size=_LARGEST)
    if upload is not None:
        st.session_state[_KEPT] = (upload.name, upload.getvalue())
    with st.container(horizontal=True):
        st.download_button(
            "Template", uploads.template(), "my-results.csv", "text/csv", key="download_template", on_click="ignore"
        )
        if upload is None and _KEPT in st.session_state:
            st.button("Remove mine", key="remove_mine", on_click=lambda: st.session_state.pop(_KEPT, None))
    if _KEPT not in st.session_state:
        return MyResults()
    name, content = st.session_state[_KEPT]
    try:
        found, problems = _read(content, name, database)
    except ResultsError as error:
        st.error(plain(str(error)))
        return MyResults()
    if found.records:
        st.success(f"{len(found.records)} number{'s' * (len(found.records) > 1)} read from {plain(name)}.")
    for problem in problems[:_NAMED]:
        st.warning(plain(problem))
    if len(problems) > _NAMED:
        st.warning(f"… and {len(problems) - _NAMED} more lines with an error.")
    return found


def _read(content: bytes, name: str, database: str) -> tuple[MyResults, list[str]]:
    if holds_predictions(content):
        read = read_predictions_upload(content, name, database)
        return MyResults(list(read.records), read.frames), list(read.problems)
    records, problems = uploads.read_upload(content, name)
    return MyResults(records), problems
