"""The authentic page, alone and headless: tables, gains, and own runs with their empty states."""

from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
from lone_page_fixtures import figures, opened_page, results_folder, texts  # noqa: F401
from results_fixtures import Protocol, ablation_run, adaptation_run, parameter_run, predictions, repeats_run
from streamlit.testing.v1 import AppTest

from metaiqa_core.models.card import read_card
from metaiqa_core.models.model_files import SHIPPED_MODELS
from metaiqa_core.results import storage
from pages.benchmarks.own_run_views import best_and_worst, repeats_in_words
from pages.benchmarks.shipped_models import OFFICIAL_TEST, on_biq2021
from pages.shared.plain import plain

opened = partial(opened_page, "authentic_databases.py")


def bars(figure):
    return {trace["name"]: dict(zip(trace["y"], trace["text"], strict=True)) for trace in figure["data"]}


def test_methods_are_grouped_and_carry_the_papers_numbers(runs):
    groups = bars(figures(opened())[0])
    assert groups["CNN"]["MetaIQA"] == "0.802"
    assert set(groups["hand-crafted"]) == {"BLIINDS-II", "BRISQUE", "ILNIQE", "CORNIA", "HOSA"}


def test_a_missing_cell_is_shown_as_missing(runs):
    page = opened(database="KonIQ-10k", metric="PLCC")
    (figure,) = figures(page)
    assert "MEON" not in bars(figure)["CNN"]
    assert [note["y"] for note in figure["layout"]["annotations"]] == ["BIECON", "MEON", "DIQA", "NSSADNN"]
    assert {note["text"] for note in figure["layout"]["annotations"]} == {"not reported"}
    assert "8 of 12 published methods report KonIQ-10k" in texts(page)


def test_the_ablation_shows_the_printed_gains(runs):
    page = opened(view="Ablation")
    gains = [note["text"] for note in figures(page)[0]["layout"]["annotations"]]
    assert sorted(gains) == sorted(["+0.057", "+0.054", "+0.034", "+0.059", "+0.055", "+0.034"])


@pytest.mark.parametrize(
    ("view", "command"),
    [("Repeats", "fine-tune"), ("Parameter study", "parameter-study"), ("Adaptation", "adaptation-curve")],
)
def test_without_own_runs_nothing_is_drawn_and_one_command_is_named(runs, view, command):
    page = opened(view=view)
    assert figures(page) == []
    assert [code.value.split()[:4] for code in page.code] == [["python", "-m", "metaiqa_core", command]]


def test_own_repeats_are_distributions_that_open(runs):
    repeats_run(runs, "meta")
    repeats_run(runs, "base", "Baseline", Protocol.ABLATION, 0.7)
    page = opened(view="Repeats")
    boxes, scatter, residuals = figures(page)
    assert {trace["name"] for trace in boxes["data"]} == {"MetaIQA · meta", "Baseline · base"}
    assert all(trace["type"] == "box" for trace in boxes["data"])
    assert scatter["layout"]["title"]["text"] == "Model and people, LIVE Challenge"


def test_long_names_of_repeats_leave_room_for_the_chart(runs):
    repeats_run(runs, "a-run-with-a-name", "A method with a long name")
    names = [trace["name"] for trace in figures(opened(view="Repeats"))[0]["data"]]
    assert names == ["A method with a long<br>name ·<br>a-run-with-a-name"]


def test_own_runs_appear_beside_the_published_methods_and_pairs(runs):
    repeats_run(runs, "meta")
    repeats_run(runs, "ablation-base", "Baseline", Protocol.ABLATION, 0.7)
    repeats_run(runs, "ablation-meta", "MetaIQA", Protocol.ABLATION, 0.8)
    assert "MetaIQA · meta" in bars(figures(opened())[0])["own run"]
    figure = figures(opened(view="Ablation"))[0]
    assert figure["data"][-1]["y"][-2:] == ["LIVE Challenge<br>SROCC, own runs", "LIVE Challenge<br>PLCC, own runs"]


def test_each_run_that_holds_both_methods_is_a_pair_of_its_own(runs):
    for name, base in (("first", 0.6), ("second", 0.7)):
        ablation_run(runs, name, {"Baseline": base, "MetaIQA": base + 0.1})
    figure = figures(opened(view="Ablation"))[0]
    assert sorted(figure["data"][-1]["y"][-4:]) == [
        f"LIVE Challenge<br>{criterion}, {name}" for criterion in ("PLCC", "SROCC") for name in ("first", "second")
    ]


def test_a_gain_says_on_how_many_shared_repeats_it_is_one(runs):
    ablation_run(runs, "mine", {"Baseline": 0.6, "MetaIQA": 0.61, "ImageNet": 0.9})
    lone = replace(storage.read_run(runs / "mine").records[0], method="MetaIQA", value=0.99)
    source = replace(lone.source, seed=7)  # a repeat of one method only
    storage.write_run(runs / "mine", [*storage.read_run(runs / "mine").records, replace(lone, source=source)])
    figure = figures(opened(view="Ablation"))[0]
    gains = [note["text"] for note in figure["layout"]["annotations"]][-2:]
    assert gains == ["+0.010 (3 of 3)"] * 2


