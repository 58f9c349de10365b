"""The photos as the page draws them: made once, and made anew only where something of a photo has changed."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from metaiqa_core.foreign_text import printable
from pages.scoring import defects
from pages.scoring.reading import Reading
from pages.scoring.rows import Row
from pages.shared.streamlit_internals import media_url


@dataclass
class ShownPhotos:
    """The photos as the page draws them, all but the decisions on them.

    Attributes:
        photos: Entries of the photos as the page shows them, in order.
        version: Name of these photos in this order, a new one whenever any of it changes.
    """

    photos: list[dict[str, Any]] = field(default_factory=list)
    version: str = ""
    _known: dict[str, tuple[tuple[object, ...], dict[str, Any]]] = field(default_factory=dict)

    def update(self, rows: list[Row], urls: dict[str, str]) -> None:
        """Take over what has changed.

        Args:
            rows: Rows to show, in order.
            urls: Addresses of the thumbnails by key; those that are missing are added.
        """
        photos = [self._photo(row, urls) for row in rows]
        if photos != self.photos or not self.version:  # what is one and the same object is compared no further
            self.photos, self.version = photos, secrets.token_hex(8)

    def _photo(self, row: Row, urls: dict[str, str]) -> dict[str, Any]:
        key = row.photo.key
        if key not in urls and row.result and row.result.thumbnail:
            urls[key] = media_url(row.result.thumbnail, f"thumbnail {key}")
        made_of = (row.result, row.diagnosis, row.stack, urls.get(key))
        known = self._known.get(key)
        if known is None or known[0] != made_of:
            known = self._known[key] = made_of, _photo(row, urls)
        return known[1]


def _photo(row: Row, urls: Mapping[str, str]) -> dict[str, Any]:
    key, assessment = row.photo.key, row.result.assessment if row.result else None
    path = PurePosixPath(row.photo.name)
    remark = (row.result.error or "; ".join(assessment.notes if assessment else ())) if row.result else ""
    return {
        "key": key,
        "name": printable(path.name),
        "folder": printable(str(path.parent)) if path.parent.name else "",
        "score": None if row.score is None else f"{row.score:.1f}",
        "status": row.status,
        "sentence": Reading.percentile(assessment) if assessment else (remark if row.result else ""),
        "defect": defects.name(row.defect.word or "") if row.defect else "",
        "why": defects.sentence(row.defect) if row.defect else "",
        "picture": urls.get(key, ""),
        "stack": row.stack,
        "pixels": f"{assessment.width} × {assessment.height}" if assessment else "",
        "remark": remark,
    }
