"""The About page tells what the card says, and says so where the card is silent."""

import json
from dataclasses import replace

import pytest
from page_fixtures import ROOT, tiny_default  # noqa: F401
from streamlit.testing.v1 import AppTest

from metaiqa_core.models.card import read_card
from metaiqa_core.models.model_files import DEFAULT_MODEL
from pages.shared import model_card
from pages.shared.plain import plain

pytestmark = pytest.mark.usefixtures("tiny_default")


def opened(through_app=False):
    if through_app:
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        page.switch_page("pages/about.py").run()
    else:
        page = AppTest.from_file(str(ROOT / "pages" / "about.py"), default_timeout=120).run()
    assert not page.exception
    return page


def texts(page):
    return "\n".join(element.value for element in [*page.markdown, *page.subheader, *page.caption])


@pytest.mark.parametrize("through_app", [False, True], ids=["alone", "in the app"])
def test_the_card_is_shown_with_its_data_and_its_licence(through_app):
    page = opened(through_app)
    assert plain("Random weights for tests.") in texts(page)
    assert "Model card: tiny" in texts(page)
    assert "Nowhere." in texts(page)
    assert "score ± 12.5 points" in texts(page)


def test_a_card_without_measurements_says_so():
    page = opened()
    assert not page.metric
    assert "Not measured: read this model's scores with care." in texts(page)


def test_measured_accuracy_comes_with_its_spread_and_its_protocol(tiny_default):  # noqa: F811
    path = tiny_default / f"{DEFAULT_MODEL}.json"
    accuracy = {"protocol": "repeated splits", "srocc_mean": 0.8234, "srocc_std": 0.0151, "plcc_mean": 0.856}
    accuracy["coverage"] = {"BIQ2021": 0.871, "held_out": 0.9274193548387096}
    path.write_text(replace(read_card(path), name="measured", accuracy=accuracy).to_json(), encoding="utf-8")
    weights = path.with_suffix(".safetensors")
    weights.write_bytes(weights.read_bytes())  # a newer file: the cached model must not be taken for this one
    page = opened()
    assert {metric.label: metric.value for metric in page.metric} == {"SROCC": "0.823 ± 0.015", "PLCC": "0.856"}
    shown = page.table[0].value["measured here"]
    assert shown["protocol"] == "repeated splits"
    assert shown["coverage"].replace("\\", "") == "BIQ2021 0.871, held out 0.9274"


def test_the_tour_shows_a_task_the_steps_as_they_move_and_the_papers_result():
    page = opened()
    assert "**Task: Gaussian blur**" in texts(page)
    assert "MetaIQA is best on 19 of 24 types" in texts(page)
    assert "MetaIQA is best on 19 of 25 types" in texts(page)
    figure = json.loads(page.get("plotly_chart")[-1].proto.spec)
    assert len(figure["frames"]) == 8 * (2 * 6 + 2)
    assert "times less error after S steps" in texts(page)


def test_the_settings_of_the_toy_are_computed_anew():
    page = opened()
    page.slider(key="toy_steps").set_value(1)
    page.slider(key="toy_tasks").set_value(1).run()
    assert not page.exception
    figure = json.loads(page.get("plotly_chart")[-1].proto.spec)
    assert len(figure["frames"]) == 8 * (2 * 1 + 2)
    page.slider(key="toy_moment_32").set_value(2).run()
    assert plain("Mini-batch 1 of 8: each task steps towards its support set, 1 of 1") in texts(page)


def test_the_tour_leads_to_table_2(monkeypatch):
    page, asked = opened(), []
    monkeypatch.setattr("streamlit.switch_page", asked.append)
    page.button(key="tour_to_table").click().run()
    assert asked == ["pages/leave_one_distortion_out.py"]


def test_the_recipe_of_a_card_is_shown_as_code_with_what_would_reorder_text_written_out(tiny_default):  # noqa: F811
    path = tiny_default / f"{DEFAULT_MODEL}.json"
    path.write_text(replace(read_card(path), recipe={"command": "fine-tune\u202e größer"}).to_json(), encoding="utf-8")
    weights = path.with_suffix(".safetensors")
    weights.write_bytes(weights.read_bytes())
    shown = next(code.value for code in opened().code if '"recipe"' in code.value)
    assert json.loads(shown.replace(r"\u202e", ""))["recipe"] == {"command": "fine-tune größer"}
    assert r"\u202e" in shown


def test_the_card_names_its_measurements_as_people_write_them():
    assert model_card.name_of_measurement("srocc_by_split") == "SROCC by split"
    assert model_card.name_of_measurement("n_test") == "test photos"
    assert model_card.name_of_measurement("held_out_of_BIQ2021") == "held out of BIQ2021"
