"""A model as one file to take along: its weights and its card in a ZIP archive."""

import io
import zipfile
from pathlib import Path


def as_zip(weights: Path) -> bytes:
    """Return a ZIP archive of a weights file and the card beside it, under their own names.

    Raises:
        OSError: If one of them cannot be read.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # weights do not get smaller
        for file in (weights, weights.with_suffix(".json")):
            archive.write(file, file.name)
    return buffer.getvalue()
