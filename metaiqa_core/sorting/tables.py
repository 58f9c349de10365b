"""Rows of sorted photos as CSV, JSON and Parquet."""

import io
import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from metaiqa_core.results import export

_WHOLE_NUMBERS = ("width", "height", "rating")
_NUMBERS = (
    *("score", "interval_low", "interval_high", "interval_level", "percentile", "score_at_full_size"),
    *("defect_probability", "defect_level", "defect_level_low", "defect_level_high"),
)
_TRUTHS = ("best_of_near_duplicates",)


def to_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return rows as CSV in UTF-8, with the mark that spreadsheets need to see it."""
    return export.to_csv(pd.DataFrame(rows)).encode("utf-8-sig")


def to_json(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return rows as a JSON list."""
    return json.dumps(rows, indent=2, ensure_ascii=False).encode()


def to_parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return rows as Parquet; every column has its type, also where all values are missing."""
    table = pd.DataFrame(rows)
    kinds = {
        **dict.fromkeys(_WHOLE_NUMBERS, "Int64"),
        **dict.fromkeys(_NUMBERS, "Float64"),
        **dict.fromkeys(_TRUTHS, "boolean"),
    }
    table = table.astype({name: kind for name, kind in kinds.items() if name in table.columns})
    texts = [name for name in table.columns if table[name].dtype == object]
    buffer = io.BytesIO()
    table.astype(dict.fromkeys(texts, "string")).to_parquet(buffer, index=False)
    return buffer.getvalue()


def file_names(rows: Sequence[dict[str, Any]]) -> bytes:
    r"""Return the names of the rows' files, one a line, in UTF-8; a line end within a name is written `\n`."""
    return "".join(row["file"].replace("\r", "\\r").replace("\n", "\\n") + "\n" for row in rows).encode()
