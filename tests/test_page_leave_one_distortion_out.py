"""The leave-one-distortion-out page, alone and headless: every view, the URL, own runs, uploads, damage."""

import base64
import json
import os
import zlib
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
from lone_page_fixtures import figures, opened_page, results_folder, texts  # noqa: F401
from PIL import Image
from results_fixtures import leave_one_out_run, predictions
from streamlit.testing.v1 import AppTest

from metaiqa_core.results import storage
from metaiqa_core.results.records import Protocol
from pages.benchmarks.training_length_view import averages_by_passes
from pages.shared.plain import plain

opened = partial(opened_page, "leave_one_distortion_out.py")


def heat_map_values(figure):
    points = figure["data"][-1]
    return {
        (column, row): shown[1]
        for column, row, shown in zip(points["x"], points["y"], points["customdata"], strict=True)
    }


def test_the_page_opens_with_the_papers_table_and_its_source(runs):
    page = opened()
    (figure,) = figures(page)
    values = heat_map_values(figure)
    assert len(values) == 24 * 7
    assert values[("MetaIQA", "GB")] == "0.9767"
    assert values[("ILNIQE", "Block")] == "-0.1357"
    assert plain("reported in the paper: Zhu et al., CVPR 2020, Table 2, TID2013 AGN, MetaIQA") in texts(page)


def test_without_own_runs_the_page_says_which_command_makes_one(runs):
    page = opened()
    assert [code.value.split()[:4] for code in page.code] == [["python", "-m", "metaiqa_core", "leave-one-out"]]


@pytest.mark.parametrize("view", ["Heat map", "One type", "Ranks", "Differences", "Averages"])
@pytest.mark.parametrize("database", ["TID2013", "KADID-10k"])
def test_every_view_is_reached_by_its_url_and_every_chart_has_a_text(runs, view, database):
    page = opened(view=view, database=database)
    assert page.segmented_control(key="view").value == view
    assert len(figures(page)) == (0 if view == "Averages" else 1)
    for element in page.get("plotly_chart"):
        assert database in element.proto.alt or "MetaIQA" in element.proto.alt
        figure = json.loads(element.proto.spec)
        assert figure["layout"]["title"]["text"]


def test_an_open_cell_shows_the_distortion_at_five_levels(runs):
    page = opened(database="KADID-10k", type="MB: Motion blur")
    captions = [image.caption for element in page.get("image") for image in element.proto.imgs]
    assert captions == ["level 1", "level 2", "level 3", "level 4", "level 5"]
    assert "not an image of KADID-10k" in texts(page)


def test_filters_and_the_open_cell_come_from_the_url(runs):
    page = opened(
        database="KADID-10k", family=["blur", "noise"], sort="value", type="MB: Motion blur", method="BRISQUE"
    )
    rows = figures(page)[0]["data"][0]["y"]
    assert set(rows) == {"GB", "LB", "MB", "WN", "WNCC", "IN", "MN", "Denoise"}
    assert rows[0] == "GB"  # BRISQUE's best of these
    assert [heading.value for heading in page.subheader] == ["MB, BRISQUE"]


def test_nonsense_in_the_url_falls_back_to_the_defaults(runs):
    page = opened(database="ImageNet", view="<script>", family="weather", type="??", versus="nobody")
    assert page.segmented_control(key="database").value == "TID2013"
    assert len(heat_map_values(figures(page)[0])) == 24 * 7


def test_differences_are_shown_against_the_chosen_method(runs):
    page = opened(show="Difference to a method", versus="BRISQUE")
    values = heat_map_values(figures(page)[0])
    assert values[("MetaIQA", "AGN")] == "+0.0117"
    assert ("BRISQUE", "AGN") not in values


def test_the_known_misprints_are_pointed_out(runs):
    assert "BRISQUE and ILNIQE: the printed average is not the mean" in texts(
        opened(view="Averages", database="KADID-10k")
    )
    assert [element.value for element in opened(view="Averages").success] == [
        "Every printed average is the mean of its column."
    ]


def test_ranks_give_the_papers_count(runs):
    said = texts(opened(view="Ranks")).replace("\\", "")
    assert said.count("MetaIQA is best on 19 of 24 types; MN, IN, QN, Block and MS are where it is not.") == 1
    assert "MetaIQA exceeds 0.9 on 15 of 24." in said


