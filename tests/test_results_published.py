"""The published tables: complete, as printed, and with the two known misprints."""

import pytest

from metaiqa_core.results import published, summaries
from metaiqa_core.results.records import Published


def table2(database):
    rows = [entry.abbreviation for entry in published.distortion_types(database)]
    return summaries.by_type([r for r in published.leave_one_distortion_out() if r.database == database], rows)


@pytest.mark.parametrize(("database", "types"), [("TID2013", 24), ("KADID-10k", 25)])
def test_table_2_has_every_type_and_seven_methods_without_a_gap(database, types):
    table = table2(database)
    assert table.shape == (types, 7)
    assert table.notna().all(axis=None)


@pytest.mark.parametrize("database", ["TID2013", "KADID-10k"])
def test_type_ids_run_from_one_without_a_gap(database):
    entries = published.distortion_types(database)
    assert [entry.id for entry in entries] == list(range(1, len(entries) + 1))
    assert len({entry.abbreviation for entry in entries}) == len(entries)


def test_the_papers_counts_check():
    tid, kadid = table2("TID2013"), table2("KADID-10k")
    assert summaries.best(tid)["MetaIQA"].sum() == 19
    assert summaries.best(kadid)["MetaIQA"].sum() == 19
    assert (tid["MetaIQA"] > 0.9).sum() == 15


def test_the_printed_averages_check_except_for_two_known_misprints():
    wrong = {}
    for database in ("TID2013", "KADID-10k"):
        printed = [record for record in published.printed_averages() if record.database == database]
        assert len(printed) == 7
        check = summaries.check_averages(table2(database), printed)
        wrong |= {(database, method): tuple(row[:2]) for method, row in check[~check["agrees"]].iterrows()}
    assert wrong == {
        ("KADID-10k", "BRISQUE"): (0.4136, pytest.approx(0.413652, abs=1e-9)),
        ("KADID-10k", "ILNIQE"): (0.5528, pytest.approx(0.553132, abs=1e-9)),
    }


@pytest.mark.parametrize(
    ("method", "database", "metric", "value"),
    [
        ("MetaIQA", "LIVE Challenge", "plcc", 0.835),
        ("MetaIQA", "LIVE Challenge", "srocc", 0.802),
        ("MetaIQA", "KonIQ-10k", "plcc", 0.887),
        ("NSSADNN", "CID2013", "plcc", 0.825),
        ("ILNIQE", "CID2013", "srocc", 0.346),
    ],
)
def test_table_3_holds_the_printed_cells(method, database, metric, value):
    found = [r.value for r in published.authentic() if (r.method, r.database, r.metric) == (method, database, metric)]
    assert found == [value]


def test_cells_that_table_3_leaves_empty_are_absent():
    given = {(record.method, record.database) for record in published.authentic()}
    assert len(published.authentic()) == 12 * 6 - 10
    assert ("DistNet-Q3", "CID2013") not in given
    for method in ("BIECON", "MEON", "DIQA", "NSSADNN"):
        assert (method, "KonIQ-10k") not in given


def test_table_4_agrees_with_table_3_about_metaiqa():
    table3 = {(r.database, r.metric): r.value for r in published.authentic() if r.method == "MetaIQA"}
    table4 = {(r.database, r.metric): r.value for r in published.ablation() if r.method == "MetaIQA"}
    assert table4 == table3
    assert len(published.ablation()) == 12


def test_every_published_number_names_its_table_and_cell_and_every_method_is_described():
    records = [*published.leave_one_distortion_out(), *published.authentic(), *published.ablation()]
    assert {record.method for record in records} == set(published.methods())
    for record in records:
        assert isinstance(record.source, Published)
        assert record.method in record.source.cell
    first = published.leave_one_distortion_out()[0]
    assert str(first.source) == "reported in the paper: Zhu et al., CVPR 2020, Table 2, TID2013 AGN, BLIINDS-II"


def test_types_and_families_are_those_of_the_distortion_catalogue():
    from metaiqa_core.distortions import CATALOGUE

    names = {"tid2013": "TID2013", "kadid10k": "KADID-10k"}
    catalogue = [(names[entry.database], entry.id, entry.abbreviation, entry.family) for entry in CATALOGUE]
    shipped = [
        (entry.database, entry.id, entry.abbreviation, entry.family)
        for database in ("KADID-10k", "TID2013")
        for entry in published.distortion_types(database)
    ]
    assert shipped == catalogue


def test_a_resynthesis_shares_the_types_of_what_it_imitates():
    assert published.distortion_types("kadid10k-style") == published.distortion_types("KADID-10k")
    assert published.distortion_types("LIVE Challenge") == ()
