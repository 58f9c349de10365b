"""Averages, ranks, differences and orders against hand-computed truths."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from results_fixtures import measured

from metaiqa_core.results import published, summaries
from metaiqa_core.results.records import Protocol, Published, ResultRecord


def record(method, held_out, value, database="TID2013", metric="srocc", source=None):
    source = source or Published("Table 0", "here")
    return ResultRecord(
        method, database, Protocol.LEAVE_ONE_DISTORTION_OUT, held_out, metric, value, None, None, source
    )


TABLE = pd.DataFrame({"A": [0.9, 0.5, 0.1], "B": [0.8, 0.5, np.nan]}, index=["GB", "AGN", "JPEG"])


def test_repeats_of_a_cell_are_averaged_and_missing_cells_stay_missing():
    records = [record("A", "GB", 0.2), record("A", "GB", 0.4), record("B", "AGN", 0.5), record("B", "nowhere", 0.1)]
    table = summaries.by_type(records, ["AGN", "GB"])
    assert table.loc["GB", "A"] == pytest.approx(0.3)
    assert np.isnan(table.loc["AGN", "A"])
    assert list(table.index) == ["AGN", "GB"]


def test_a_column_with_a_missing_type_has_no_average():
    averages = summaries.averages(TABLE)
    assert averages["A"] == pytest.approx(0.5)
    assert np.isnan(averages["B"])


def test_ties_share_their_rank_and_are_all_best():
    assert summaries.ranks(TABLE).loc["AGN"].tolist() == [1.5, 1.5]
    assert summaries.best(TABLE).sum().to_dict() == {"A": 3, "B": 1}
    summary = summaries.ranking(TABLE, threshold=0.85)
    assert summary.loc["A", "average_rank"] == pytest.approx((1 + 1.5 + 1) / 3)
    assert summary.loc["A", "above"] == 1
    assert summary.loc["B", "measured"] == 2


def test_differences_leave_the_reference_out():
    difference = summaries.differences(TABLE, "B")
    assert list(difference.columns) == ["A"]
    assert difference.loc["GB", "A"] == pytest.approx(0.1)


def test_types_are_sorted_by_id_by_value_and_by_difference():
    assert list(summaries.sort_types(TABLE, "TID2013", "type id", "A").index) == ["AGN", "GB", "JPEG"]
    assert list(summaries.sort_types(TABLE, "TID2013", "value", "A").index) == ["GB", "AGN", "JPEG"]
    assert list(summaries.sort_types(TABLE, "TID2013", "difference", "A", "B").index) == ["GB", "AGN", "JPEG"]
    with pytest.raises(ValueError, match="sort by 'type id', 'value', or 'difference' with a reference, got 'name'"):
        summaries.sort_types(TABLE, "TID2013", "name", "A")


def test_a_correctly_rounded_average_is_never_called_a_misprint():
    # The exact mean 0.33335 rounds either way; a binary float sum would miss it by 1e-17.
    table = pd.DataFrame({"A": [0.3333, 0.3334]})
    for printed, agrees in ((0.3333, True), (0.3334, True), (0.3335, False)):
        assert summaries.check_averages(table, [record("A", None, printed)])["agrees"].tolist() == [agrees]


def test_swapped_pairs_of_later_papers_are_recognised():
    swapped = [
        record("MetaIQA", None, 0.802, "LIVE Challenge", "plcc"),
        record("MetaIQA", None, 0.835, "LIVE Challenge", "srocc"),
        record("MetaIQA", None, 0.887, "KonIQ-10k", "plcc"),
        record("MetaIQA", None, 0.850, "KonIQ-10k", "srocc"),
    ]
    assert summaries.transposed_pairs(swapped, published.authentic()) == [
        "MetaIQA on LIVE Challenge: PLCC 0.802 and SROCC 0.835 are the original's in the other order. "
        "The original prints PLCC first."
    ]


def test_databases_are_arranged_by_metric_with_the_mean_over_seeds():
    records = [
        record("A", None, value, "CID2013", "plcc", measured("run", seed=seed)) for seed, value in ((0, 0.6), (1, 0.8))
    ]
    table = summaries.by_database(records, ["CID2013"], ["plcc", "srocc"])
    assert table.loc["A", ("CID2013", "plcc")] == pytest.approx(0.7)
    assert np.isnan(table.loc["A", ("CID2013", "srocc")])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=1, max_size=8))
def test_ranks_of_a_full_row_always_sum_to_the_same_and_the_best_has_the_lowest(rows):
    table = pd.DataFrame(rows, columns=list("ABC"))
    ranks = summaries.ranks(table)
    assert np.allclose(ranks.sum(axis=1), 6)
    assert summaries.best(table).equals(ranks.eq(ranks.min(axis=1), axis=0))