def test_differences_name_the_types_in_full(runs):
    rows = figures(opened(view="Differences"))[0]["data"][0]["y"]
    assert "QN Quantisation noise" in rows
    assert "NEPN Non-eccentricity<br>pattern noise" in rows


def test_a_difference_between_two_databases_is_said_to_be_one(runs):
    leave_one_out_run(runs, "mine", database="tid2013-kodak")
    said = texts(opened(view="Differences", method="MetaIQA · mine · tid2013-kodak")).replace("\\", "")
    assert "Measured on different databases (MetaIQA · mine · tid2013-kodak on tid2013-kodak; WaDIQaM-NR on" in said
    assert "different databases" not in texts(opened(view="Differences"))


def test_a_long_title_is_broken_into_lines_that_a_phone_has_room_for(runs):
    leave_one_out_run(runs, "a-run-with-quite-a-name")
    (figure,) = figures(opened(view="Differences", method="MetaIQA · a-run-with-quite-a-name"))
    (short,) = figures(opened(view="Differences", method="HOSA", versus="BRISQUE"))
    assert figure["layout"]["title"]["text"].split("<br>") == [
        "MetaIQA · a-run-with-quite-a-name",
        "minus WaDIQaM-NR, by held-out type",
    ]
    assert "<br>" not in short["layout"]["title"]["text"]
    assert figure["layout"]["margin"]["t"] > short["layout"]["margin"]["t"]


def test_printed_averages_are_a_table_of_words_that_fits_a_phone(runs):
    table = opened(view="Averages", database="KADID-10k").table[0].value
    assert table.loc["BRISQUE"].tolist() == ["0.4136", "0.413652", "-0.000052", "no"]
    assert table.loc["MetaIQA", "Agrees"] == "yes"


def test_significance_is_withheld_for_published_numbers(runs):
    assert "No significance is given" in texts(opened(view="Differences"))


def test_an_own_run_is_a_further_column_with_its_predictions_behind_it(runs):
    leave_one_out_run(runs, "mine")
    page = opened(method="MetaIQA · mine", type="GB: Gaussian blur")
    assert ("MetaIQA · mine", "GB") in heat_map_values(figures(page)[0])
    assert [figure["layout"]["title"]["text"] for figure in figures(page)[1:]] == [
        "Model and people, GB",
        "Residuals, GB",
    ]
    assert plain("measured here: run mine, model abababababab, seed 0, 2026-03-01") in texts(page)
    assert not page.code


def test_runs_that_come_with_the_program_are_shown_after_ones_own(runs):
    leave_one_out_run(runs / "shipped", "theirs", method="Shipped")
    assert {method for method, _ in heat_map_values(figures(opened())[0])} > {"Shipped · theirs"}
    leave_one_out_run(runs, "mine", method="Mine")
    leave_one_out_run(runs, "theirs", method="Replaced")
    page = opened(runs=["mine", "theirs"])
    assert page.multiselect(key="runs").options == ["mine", "theirs"]
    assert {method for method, _ in heat_map_values(figures(page)[0])} > {"Mine · mine", "Replaced · theirs"}
    page = opened(type="AGN: Additive Gaussian noise", method="Mine · mine")
    assert page.get("plotly_chart")


