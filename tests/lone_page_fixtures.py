"""What the tests of single pages share: a page alone in this process, what it shows, and a folder of runs for it."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).resolve().parents[1] / "pages"


@pytest.fixture(name="runs")
def results_folder(tmp_path, monkeypatch):
    """The folder of the only runs that there are."""
    monkeypatch.setenv("METAIQA_RUNS", str(tmp_path))
    monkeypatch.setattr("metaiqa_core.results.storage.SHIPPED_RUNS", tmp_path / "shipped")
    return tmp_path


def opened_page(name, **parameters):
    page = AppTest.from_file(str(PAGES / name), default_timeout=60)
    for key, value in parameters.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def figures(page):
    return [json.loads(element.proto.spec) for element in page.get("plotly_chart")]


def texts(page):
    kinds = ("markdown", "caption", "warning", "error", "info", "success", "subheader")
    return " ".join(element.value for kind in kinds for element in page.get(kind))
