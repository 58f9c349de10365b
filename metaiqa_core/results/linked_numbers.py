"""A small table of results as a part of an address, so that a link shows it on other computers too.

The text is the URL-safe base64 of the deflated CSV that `uploads` reads. Anybody can write a link, so what it brings is
judged there as strictly as a file that somebody uploads.
"""

import base64
import binascii
import csv
import io
import zlib
from collections.abc import Sequence

from metaiqa_core.errors import ResultsError
from metaiqa_core.foreign_text import csv_text
from metaiqa_core.results.records import ResultRecord
from metaiqa_core.results.uploads import COLUMNS

LONGEST = 1500
"""Largest number of characters that numbers may have in an address."""
_LARGEST = 2**16
"""Largest size of the CSV in an address, bytes: deflated text may promise far more than it needs."""


def numbers_for_link(records: Sequence[ResultRecord]) -> str:
    """Return records as text for an address; empty where there are none, or where it would get too long.

    Args:
        records: Numbers to carry; their values are rounded to six digits.
    """
    if not records:
        return ""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in records:
        kind, value = record.distortion_type or "", f"{record.value:.6g}"
        writer.writerow([csv_text(record.method), record.database, kind, record.metric, value, record.n or ""])
    text = base64.urlsafe_b64encode(zlib.compress(buffer.getvalue().encode(), 9)).decode().rstrip("=")
    return text if len(text) <= LONGEST else ""


def csv_from_link(text: str) -> bytes:
    """Return the CSV table that `numbers_for_link` wrote into an address.

    Raises:
        ResultsError: If the text is damaged, or longer than such a text can be.
    """
    damaged = ResultsError("The numbers in this link are damaged: ask for the link again, or upload the table.")
    if len(text) > LONGEST:
        raise damaged
    try:
        deflated = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        inflating = zlib.decompressobj()
        content = inflating.decompress(deflated, _LARGEST)
    except (binascii.Error, ValueError, zlib.error):
        raise damaged from None
    if not inflating.eof:
        raise damaged
    return content