def test_worst_images_are_shown_from_the_databases_folder_and_from_nowhere_else(runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("database") / "images"
    folder.mkdir()
    frame = predictions("AGN")
    for position, name in enumerate(frame["image"]):
        Image.new("RGB", (32, 32), (position, 0, 0)).save(folder / name)
    Image.new("RGB", (32, 32)).save(folder.parent / "secret.bmp")
    leave_one_out_run(runs, "inside", types=1, database_folder=str(folder))
    page = opened(method="MetaIQA · inside")
    shown = [image.caption for element in page.get("image") for image in element.proto.imgs]
    assert len([caption for caption in shown if caption.startswith("people")]) == 5

    run = leave_one_out_run(runs, "outside", types=1, database_folder=str(folder))
    storage.write_run(run.folder, run.records, {"AGN-seed0": frame.assign(image="../secret.bmp")})
    page = opened(method="MetaIQA · outside", runs="outside")
    shown = [image.caption for element in page.get("image") for image in element.proto.imgs]
    assert [caption for caption in shown if caption.startswith("people")] == []


def test_two_own_runs_are_compared_on_the_same_images(runs):
    leave_one_out_run(runs, "good", agreement=0.9, types=2)
    leave_one_out_run(runs, "poor", agreement=0.2, types=2, method="Baseline")
    page = opened(view="Differences", runs=["good", "poor"], method="MetaIQA · good", versus="Baseline · poor")
    assert "2 of 2 leave 0 out" in texts(page)
    assert len(figures(page)[0]["data"][0]["error_x"]["array"]) == 2


def test_a_resynthesis_keeps_its_name_and_is_never_ranked_among_the_originals(runs):
    leave_one_out_run(runs, "kodak", database="tid2013-kodak", agreement=0.99)
    page = opened(view="Ranks")
    assert "a re-synthesis is another database" in texts(page)
    assert "best on 19 of 24 types" in texts(page)
    assert ("MetaIQA · kodak · tid2013-kodak", "GB") in heat_map_values(figures(opened())[0])


def test_a_damaged_run_is_named_and_the_page_still_works(runs):
    leave_one_out_run(runs, "mine", types=1)
    (runs / "broken").mkdir()
    (runs / "broken" / "results.json").write_text("{")
    page = opened()
    assert "broken/results.json is damaged: it is not readable JSON. Run it again." in [e.value for e in page.text]
    assert page.multiselect(key="runs").options == ["mine"]


def test_a_run_whose_records_are_damaged_is_named_when_it_is_chosen(runs):
    leave_one_out_run(runs, "mine", types=1)
    path = runs / "mine" / "results.json"
    path.write_text(path.read_text().replace('"metric": "srocc"', '"metric": "beauty"'))
    page = opened()
    assert plain("mine/results.json is damaged: A metric is one of srocc") in texts(page)
    assert len(heat_map_values(figures(page)[0])) == 24 * 7


def test_changed_predictions_are_an_error_on_the_page_not_a_crash(runs):
    leave_one_out_run(runs, "mine", types=1, agreement=0.35)  # unlike the other tests': the page caches by content
    file = next((runs / "mine" / "predictions").iterdir())
    file.write_bytes(b"nothing")
    page = opened(method="MetaIQA · mine")
    assert [error.value for error in page.error] == [
        plain(f"The predictions {file.name} of the run mine were changed after the run wrote them.")
    ]


def test_uploaded_numbers_become_a_column_marked_as_yours_and_bad_lines_are_explained(runs):
    page = opened()
    content = b"method,database,distortion_type,metric,value\nMine,TID2013,GB,srocc,0.99\nMine,TID2013,XX,srocc,0.5\n"
    page.file_uploader(key="my_results").upload("mine.csv", content, "text/csv").run()
    assert not page.exception
    assert heat_map_values(figures(page)[0])[("Mine · yours", "GB")] == "0.9900"
    assert heat_map_values(figures(page)[0])[("Mine · yours", "AGN")] == "not reported"
    assert any(plain("Line 3: 'XX' is not a distortion type of TID2013") in warning.value for warning in page.warning)


def test_a_run_whose_folder_is_no_utf8_is_shown_under_a_name_that_is(runs):
    leave_one_out_run(runs, os.fsdecode(b"caf\xe9"))
    page = opened()
    assert not page.exception
    assert not page.warning
    assert page.multiselect(key="runs").value == ["caf\\xE9"]


def test_the_picture_says_in_a_sentence_what_it_shows(runs):
    assert "**MetaIQA is best on 19 of 24 types; " in texts(opened())
    words = texts(opened(show="Difference to a method", versus="BRISQUE"))
    assert "MetaIQA is ahead of BRISQUE on" in words.replace("\\", "")


def test_runs_of_different_length_are_joined_to_a_curve_of_the_average(runs):
    def run(name, passes, agreement, **more):
        leave_one_out_run(runs, name, "TID2013", agreement=agreement, image_passes=passes, start="a start", **more)

    page = opened(view="Training length")
    assert "--epochs N" in page.code[0].value
    assert not figures(page)
    run("short", 4800, 0.2)
    run("long", 31200, 0.9)
    run("some types", 96000, 0.9, types=3)
    run("short baseline", 4800, 0.3, method="Baseline")
    page = opened(view="Training length")
    (figure,) = figures(page)
    names = [line["name"] for line in figure["data"] if line["mode"] == "lines+markers"]
    assert names == ["Baseline", "MetaIQA"]
    words = texts(page).replace("\\", "")
    assert "With 4,800 image passes," in words
    assert "From 4,800 to 31,200 image passes, MetaIQA gains" in words
    assert "Measured on TID2013, one point a seed" in words
    found = averages_by_passes([storage.read_run(folder) for folder in runs.iterdir()], ["TID2013"], 24)
    means = found.set_index(["name", "image_passes"])["value"]
    assert list(means.index) == [("Baseline", 4800), ("MetaIQA", 4800), ("MetaIQA", 31200)]
    expected = pd.Series([record.value for record in storage.read_run(runs / "long").records]).mean()
    assert means["MetaIQA", 31200] == pytest.approx(expected)
    assert means["MetaIQA", 31200] > means["MetaIQA", 4800]


def test_runs_that_differ_in_more_than_their_length_are_curves_of_their_own_which_say_what_differs(runs):
    start = "efficientnet_lite0, TensorFlow's ImageNet weights"
    for number, more in enumerate(
        (
            {"start": f"{start}, pooled stages 3, 5, 8", "frozen_stages": 8, "epochs": 13, "image_passes": 31200},
            {"start": f"{start}, pooled stages 3, 5, 8", "frozen_stages": 8, "epochs": 2, "image_passes": 4800},
            {"start": start, "frozen_stages": 5, "epochs": 2, "image_passes": 4800},
        )
    ):
        leave_one_out_run(runs, f"run-{number}", agreement=0.9, **more)
    leave_one_out_run(runs, "copy", "tid2013-kodak", agreement=0.9, image_passes=4800, start=start, frozen_stages=5)
    found = averages_by_passes([storage.read_run(folder) for folder in runs.iterdir()], ["TID2013"], 24)
    counts = found.groupby("series")["image_passes"].agg(list).to_dict()
    assert counts == {
        "MetaIQA · pooled stages 3, 5, 8, frozen stages 8": [4800, 31200],
        f"MetaIQA · {start}, frozen stages 5": [4800],
    }
    (figure,) = figures(opened(view="Training length"))
    assert all(len(line) <= 40 for trace in figure["data"] for line in trace.get("name", "").split("<br>"))


def test_types_have_their_full_names_and_methods_their_authors_on_hover(runs):
    figure = figures(opened())[0]
    labels = [label.replace("<br>", " ") for label in figure["layout"]["yaxis"]["ticktext"]]
    assert labels[:2] == ["AGN Additive Gaussian noise", "ANC Noise more intense in colour components"]
    assert max(label.count("<br>") for label in figure["layout"]["yaxis"]["ticktext"]) == 1
    assert "Mittal, Moorthy and Bovik" in json.dumps(figure["data"][-1]["customdata"])


def test_column_heads_are_one_line_each_and_a_star_says_what_was_measured_elsewhere(runs):
    heads = figures(opened())[0]["layout"]["xaxis"]
    assert heads["ticktext"][-1] == "MetaIQA"
    assert heads["tickangle"] == -50
    leave_one_out_run(runs, "a-run-with-a-rather-long-name-seed-3", database="tid2013-kodak", types=2)
    page = opened()
    heads = figures(page)[0]["layout"]["xaxis"]
    assert heads["ticktext"][-1] == "MetaIQA · a-run-with…me-seed-3*"
    assert heads["tickangle"] == -90
    assert not [head for head in heads["ticktext"] if "<br>" in head]
    assert "* measured on tid2013-kodak, re-synthesised: not TID2013." in texts(page).replace("\\", "")


def upload(page, content, name="mine.csv"):
    page.file_uploader(key="my_results").upload(name, content, "text/csv").run()
    assert not page.exception
    return page


def test_what_was_uploaded_stays_for_the_session_until_it_is_removed(runs):
    page = upload(opened(), b"method,database,distortion_type,metric,value\nMine,TID2013,GB,srocc,0.99\n")
    name, _ = page.session_state["my_results_file"]
    assert name == "mine.csv"
    later = AppTest.from_file(page._script_path, default_timeout=60)
    later.session_state["my_results_file"] = page.session_state["my_results_file"]
    later.run()
    assert ("Mine · yours", "GB") in heat_map_values(figures(later)[0])
    later.button(key="remove_mine").click().run()
    assert ("Mine · yours", "GB") not in heat_map_values(figures(later)[0])


NUMBERS = b"method,database,distortion_type,metric,value\nMine,TID2013,GB,srocc,0.99\n"


def link_of(page):
    """Return the address of a page, as a link that somebody else opens."""
    return {key: page.query_params[key] for key in page.query_params}


def test_a_link_carries_a_small_table_and_says_that_nobody_checked_it(runs, monkeypatch, tmp_path_factory):
    page = upload(opened(), NUMBERS)
    assert "The address of this page carries these numbers" in texts(page)
    link = link_of(page)
    assert link["mine"].endswith(" numbers mine.csv")
    monkeypatch.setenv("METAIQA_CACHE", str(tmp_path_factory.mktemp("another computer")))
    elsewhere = opened(**link)
    assert heat_map_values(figures(elsewhere)[0])[("Mine · yours", "GB")] == "0.9900"
    assert "The columns marked as yours came with this link, from mine.csv" in texts(elsewhere).replace("\\", "")
    elsewhere.button(key="remove_mine").click().run()
    assert ("Mine · yours", "GB") not in heat_map_values(figures(elsewhere)[0])
    assert not {"mine", "numbers"} & set(elsewhere.query_params)


def test_a_link_to_predictions_finds_them_on_this_computer_and_their_averages_elsewhere(
    runs, monkeypatch, tmp_path_factory
):
    content = predictions("AGN").to_csv(index=False).encode()
    link = link_of(upload(opened(), content)) | {"method": ["My method · yours"]}
    again = opened(**link)
    assert "Model and people, AGN" in [figure["layout"]["title"]["text"] for figure in figures(again)]
    assert not again.info
    monkeypatch.setenv("METAIQA_CACHE", str(tmp_path_factory.mktemp("another computer")))
    elsewhere = opened(**link)
    assert ("My method · yours", "AGN") in heat_map_values(figures(elsewhere)[0])
    assert "without the predictions behind them" in texts(elsewhere)
    assert "No per-image predictions were kept for this number." in texts(elsewhere)


def test_a_link_to_a_long_table_asks_for_it_where_it_is_not(runs, monkeypatch, tmp_path_factory):
    rows = "".join(f"Mine {number},TID2013,GB,srocc,{0.123456 + number / 1000}\n" for number in range(400))
    page = upload(opened(), b"method,database,distortion_type,metric,value\n" + rows.encode())
    assert "too many numbers to be carried" in texts(page)
    link = link_of(page)
    assert "numbers" not in link
    monkeypatch.setenv("METAIQA_CACHE", str(tmp_path_factory.mktemp("another computer")))
    [sentence] = [element.value.replace("\\", "") for element in opened(**link).info]
    assert sentence == (
        "This link refers to the table mine.csv, which this computer does not have: upload it to see the comparison."
    )


def test_what_a_link_says_is_text_and_nonsense_in_it_is_a_sentence(runs):
    name = "![x](http://example.org/a.png) <script>"
    page = opened(mine=f"{16 * 'a'} numbers {name}", numbers="nonsense")
    [sentence] = [element.value for element in page.info]
    assert plain(name) in sentence
    assert "The numbers in this link are damaged" in sentence
    assert len(heat_map_values(figures(page)[0])) == 24 * 7
    assert not opened(mine="../../etc/passwd numbers x").info


HUGE = "9" * 5000


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (
            f"method,database,distortion_type,metric,value,n\nA,TID2013,GB,srocc,0.9,{HUGE}\n",
            "the number of images '9999",
        ),
        ("image,mos,predicted\n1001,1,2,3\n", "mine.csv, line 2: it has 4 cells, and the header has 3"),
        ("image,mos,predicted\n", "mine.csv holds no predictions"),
        (f"image,mos,predicted,level\na.png,1,2,{HUGE}\n", "the level is no whole number from 1 to 5"),
    ],
)
def test_a_table_in_a_link_that_cannot_be_read_is_a_sentence_and_the_papers_table_is_drawn(runs, table, sentence):
    numbers = base64.urlsafe_b64encode(zlib.compress(table.encode())).decode().rstrip("=")
    page = opened(mine=f"{16 * 'a'} numbers mine.csv", numbers=numbers)
    assert not page.exception
    assert [shown for shown in (*page.error, *page.warning) if plain(sentence) in shown.value]
    assert len(heat_map_values(figures(page)[0])) == 24 * 7