def test_runs_without_a_common_split_are_named_rather_than_paired(runs):
    repeats_run(runs, "ablation-base", "Baseline", Protocol.ABLATION, 0.7)
    repeats_run(runs, "ablation-meta", "MetaIQA", Protocol.ABLATION, 0.8)
    whole = storage.read_run(runs / "ablation-meta")
    other = [replace(one, source=replace(one.source, split_hash="another")) for one in whole.records]
    storage.write_run(runs / "ablation-meta", other)
    page = opened(view="Ablation")
    assert all("own runs" not in row for row in figures(page)[0]["data"][-1]["y"])
    assert "MetaIQA and Baseline have no split in common: ablation\\-base, ablation\\-meta." in texts(page)


def test_the_parameter_study_draws_k_and_s_each_over_the_other_fixed(runs):
    parameter_run(runs, "study")
    page = opened(view="Parameter study")
    by_k, by_s = figures(page)
    titles = [figure["layout"]["title"]["text"] for figure in (by_k, by_s)]
    assert titles == ["SROCC over tasks in a mini-batch, k", "SROCC over inner steps, S"]
    assert "study: LIVE Challenge." in texts(page)
    # A line for each of two seeds, the points, and the mean.
    assert [trace["mode"] for trace in by_k["data"]] == ["lines", "lines", "markers", "lines+markers"]


def test_the_name_of_a_study_is_text_and_no_markdown(runs):
    parameter_run(runs, "![x](y)")
    assert "\\!\\[x\\]\\(y\\): LIVE Challenge." in texts(opened(view="Parameter study"))


def test_adaptation_curves_start_from_each_starting_point(runs):
    adaptation_run(runs, "curve")
    (figure,) = figures(opened(view="Adaptation"))
    assert {trace["name"] for trace in figure["data"] if trace.get("name")} == {"MetaIQA prior", "Baseline", "ImageNet"}
    assert figure["layout"]["xaxis"]["type"] == "log"


def test_curves_of_several_runs_can_be_told_apart(runs):
    for name in ("curve", "another", "third"):
        adaptation_run(runs, name)
    (figure,) = figures(opened(view="Adaptation"))
    lines = {
        trace["name"]: trace for trace in figure["data"] if trace.get("mode") == "lines+markers" and "name" in trace
    }
    looks = {name: (line["line"]["color"], line["line"]["dash"]) for name, line in lines.items()}
    assert len(set(looks.values())) == len(looks) == 9
    assert {look[0] for name, look in looks.items() if name.startswith("Baseline")} == {looks["Baseline · third"][0]}
    assert len({look[1] for name, look in looks.items() if name.endswith("third")}) == 1
    markers = {name: line["marker"]["symbol"] for name, line in lines.items()}
    assert len({marker for name, marker in markers.items() if name.endswith("third")}) == 3  # not by colour alone


def test_an_upload_with_the_known_transposition_is_warned_about(runs):
    page = opened()
    content = (
        b"method,database,distortion_type,metric,value\n"
        b"MetaIQA,LIVE Challenge,,plcc,0.802\nMetaIQA,LIVE Challenge,,srocc,0.835\n"
    )
    page.file_uploader(key="my_results").upload("later.csv", content, "text/csv").run()
    assert not page.exception
    assert "the original's in the other order" in texts(page)
    assert bars(figures(page)[0])["yours"] == {"MetaIQA · yours": "0.835"}


def test_shipped_models_stand_below_the_papers_methods_since_they_saw_other_photos(runs):
    page = opened()
    (figure,) = figures(page)
    order = figure["layout"]["yaxis"]["categoryarray"]  # from the bottom up
    shipped = list(bars(figure)["shipped model"])
    assert set(order[: len(shipped)]) == set(shipped)
    assert order[-1] == "MetaIQA"
    assert "a higher number does not make them better" in texts(page)


def test_the_table_of_methods_breaks_long_names_instead_of_cutting_them_off(runs):
    assert not opened().dataframe
    table = opened().table[0].value
    assert plain("mobilenet-metaiqa-livec · measured here") in table.index


def test_names_that_differ_in_their_spaces_alone_are_two_rows_of_a_table():
    def two_rows():
        import pandas as pd

        from pages.benchmarks.widgets import results_table

        results_table(pd.DataFrame({"SROCC": [0.5, 0.6]}, index=["A b", "A  b"]), "results_table", "Two rows.")

    page = AppTest.from_function(two_rows).run()
    assert not page.exception
    assert len(page.table[0].value) == 2


def test_the_scatter_of_repeats_is_that_of_the_method_that_scatters_most(runs):
    repeats_run(runs, "meta")
    repeats_run(runs, "base", "Baseline", level=0.7)
    said = texts(opened(view="Repeats")).replace("\\", "")
    assert "Repeats scatter by a standard deviation of up to" in said
    assert "two single repeats that differ by less may do so by chance" in said


