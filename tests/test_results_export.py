"""CSV and LaTeX of result tables, and the upload of one's own numbers."""

import io

import numpy as np
import pandas as pd
import pytest

from metaiqa_core.errors import ResultsError
from metaiqa_core.results import export, uploads
from metaiqa_core.results.records import Protocol, Uploaded

TABLE = pd.DataFrame({"A_1": [0.91234, -0.5], "B": [0.5, np.nan]}, index=["GB", "50 %"])


def test_csv_keeps_all_digits_and_reads_back():
    text = export.to_csv(TABLE, "type")
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(text), index_col="type"), TABLE, check_names=False)


def test_csv_defuses_what_a_spreadsheet_would_run():
    table = pd.DataFrame({"note": ["=1+1", "fine"]}, index=["@run", "GB"])
    assert export.to_csv(table, "type") == "type,note\n'@run,'=1+1\nGB,fine\n"


def test_latex_sets_the_best_of_each_row_bold_and_escapes_names():
    lines = export.to_latex(TABLE, "type", caption="A & B", label="tab:x", decimals=2).splitlines()
    assert lines[0] == r"% needs \usepackage{booktabs}"
    assert r"\caption{A \& B}" in lines
    assert r"\begin{tabular}{lrr}" in lines
    assert r"type & A\_1 & B \\" in lines
    assert r"GB & \textbf{0.91} & 0.50 \\" in lines
    assert r"50 \% & \textbf{$-0.50$} & -- \\" in lines
    assert lines.index(r"\toprule") < lines.index(r"\midrule") < lines.index(r"\bottomrule")


def test_latex_sets_the_best_of_each_column_bold_or_none():
    by_column = export.to_latex(TABLE, "type", caption="", label="x", best_along="columns")
    assert by_column.count(r"\textbf") == 2
    assert r"\textbf" not in export.to_latex(TABLE, "type", caption="", label="x", best_along=None)


def test_latex_ties_are_all_bold():
    table = pd.DataFrame({"A": [0.5], "B": [0.5]}, index=["GB"])
    assert export.to_latex(table, "type", caption="", label="x").count(r"\textbf{0.500}") == 2


def test_latex_prints_every_row_where_several_have_one_name():
    table = pd.DataFrame({"k": [1, 2, 2], "value": [0.5, 0.75, 0.25]}, index=["S = 6", "S = 6", "S = 7"])
    lines = export.to_latex(table, "series", caption="", label="x", best_along="columns").splitlines()
    printed = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert printed == [
        r"S = 6 & 1 & 0.500 \\",
        r"S = 6 & \textbf{2} & \textbf{0.750} \\",
        r"S = 7 & \textbf{2} & 0.250 \\",
    ]


def test_the_filled_in_template_reads_back():
    lines = uploads.template().splitlines()
    assert lines[0] == "method,database,distortion_type,metric,value,n"
    filled = "\n".join([lines[0], *(line[:-2] + ",0.5,125" for line in lines[1:])])
    records, problems = uploads.read_upload(filled.encode(), "mine.csv")
    assert problems == []
    assert len(records) == 24 + 2
    assert records[0].source == Uploaded("mine.csv", 2)
    assert records[0].protocol == Protocol.LEAVE_ONE_DISTORTION_OUT
    assert records[-1].protocol == Protocol.AUTHENTIC


def test_the_template_as_it_is_holds_no_number():
    with pytest.raises(ResultsError, match="mine.csv holds no line with a value."):
        uploads.read_upload(uploads.template().encode(), "mine.csv")


