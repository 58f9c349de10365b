"""Sentences about tables: they say what the numbers say."""

import pandas as pd
import pytest

from metaiqa_core.results import conclusions, published, summaries


def table(**columns):
    return pd.DataFrame(columns, index=["AGN", "GB", "MN"][: len(next(iter(columns.values())))])


def published_table(database):
    records = [record for record in published.leave_one_distortion_out() if record.database == database]
    return summaries.by_type(records, [entry.abbreviation for entry in published.distortion_types(database)])


def test_of_the_papers_table_the_sentence_names_where_metaiqa_is_not_best():
    values = published_table("TID2013")
    sentence = conclusions.where_best(values, "MetaIQA")
    others = list(values.index[values["MetaIQA"] < values.max(axis=1)])
    assert (
        sentence == f"MetaIQA is best on 19 of 24 types; {', '.join(others[:-1])} and {others[-1]} are where it is not."
    )


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"A": [0.9, 0.9, 0.9], "B": [0.1, 0.2, 0.3]}, "A is best on 3 of 3 types."),
        ({"A": [0.9, 0.9, 0.2], "B": [0.1, 0.2, 0.3]}, "A is best on 2 of 3 types; MN is where it is not."),
        ({"A": [0.1, 0.1, 0.1], "B": [0.9, 0.9, 0.9]}, "A is best on 0 of 3 types; B is best on 3."),
    ],
)
def test_where_a_method_is_best(columns, sentence):
    assert conclusions.where_best(table(**columns), "A") == sentence


def test_many_names_are_counted_and_one_more_is_named():
    assert conclusions.listed(["a"]) == "a"
    assert conclusions.listed(list("abcdef")) == "a, b, c, d, e and f"
    assert conclusions.listed(list("abcdefgh")) == "a, b, c, d, e and 3 others"


def test_what_is_judged_upside_down_is_said():
    assert conclusions.hardest(table(A=[0.9, 0.4, -0.2]), "A") == "It is below 0.5 on MN and GB (MN even upside down)."
    assert conclusions.hardest(table(A=[0.9, 0.8, 0.7]), "A") == "Its lowest is 0.70, on MN."


def test_a_difference_says_how_often_how_much_and_where_not():
    assert conclusions.ahead(pd.Series({"AGN": 0.2, "GB": -0.1}), "A", "B") == (
        "A is ahead of B on 1 of 2 types, by +0.050 on average; most behind on GB (-0.100)."
    )


def test_the_best_of_a_column_and_how_far_the_next_is():
    values = pd.Series({"A": 0.7, "B": float("nan"), "C": 0.8})
    assert conclusions.best_of_column(values, "SROCC", "X") == "C is best on X with SROCC 0.800, 0.100 ahead of A."
    assert conclusions.best_of_column(values[["B"]], "SROCC", "X") == "No method reports SROCC on X."


def test_curves_say_who_leads_at_first_and_at_last():
    rows = [(n, s, v) for n, values in ((10, (0.3, 0.5)), (200, (0.8, 0.7))) for s, v in zip("AB", values, strict=True)]
    points = pd.DataFrame(rows, columns=["n", "series", "value"])
    assert conclusions.curves_end(points, "n", "photos") == (
        "With 10 photos, B is ahead (0.500; A has 0.300); with 200 it is A (0.800; 0.100 above B)."
    )


def test_where_there_is_one_value_alone_nothing_is_said_of_a_last_one():
    points = pd.DataFrame({"series": ["A", "B"], "n": [800, 800], "value": [0.7, 0.6]})
    assert conclusions.curves_end(points, "n", "passes") == ("With 800 passes, A is ahead (0.700; B has 0.600).")


def test_a_series_that_alone_reaches_the_largest_value_is_compared_with_none():
    points = pd.DataFrame({"series": ["A", "B", "A"], "n": [10, 10, 50], "value": [0.7, 0.6, 0.8]})
    assert conclusions.curves_end(points, "n", "photos") == (
        "With 10 photos, A is ahead (0.700; B has 0.600), and it still is with 50 (0.800)."
    )


def test_curves_that_end_alike_are_not_ranked_there():
    points = pd.DataFrame({"series": ["A", "B", "A", "B"], "n": [9, 9, 31, 31], "value": [0.6, 0.5, 0.7254, 0.7250]})
    assert conclusions.curves_end(points, "n", "passes") == (
        "With 9 passes, A is ahead (0.600; B has 0.500); with 31 there is no difference (0.725)."
    )


def test_of_three_curves_the_lowest_is_named():
    points = pd.DataFrame({"series": ["A", "B", "C"] * 2, "n": [2] * 3 + [9] * 3, "value": [3, 2, 1, 4, 6, 5]})
    assert conclusions.curves_end(points, "n", "photos") == (
        "With 2 photos, A is ahead (3.000; the lowest, C, has 1.000); with 9 it is B (6.000; 2.000 above the lowest)."
    )


def test_the_longest_curves_say_what_their_last_step_gave_on_the_seeds_of_both_ends():
    rows = [("A", 0, 800, 0.5), ("A", 0, 4800, 0.6), ("B", 0, 800, 0.9), ("C", 0, 800, 0.7), ("C", 0, 4800, 0.68)]
    rows += [("C", 1, 800, 0.1), ("D", 0, 100, 0.1), ("D", 0, 800, 0.3)]
    points = pd.DataFrame(rows, columns=["series", "seed", "n", "value"])
    assert conclusions.last_gain(points, "n", "passes") == (
        "From 800 to 4,800 passes, A gains 0.100 and C loses 0.020."
    )
    assert conclusions.last_gain(points[points["series"] == "B"], "n", "passes") == ""