def test_shipped_models_are_rows_beside_table_3_labelled_as_measured_here(runs):
    page = opened()
    rows = bars(figures(page)[0])["shipped model"]
    assert {name for name in rows if name.endswith("measured here")} == set(rows) != set()
    words = texts(page).replace("\\", "")
    assert "measured here: SROCC" in words
    assert "random 80/20 splits" in words
    assert not [name for name in bars(figures(opened(database="CID2013"))[0]) if name == "shipped model"]


@pytest.mark.parametrize("view", ["Methods", "Ablation", "Repeats", "Parameter study", "Adaptation"])
def test_every_chart_says_what_it_shows(runs, view):
    repeats_run(runs, "meta")
    parameter_run(runs, "study")
    adaptation_run(runs, "curve")
    page = opened(view=view)
    sentences = {
        "Methods": "Of the paper's methods, MetaIQA is best on LIVE Challenge with SROCC 0.802",
        "Ablation": "In the paper, MetaIQA is ahead of Baseline in 6 of 6 rows",
        "Repeats": "has the best mean SROCC",
        "Parameter study": "The best mean",
        "Adaptation": "labelled photos,",
    }
    assert sentences[view] in texts(page).replace("\\", "")


def test_adaptation_has_a_second_panel_with_the_gain_over_the_plain_start(runs):
    adaptation_run(runs, "curve")
    (figure,) = figures(opened(view="Adaptation"))
    lower = [trace for trace in figure["data"] if trace.get("yaxis") == "y2"]
    assert len(lower) == 2
    assert figure["layout"]["yaxis2"]["title"]["text"] == "Gain over ImageNet"
    assert figure["layout"]["xaxis2"]["type"] == "log"


def test_uploaded_predictions_are_tested_against_a_run_on_the_same_images(runs):
    repeats_run(runs, "meta")
    page = opened()
    content = predictions(count=60, agreement=0.1).assign(level=0, reference="").to_csv(index=False).encode()
    page.file_uploader(key="my_results").upload("mine.csv", content, "text/csv").run()
    assert not page.exception
    assert "My method (yours) minus MetaIQA · meta: SROCC" in texts(page).replace("\\", "").replace("**", "")


def test_a_repeat_is_opened_by_a_link(runs):
    repeats_run(runs, "meta")
    page = opened(view="Repeats", repeat="MetaIQA · meta, seed 3")
    assert page.selectbox(key="repeat").value == 3


def test_biq2021s_official_test_shows_others_and_the_shipped_model_that_was_judged_there(runs):
    page = opened(view="BIQ2021")
    (figure,) = figures(page)
    groups = bars(figure)
    assert groups["CNN"]["DeepEns"] == "0.792"
    assert groups["hand-crafted"] == {"BRISQUE": "0.603"}
    shipped = {model.records[0].method: model for model in on_biq2021()}
    judged = read_card(SHIPPED_MODELS / "lite0-joint.json").accuracy[OFFICIAL_TEST]
    assert groups["shipped model"] == {"lite0-joint · measured here": f"{judged['srocc']:.3f}"}
    assert judged["n"] == 2000
    assert figure["layout"]["yaxis"]["categoryarray"][-1] == "lite0-joint · measured here", "the same photos: one order"
    assert plain(shipped["lite0-joint"].source) in texts(page)
    assert "training split of 10,000 photos" in texts(page)


def test_a_model_that_was_not_judged_on_biq2021_is_not_shown_there(runs):
    assert [model.records[0].method for model in on_biq2021()] == ["lite0-joint"]


def test_two_parameter_studies_have_no_mean_in_common():
    rows = [("a", 1, 0.5), ("a", 5, 0.6), ("b", 1, 0.8), ("b", 5, 0.7)]
    points = pd.DataFrame(rows, columns=["series", "k", "value"])
    assert best_and_worst(points, "k", "k") == (
        "The best mean SROCC of a, 0.600, is at k = 5; the worst, 0.500, at k = 1. "
        "The best mean SROCC of b, 0.800, is at k = 1; the worst, 0.700, at k = 5."
    )


def test_repeats_are_compared_on_those_that_all_runs_have():
    rows = [("A", seed, 0.8) for seed in range(3)] + [
        ("B", seed, value) for seed, value in enumerate((0.9, 0.9, 0.9, 0.1))
    ]
    values = pd.DataFrame(rows, columns=["label", "seed", "value"])
    assert repeats_in_words(values, "SROCC").startswith(
        "B has the best mean SROCC, 0.900 over 3 repeats that all have "
    )
    apart = values[(values["label"] == "B") | (values["seed"] == 9)]
    assert "over 4 repeats (from 0.100 to 0.900)" in repeats_in_words(apart, "SROCC")
    strangers = pd.DataFrame([("A", 0, 0.8), ("B", 1, 0.9)], columns=["label", "seed", "value"])
    assert repeats_in_words(strangers, "SROCC") == "The runs have no repeat in common, so none is the best of them."
