"""What leaves the page: the photos to keep, lists, scripts, stars for other programs, tables of scores."""

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from humanize import naturalsize

import metaiqa_core
from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import QualityMap, failed_row
from metaiqa_core.defect_words import NOTHING
from metaiqa_core.errors import MetaIQAError
from metaiqa_core.foreign_text import path_text
from metaiqa_core.sorting import archives
from metaiqa_core.sorting.decisions import Decision
from metaiqa_core.sorting.powershell_script import powershell_script
from metaiqa_core.sorting.shell_script import shell_script
from metaiqa_core.sorting.sidecars import SidecarNames
from metaiqa_core.sorting.sorted_photo import SortedPhoto, relative_path
from metaiqa_core.sorting.tables import file_names, to_csv, to_json, to_parquet
from metaiqa_core.sorting.xmp import rating_of
from pages.scoring.diagnoses import graph_card
from pages.scoring.rows import Row
from pages.shared.plain import plain
from pages.shared.session_scores import SessionScores

_DEFECT_FIELDS = ("word", "probability", "type", "level", "level_low", "level_high")
"""What of a diagnosis is exported."""


def records(rows: Sequence[Row], session_scores: SessionScores, assessor: Assessor) -> list[dict[str, Any]]:
    """Return one plain record a row, with everything that is needed to repeat its score."""
    of_model = {
        "model_sha256": assessor.card.sha256,
        "preprocessing": json.dumps(assessor.preprocessing.to_dict()),
        "metaiqa_version": metaiqa_core.__version__,
    }
    return [
        _assessed(row, session_scores.quality_map(row.photo, assessor), assessor.card.name)
        | {
            **_diagnosed(row),
            "near_duplicates": str(row.stack) if row.stack else None,
            "best_of_near_duplicates": row.best if row.stack else None,
            "decision": row.decision.value,
            "rating": rating_of(row.word, row.decision, row.score, "").stars,
            "sha256": row.photo.sha256,
        }
        | of_model
        for row in rows
    ]


def _assessed(row: Row, quality: QualityMap | None, model: str) -> dict[str, Any]:
    """Return the row of an assessment, with the zoomed-in reading if there is one by now, or that of a failure."""
    file = path_text(row.photo.name)
    if row.result and row.result.assessment:
        return replace(row.result.assessment, at_full_size=quality).to_row(file)
    return failed_row(file, model, (row.result and row.result.error) or "not scored")


def _diagnosed(row: Row) -> dict[str, Any]:
    """Return the defect of a photo, or that none was found; all empty where nothing may be said."""
    said, card = row.diagnosis, graph_card()
    may_say = said is not None and (row.defect is not None or said.word == NOTHING)
    found = {name: getattr(said, name) if may_say else None for name in _DEFECT_FIELDS}
    return {
        "defect": found.pop("word"),
        **{f"defect_{name}": value for name, value in found.items()},
        "defect_model": card.name if card and said is not None else None,
    }


_TABLES: dict[str, tuple[Callable[[Sequence[dict[str, Any]]], bytes], str]] = {
    "CSV": (to_csv, "text/csv"),
    "JSON": (to_json, "application/json"),
    "Parquet": (to_parquet, "application/vnd.apache.parquet"),
}


def offer(rows: Sequence[Row], passing: Sequence[Row], session_scores: SessionScores, assessor: Assessor) -> None:
    """Offer everything for download; a file is made when it is asked for.

    Args:
        rows: All rows, which the decisions concern.
        passing: Rows that pass the filter, which the tables hold.
        session_scores: Scores of the session.
        assessor: Model that scored.
    """
    decided = [_sorted_photo(row, assessor) for row in rows]
    found = {id(photo): row.photo for photo, row in zip(decided, rows, strict=True)}

    def content(photo: SortedPhoto) -> bytes:
        return session_scores.photos.content(found[id(photo)])

    kept = [photo for photo in decided if photo.decision == Decision.KEEP]
    rejected = [photo for photo in decided if photo.decision == Decision.REJECT]
    with st.popover("Export", icon=":material/download:"), st.container(gap="xsmall"):
        problem, have_distinct_stems = _judge_names(tuple(row.photo.name for row in rows))
        if problem:
            st.error(plain(problem))
            return
        st.markdown(f"**{len(kept)} kept**")
        parts = archives.parts(kept)
        for number, part in enumerate(parts, start=1):
            name = f"kept-{number}.zip" if len(parts) > 1 else "kept.zip"
            size = naturalsize(sum(photo.size for photo in part))
            title = f"Photos to keep{f', part {number} of {len(parts)}' if len(parts) > 1 else ''} (ZIP, {size})"
            _download(
                title,
                lambda part=part: archives.zip_of_photos(part, content),
                name,
                "application/zip",
            )
        if kept:
            _download("List of the kept", lambda: _names(kept), "kept.txt", "text/plain")
        st.markdown(f"**{len(rejected)} rejected**")
        if rejected:
            _download("List of the rejected", lambda: _names(rejected), "rejected.txt", "text/plain")
            _download(
                "Script that moves them (macOS, Linux)",
                lambda: shell_script(decided),
                "move_rejected.sh",
                "application/x-sh",
                help="Run it in the folder that the photos came from. It moves the rejected into a folder of their "
                "own, and back again with the word `back`. It deletes nothing.",
            )
            _download(
                "Script that moves them (Windows)",
                lambda: powershell_script(decided),
                "move_rejected.ps1",
                "text/plain",
                help="For PowerShell, in the folder that the photos came from; `-Back` moves them back.",
            )
        st.markdown("**Stars and labels for other programs**")
        _download(
            "For darktable and digiKam (XMP)",
            lambda: archives.zip_of_sidecars(decided),
            "stars.zip",
            "application/zip",
            help="Unpack it beside the photos. Grades become one to five stars; kept photos are green, rejected ones "
            "red and marked as rejected. Files are named photo.jpg.xmp.",
        )
        if have_distinct_stems:
            _download(
                "For Lightroom and Bridge (XMP)",
                lambda: archives.zip_of_sidecars(decided, SidecarNames.STEM),
                "stars-lightroom.zip",
                "application/zip",
                help="The same, named photo.xmp. Lightroom reads such files beside camera raw photos.",
            )
        st.markdown(f"**Table of {len(passing)} photos**")
        with st.container(horizontal=True):
            for name, (write, kind) in _TABLES.items():
                _download(
                    name,
                    lambda write=write: write(records(passing, session_scores, assessor)),
                    f"metaiqa-scores.{name.lower()}",
                    kind,
                )


def _download(title: str, make: Callable[[], bytes], name: str, kind: str, help: str | None = None) -> None:
    st.download_button(title, make, name, kind, key=f"export_{name}", on_click="ignore", width="stretch", help=help)


def _sorted_photo(row: Row, assessor: Assessor) -> SortedPhoto:
    return SortedPhoto(row.photo.name, row.photo.size, row.decision, row.score, row.word, assessor.card.name)


def _names(photos: Sequence[SortedPhoto]) -> bytes:
    return file_names([{"file": path_text(photo.name)} for photo in photos])


@functools.lru_cache(maxsize=8)
def _judge_names(names: tuple[str, ...]) -> tuple[str, bool]:
    """Return why a name cannot be exported, empty where all can, and whether all differ without their suffixes.

    With each key press the same names are judged again, so that the last answers are kept.
    """
    try:
        stems = {relative_path(name).with_suffix("") for name in names}
    except MetaIQAError as error:
        return str(error), False
    return "", len(stems) == len(names)