def test_spreadsheet_habits_are_understood():
    text = "\ufeffMethod;Database;Distortion_Type;Metric;Value\nA;kadid-10K;gb;SROCC;0.5\n"
    records, problems = uploads.read_upload(text.encode(), "mine.csv")
    assert problems == []
    assert (records[0].database, records[0].distortion_type, records[0].metric) == ("KADID-10k", "GB", "srocc")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("A,LIVE,,srocc,0.5,", "Line 3: the database 'LIVE' is not one of TID2013, KADID-10k, CID2013,"),
        ("A,TID2013,LB,srocc,0.5,", "Line 3: 'LB' is not a distortion type of TID2013: AGN, ANC,"),
        ("A,TID2013,,srocc,0.5,", "Line 3: '' is not a distortion type of TID2013: AGN, ANC,"),
        ("A,CID2013,GB,srocc,0.5,", "Line 3: CID2013 has no distortion types; leave the column empty."),
        ("A,TID2013,GB,psnr,0.5,", "Line 3: the metric 'psnr' is not one of srocc, plcc,"),
        ('A,TID2013,GB,srocc,"0,5",', "Line 3: the value '0,5' is not a number; use a point as decimal sign."),
        ("A,TID2013,GB,srocc,nan,", "Line 3: SROCC is a finite number, -1 to 1, got nan."),
        ("A,TID2013,GB,srocc,94.7,", "Line 3: SROCC is a finite number, -1 to 1, got 94.7."),
        (
            "A,TID2013,GB,srocc,0.5,many",
            "Line 3: the number of images 'many' is not a whole number from 1 to 1,000,000,000.",
        ),
        ("A,TID2013,GB,srocc,0.5,0", "Line 3: the number of images '0' is not a whole number from 1 to"),
        ("A,TID2013,GB,srocc,0.5,1000000001", "Line 3: the number of images '1000000001' is not a whole number from"),
        (f"A,TID2013,GB,srocc,0.5,{'9' * 5000}", f"Line 3: the number of images '{'9' * 39} is not a whole number"),
        (
            "A,TID2013,GB,srocc,0,5,125",
            "Line 3: it has 7 cells, and the header has 6: give each column one, a number a point as decimal sign, and "
            "a text that holds ',' quotes.",
        ),
        ("A,TID2013,GB,0.5,125", "Line 3: it has 5 cells, and the header has 6: give"),
        ("A,TID2013,AGN,srocc,0.5,", "Line 3: the same cell was given in line 2 already."),
    ],
)
def test_each_bad_line_gets_its_sentence_and_the_good_ones_stay(line, sentence):
    text = (
        f"method,database,distortion_type,metric,value,n\nA,TID2013,AGN,srocc,0.5,\n{line}\nA,TID2013,ANC,srocc,0.5,\n"
    )
    records, problems = uploads.read_upload(text.encode(), "mine.csv")
    assert [record.distortion_type for record in records] == ["AGN", "ANC"]
    assert len(problems) == 1
    assert problems[0].startswith(sentence)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"a,b\n1,2\n",
            "mine.csv needs the columns method, database, distortion_type, metric, value in its first line, or",
        ),
        (b"", "metric, value are missing."),
        (
            b"method,database,distortion_type,metric,value, Value\n",
            "mine.csv has two columns called value, and only one",
        ),
        (b"\xff\xfe", r"mine.csv is not UTF-8 text \(byte 0\); save it as CSV UTF-8."),
        (b"x" * (2**20 + 1), "mine.csv has 1.0 MiB; a table of results has less than 1 MiB."),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_as_a_whole(content, sentence):
    with pytest.raises(ResultsError, match=sentence):
        uploads.read_upload(content, "mine.csv")


def test_a_table_in_which_a_name_comes_twice_keeps_all_its_rows():
    table = pd.DataFrame({"value": [0.25, 0.75]}, index=["series_1", "series_1"])
    latex = export.to_latex(table, "series", caption="Twice", label="tab:twice", best_along="columns", decimals=2)
    assert [line.strip() for line in latex.splitlines() if line.startswith(r"series\_1")] == [
        r"series\_1 & 0.25 \\",
        r"series\_1 & \textbf{0.75} \\",
    ]


def test_latex_shrinks_to_the_page_where_it_is_larger():
    wide = pd.DataFrame([[0.5] * 14], columns=[f"A method with a long name {number}" for number in range(14)])
    lines = export.to_latex(wide, "type", caption="", label="x").splitlines()
    assert lines[1].startswith(r"% needs \usepackage{adjustbox}")
    box = lines.index(r"\begin{adjustbox}{max width=\textwidth, max totalheight=0.9\textheight}")
    assert lines[box + 1].startswith(r"\begin{tabular}")
    assert lines.index(r"\end{adjustbox}") == lines.index(r"\end{tabular}") + 1
