"""The table that a visitor compares with: kept for the session, named in the address, and found again by a link.

    ?mine=FINGERPRINT KIND NAME     the table: `numbers` or `predictions`, and the name of its file
    ?numbers=TEXT                   its numbers themselves, where they are few enough for an address

A link that is opened on the computer that keeps the table finds all of it. Elsewhere the numbers in the address are
shown, and where there are none, a sentence says what is missing.
"""

import contextlib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from metaiqa_core.errors import ResultsError
from metaiqa_core.results.linked_numbers import csv_from_link, numbers_for_link
from metaiqa_core.results.records import ResultRecord
from metaiqa_core.results.uploaded_predictions import holds_predictions
from pages.shared.browser_session import table_on_this_computer
from pages.shared.photo_library import library

_KEPT, _PARAMETER, _NUMBERS = "my_results_file", "mine", "numbers"
_FINGERPRINT_DIGITS = 16
_NAMED = re.compile(r"([0-9a-f]{16}) (numbers|predictions) (.{1,100})", re.DOTALL)


@dataclass(frozen=True)
class MyTable:
    """A table that a visitor brought, or that a link brought.

    Attributes:
        name: Name of its file.
        content: Bytes of the CSV file.
        origin: Whether it is here whole, or only its numbers came, in a link.
        notice: Sentence on what is missing or where it comes from; empty for none.
    """

    name: str
    content: bytes
    origin: Literal["file", "link"] = "file"
    notice: str = ""


def take(name: str, content: bytes) -> None:
    """Take in a file for this session; the folder of the session keeps it, where there is one."""
    if st.session_state.get(_KEPT) == (name, content):
        return
    st.session_state[_KEPT] = (name, content)
    folder = library().folder
    if folder is not None:
        with contextlib.suppress(OSError):  # a full disk: it stays for this visit
            folder.write("tables", _digest(content), content)


def forget() -> None:
    """Forget the table, also where it came by a link."""
    kept = st.session_state.pop(_KEPT, None)
    if kept and (folder := library().folder):
        folder.remove("tables", _digest(kept[1]))
    for parameter in (_PARAMETER, _NUMBERS):
        st.query_params.pop(parameter, None)


def find() -> MyTable | str:
    """Return the table of this session, or the one that the address names, or the sentence on why there is none.

    The sentence is empty where nobody asked for one.
    """
    if kept := st.session_state.get(_KEPT):
        return MyTable(*kept)
    named = _NAMED.fullmatch(st.query_params.get(_PARAMETER, ""))
    if named is None:
        return ""
    fingerprint, kind, name = named.groups()
    content = table_on_this_computer(fingerprint)
    if content is not None:
        st.session_state[_KEPT] = (name, content)
        return MyTable(name, content)
    missing = f"This link refers to the table {name}, which this computer does not have"
    if numbers := st.query_params.get(_NUMBERS):
        try:
            content = csv_from_link(numbers)
        except ResultsError as error:
            return f"{missing}. {error}"
        less = "" if kind == "numbers" else " without the predictions behind them, which are needed for significance"
        notice = f"The columns marked as yours came with this link, from {name}{less}: nobody checked these numbers."
        return MyTable(name, content, "link", notice)
    return f"{missing}: upload it to see the comparison."


def name_in_address(table: MyTable, records: Sequence[ResultRecord]) -> bool:
    """Name the table in the address, with its numbers where they are few enough; return whether they are."""
    if table.origin == "link":
        return True
    numbers = numbers_for_link(records)
    kind = "predictions" if holds_predictions(table.content) else "numbers"
    named = f"{_digest(table.content)[:_FINGERPRINT_DIGITS]} {kind} {' '.join(table.name.split())[:100]}"
    if st.query_params.get(_PARAMETER) != named:
        st.query_params[_PARAMETER] = named
    if st.query_params.get(_NUMBERS, "") != numbers:
        if numbers:
            st.query_params[_NUMBERS] = numbers
        else:
            st.query_params.pop(_NUMBERS, None)
    return bool(numbers)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
