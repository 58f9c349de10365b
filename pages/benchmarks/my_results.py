"""A visitor's own numbers or predictions, shown on both result pages beside the published ones."""

from dataclasses import dataclass, field, replace

import pandas as pd
import streamlit as st

from metaiqa_core.errors import ResultsError
from metaiqa_core.results import uploads
from metaiqa_core.results.records import ResultRecord
from metaiqa_core.results.uploaded_predictions import holds_predictions, read_predictions_upload
from pages.benchmarks import my_table
from pages.benchmarks.my_table import MyTable
from pages.shared.plain import plain

_UPLOADER = "my_results"
_LARGEST = 8
"""Largest file, MiB."""
_NAMED = 20
_SHARED = (
    "The address of this page carries these numbers: whoever opens it as a link sees them. Predictions stay on this "
    "computer."
)
_NOT_SHARED = (
    "The address of this page names this table, which has too many numbers to be carried there: on another computer "
    "the link asks for the file."
)


@dataclass(frozen=True, eq=False)
class MyResults:
    """What a visitor brought.

    Attributes:
        records: Their numbers.
        frames: Predictions behind them, by method, database and distortion type; empty where numbers alone came.
        notice: Sentence on what a link did not bring; empty for none.
    """

    records: list[ResultRecord] = field(default_factory=list)
    frames: dict[tuple[str, str, str], pd.DataFrame] = field(default_factory=dict)
    notice: str = ""

    def predictions_of(self, record: ResultRecord) -> pd.DataFrame | None:
        """Return the predictions behind one of the records; None where there are none."""
        return self.frames.get((record.method, record.database, record.distortion_type or ""))


def choose(database: str) -> MyResults:
    """Offer the upload, and return what this session's file, or the file that a link names, holds.

    Args:
        database: Database that predictions belong to where their file does not say.
    """
    st.markdown("**Compare with your own results**")
    st.caption(
        "A CSV file with your numbers (see the template), or with predictions image by image (as `evaluate "
        "--predictions` writes them), which are tested for significance too. Both result pages show them until the "
        "session ends, marked as yours; nobody verifies them."
    )
    upload = st.file_uploader("Results or predictions as CSV", type="csv", key=_UPLOADER, max_upload_size=_LARGEST)
    if upload is not None:
        my_table.take(upload.name, upload.getvalue())
    table = my_table.find()
    with st.container(horizontal=True):
        st.download_button(
            "Template", uploads.template(), "my-results.csv", "text/csv", key="download_template", on_click="ignore"
        )
        if upload is None and isinstance(table, MyTable):
            st.button("Remove my results", key="remove_mine", on_click=my_table.forget)
    if isinstance(table, str):
        return MyResults(notice=table)
    try:
        found, problems = _read(table.content, table.name, database)
    except ResultsError as error:
        st.error(plain(str(error)))
        return MyResults(notice=f"The table of this link cannot be shown. {error}" if table.origin == "link" else "")
    if found.records:
        st.success(f"{len(found.records)} number{'s' * (len(found.records) > 1)} read from {plain(table.name)}.")
        st.caption(_SHARED if my_table.name_in_address(table, found.records) else _NOT_SHARED)
    for problem in problems[:_NAMED]:
        st.warning(plain(problem))
    if len(problems) > _NAMED:
        st.warning(f"… and {len(problems) - _NAMED} more lines with an error.")
    return replace(found, notice=table.notice)


def tell(mine: MyResults) -> None:
    """Say where all see it what a link did not bring."""
    if mine.notice:
        st.info(plain(mine.notice), icon=":material/link:")


def _read(content: bytes, name: str, database: str) -> tuple[MyResults, list[str]]:
    if holds_predictions(content):
        read = read_predictions_upload(content, name, database)
        return MyResults(list(read.records), read.frames), list(read.problems)
    records, problems = uploads.read_upload(content, name)
    return MyResults(records), problems