def test_a_link_shows_the_runs_that_were_shown_though_newer_ones_have_come(runs):
    leave_one_out_run(runs, "first", types=1, method="First")
    link = link_of(opened())
    newer = leave_one_out_run(runs, "newer", types=1, method="Newer")
    storage.write_run(newer.folder, [replace(r, source=replace(r.source, date="2027-01-01")) for r in newer.records])
    assert opened().multiselect(key="runs").value == ["newer"]
    page = opened(**link)
    assert page.multiselect(key="runs").value == ["first"]
    assert not page.info


@pytest.mark.parametrize("parameter", ["runs", "runs_shown"])
def test_a_link_to_a_run_that_is_not_here_says_so_until_somebody_chooses(runs, parameter):
    leave_one_out_run(runs, "mine", types=1)
    page = opened(**{parameter: ["<b>gone</b>", "mine"]})
    [sentence] = [element.value for element in page.info]
    assert sentence == plain("This link shows a run that this computer does not have: <b>gone</b>.")
    page.selectbox(key="sort").set_value("value").run()
    assert page.info
    page.multiselect(key="runs").set_value([]).run()
    assert not page.info


def test_uploaded_predictions_are_a_column_with_a_scatter_plot_and_are_tested_against_runs(runs):
    leave_one_out_run(runs, "good", agreement=0.9, types=2)
    frames = [predictions(kind, agreement=0.2, seed=place) for place, kind in enumerate(("AGN", "ANC"))]
    content = pd.concat(frames).to_csv(index=False).encode()
    page = upload(opened(view="Differences", versus="MetaIQA · good", runs=["good"]), content)
    page.selectbox(key="method").set_value("My method · yours").run()
    assert "2 of 2 leave 0 out" in texts(page)
    page.segmented_control(key="view").set_value("Heat map").run()
    assert "Model and people, AGN" in [figure["layout"]["title"]["text"] for figure in figures(page)]


