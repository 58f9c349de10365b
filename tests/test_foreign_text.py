"""Foreign text in a terminal and in CSV: harmless there, and what was written can be had back."""

import csv
import io
import os

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from results_fixtures import leave_one_out_run

from metaiqa_core.commands.output import as_csv, as_table, say
from metaiqa_core.databases.reading import read_database
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.foreign_text import about_file, csv_text, path_from_text, path_text, printable, text_from_csv
from metaiqa_core.progress import Progress, finish
from metaiqa_core.results import export, uploads
from metaiqa_core.results.run_log import read_metrics, recorded
from metaiqa_core.results.storage import find_runs, read_run

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "=cmd|' /C calc'!A0"]
NOT_UTF8 = b"caf\xe9"
RUN_BY_SPREADSHEETS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


@given(st.text(alphabet=st.one_of(st.sampled_from("'=+-@\t\r\n a"), st.characters(exclude_categories=["Cs"]))))
def test_text_comes_back_from_csv_as_it_was_and_is_no_formula_there(text):
    assert not csv_text(text).startswith(RUN_BY_SPREADSHEETS)
    assert text_from_csv(csv_text(text)) == text


@pytest.mark.parametrize("text", FORMULAS)
def test_terminal_and_page_write_one_text_alike_into_csv(text):
    in_terminal = as_csv([{text: text}], [text])
    on_page = export.to_csv(pd.DataFrame([{text: text}]))
    for written in (in_terminal, on_page):
        header, row = csv.reader(io.StringIO(written, newline=""))
        assert header == row == [csv_text(text)]


def test_row_names_and_names_of_columns_are_no_formulas_either():
    table = pd.DataFrame([[1.0, "=2"]], index=["=row"], columns=pd.MultiIndex.from_tuples([("=a", "b"), ("c", "=d")]))
    assert export.to_csv(table, "=rows") == "'=rows,'=a b,c =d\n'=row,1.0,'=2\n"
    assert list(export.harmless(table).columns) == [("'=a", "b"), ("c", "'=d")]


def test_a_method_that_was_exported_is_uploaded_under_its_own_name():
    content = f"{','.join(uploads.COLUMNS)}\n{csv_text('=mine')},LIVE Challenge,,srocc,0.5,\n"
    records, problems = uploads.read_upload(content.encode(), "mine.csv")
    assert [record.method for record in records] == ["=mine"]
    assert problems == []


@pytest.mark.parametrize("name", ["=1+1.jpg", "@x.jpg", "plain.jpg", "caf\udce9.jpg", "a\\x41.jpg"])
def test_a_path_in_a_table_names_the_same_file_again(name):
    written = path_text(name)
    assert csv_text(written) == written
    assert path_from_text(written).name == name


def test_a_table_in_latex_is_one_line_a_row_whatever_the_names_are():
    table = pd.DataFrame({"a\n\nb": [0.5]}, index=["x\n\\input{y}"])
    written = export.to_latex(table, "row", caption="c", label="tab:x}\\input{y")
    assert r"\input" not in written.replace(r"\textbackslash{}input", "")
    assert r"\label{tab:x--input-y}" in written
    assert "a b" in written


@given(st.text())
def test_a_terminal_is_shown_no_control_character(text):
    shown = printable(text)
    assert all(one.isprintable() or one.isspace() for one in shown)
    assert not set(shown) & {chr(code) for code in (*range(32), *range(127, 160), 0x202E, 0x2066)}


def test_what_commands_tell_and_tables_in_a_terminal_hold_no_escape_sequence(capsys):
    say("wrote \x1b[31m\nred.png")
    assert capsys.readouterr().err == "wrote \\x1b[31m\\nred.png\n"
    assert "\x1b" not in as_table([["\x1b[2Jx"]], ["\x1b]0;title\x07"])


def test_an_option_that_no_command_has_is_quoted_without_its_escape_sequences(run):
    status, _, told = run("models", "list", "--\x1b[31m")
    assert status == 2
    assert "\x1b" not in told
    assert "\\x1b[31m" in told


def test_the_curves_of_a_run_give_back_names_that_look_like_formulas_and_names_that_are_no_utf8(tmp_path):
    def work():
        yield Progress("learning =1+1", 1, 1, {"loss": 0.5}, place="=cmd|' /C calc'!A0", number=1, places=1)
        yield Progress("@stage", 1, 1, {"loss": 0.25}, place=f"start {os.fsdecode(NOT_UTF8)}", number=1, places=1)

    finish(recorded(work(), tmp_path))
    with (tmp_path / "metrics.csv").open(newline="", encoding="utf-8") as file:
        assert not any(cell.startswith(RUN_BY_SPREADSHEETS) for row in csv.reader(file) for cell in row)
    metrics = read_metrics(tmp_path)
    assert list(metrics["stage"]) == ["learning =1+1", "@stage"]
    assert list(metrics["place"]) == ["=cmd|' /C calc'!A0", "start caf\\xE9"]


@pytest.mark.parametrize("name", ["=1+1.png", "-2.png", os.fsdecode(b"caf\xe9.png"), "'=a.png"])
def test_a_table_of_images_finds_those_whose_names_it_had_to_write_otherwise(tmp_path, name):
    for number, file in enumerate((name, "plain.png")):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(tmp_path / file)
    cells = [csv_text(path_text(name)), "plain.png"]
    table = "\n".join(["image,mos", *(f"{cell},{50 + number}" for number, cell in enumerate(cells))])
    (tmp_path / "mine.csv").write_text(f"{table}\n", encoding="utf-8")
    database = read_database(tmp_path / "mine.csv")
    assert [image.path.name for image in database] == [name, "plain.png"]


def test_a_run_in_a_folder_whose_name_is_no_utf8_is_read_under_a_name_that_is(tmp_path):
    run = RunFolder(tmp_path / os.fsdecode(NOT_UTF8))
    assert run.name == "caf\\xE9"
    assert path_from_text(run.name).name == run.folder.name
    leave_one_out_run(tmp_path, run.folder.name)
    (found,), problems = find_runs(tmp_path)
    assert (found.name, problems) == ("caf\\xE9", [])
    assert {record.source.run for record in read_run(found.folder).records} == {"caf\\xE9"}


def test_the_reason_of_a_failure_names_its_file_once():
    assert about_file("trip/cut.jpg", "cut.jpg is damaged.") == "trip/cut.jpg is damaged."
    assert about_file("cut.jpg", "cut.jpg is damaged.") == "cut.jpg is damaged."
    assert about_file("trip/cut.jpg", "It is damaged.") == "trip/cut.jpg: It is damaged."
