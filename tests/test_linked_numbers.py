"""Numbers in a link: the same on the other side, short, and judged like a file that anybody may have written."""

import base64
import zlib

import pytest

from metaiqa_core.errors import ResultsError
from metaiqa_core.results import published
from metaiqa_core.results.linked_numbers import LONGEST, csv_from_link, numbers_for_link
from metaiqa_core.results.records import Protocol, ResultRecord, Uploaded
from metaiqa_core.results.uploads import read_upload


def record(method, kind, value, n=None):
    source = Uploaded("mine.csv", 2)
    return ResultRecord(method, "TID2013", Protocol.LEAVE_ONE_DISTORTION_OUT, kind, "srocc", value, None, n, source)


def table_of(method="Mine", rounds=1):
    kinds = [entry.abbreviation for entry in published.distortion_types("TID2013")]
    return [
        record(f"{method} {number}", kind, 0.9 - 0.0137 * place, 125)
        for number in range(rounds)
        for place, kind in enumerate(kinds)
    ]


def packed(content):
    return base64.urlsafe_b64encode(zlib.compress(content)).decode().rstrip("=")


def test_a_table_of_averages_comes_out_of_a_link_as_it_went_in():
    records = table_of("=Größe, 'quoted' <b>")
    text = numbers_for_link(records)
    assert 0 < len(text) <= LONGEST
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    found, problems = read_upload(csv_from_link(text), "mine.csv")
    assert not problems
    assert [(r.method, r.distortion_type, round(r.value, 6), r.n) for r in found] == [
        (r.method, r.distortion_type, round(r.value, 6), r.n) for r in records
    ]


def test_a_table_that_would_make_the_link_too_long_is_not_carried():
    assert numbers_for_link(table_of(rounds=40)) == ""
    assert numbers_for_link([]) == ""


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "not base64 at all!",
        base64.urlsafe_b64encode(b"not deflated").decode(),
        packed(b"method,database\n" * 50)[:-9],
        packed(b"0" * 2**20),
        "A" * (LONGEST + 1),
    ],
    ids=["short", "letters", "not deflated", "cut short", "a bomb", "too long"],
)
def test_damaged_numbers_are_one_sentence(text):
    with pytest.raises(ResultsError, match=r"^The numbers in this link are damaged: ask for the link again, or upload"):
        csv_from_link(text)