def test_a_shared_link_opens_the_seed_and_the_runs_too(runs):
    leave_one_out_run(runs, "mine", types=1)
    leave_one_out_run(runs, "other", types=1, method="Other")
    page = opened(runs=["other"], method="Other · other")
    assert page.multiselect(key="runs").value == ["other"]
    assert [heading.value for heading in page.subheader] == ["AGN, Other · other"]


def test_the_ceiling_stands_beside_a_run_and_beside_a_training_that_knew_the_type(runs):
    leave_one_out_run(runs, "mine")
    leave_one_out_run(runs, "knowing", agreement=1, protocol=Protocol.KNOWN_DISTORTION)
    leave_one_out_run(runs, "other", agreement=0, protocol=Protocol.KNOWN_DISTORTION, frozen_stages=3)
    page = opened(view="Ceiling", runs="mine")
    (figure,) = figures(page)
    series = {trace["name"]: trace["x"] for trace in figure["data"]}
    assert set(series) == {"MetaIQA", "knows the type", "level alone", "levels as judged", "level and content"}
    assert min(series["knows the type"]) > 0.999  # not lowered by the run of other settings
    assert len(series["level and content"]) == 24
    assert "(1.000 where it knows the type)" in texts(page).replace("\\", "")


def test_without_a_run_the_ceiling_says_what_to_choose(runs):
    assert "The ceilings are drawn beside a measured run" in texts(opened(view="Ceiling"))
