"""A real browser on the leave-one-distortion-out page: clicks open cells, charts are saved, nothing goes outside."""

from urllib.parse import parse_qs, urlparse

import pytest
from browser import chromium, running_app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    with running_app("pages/leave_one_distortion_out.py", METAIQA_RUNS=str(runs)) as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture
def page(address, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1100}, accept_downloads=True)
    yield opened(context, address)
    context.close()


@pytest.fixture
def phone(address, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    yield opened(context, address)
    context.close()


def opened(context, address):
    page = context.new_page()
    page.outside = []
    page.on("request", lambda request: page.outside.append(request.url) if leaves(request.url, address) else None)
    page.set_default_timeout(60_000)
    page.goto(address)
    page.wait_for_selector(".js-plotly-plot .heatmaplayer image")
    idle(page)
    return page


def leaves(url, address):
    return not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))


def idle(page):
    page.wait_for_selector('[data-testid=stApp][data-test-script-state="notRunning"]')


def centre_of(page, column, row):
    """Return where the middle of a cell is on the screen, once nothing above it moves any more."""
    now, before = place_of(page, column, row), None
    while now != before:
        page.wait_for_timeout(200)
        now, before = place_of(page, column, row), now
    return now


def place_of(page, column, row):
    """Return where the middle of a cell is on the screen, from Plotly's own axes."""
    return page.evaluate(
        """([column, row]) => {
            const plot = document.querySelector('.js-plotly-plot');
            const {xaxis, yaxis} = plot._fullLayout;
            plot.scrollIntoView({block: 'center'});
            const box = plot.getBoundingClientRect();
            const x = xaxis._offset + xaxis.c2p(xaxis._categories.indexOf(column));
            const y = yaxis._offset + yaxis.c2p(yaxis._categories.indexOf(row));
            return [box.left + x, box.top + y];
        }""",
        [column, row],
    )


def test_a_click_anywhere_in_a_cell_opens_it_and_the_url_names_it(page):
    x, y = centre_of(page, "BRISQUE", "JPEG")
    page.mouse.click(x + 7, y - 6)  # off centre: the whole cell is the target
    page.get_by_role("heading", name="JPEG, BRISQUE").wait_for()
    page.get_by_text("0.5186").first.wait_for()
    page.wait_for_url("**method=BRISQUE**")
    assert parse_qs(urlparse(page.url).query)["type"] == ["JPEG: JPEG compression"]

    x, y = centre_of(page, "HOSA", "CCS")
    page.mouse.click(x, y)  # a second click on another cell works as well
    page.get_by_role("heading", name="CCS, HOSA").wait_for()

    page.reload()  # the URL alone brings the same cell back
    page.get_by_role("heading", name="CCS, HOSA").wait_for()
    assert page.outside == []


def test_one_tap_opens_a_cell_on_a_phone(phone):
    phone.touchscreen.tap(*centre_of(phone, "HOSA", "JPEG"))
    phone.get_by_role("heading", name="JPEG, HOSA").wait_for()


def test_charts_are_saved_as_image_and_as_a_page_that_needs_no_network(page, tmp_path):
    page.mouse.move(*centre_of(page, "BRISQUE", "JPEG"))
    with page.expect_download() as download:
        page.locator(".modebar-btn").first.click()
    download.value.save_as(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")

    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Chart as HTML").click()
    download.value.save_as(tmp_path / "chart.html")
    saved = page.context.new_page()
    requested = []
    saved.on("request", lambda request: requested.append(request.url))
    saved.goto((tmp_path / "chart.html").as_uri())
    saved.wait_for_selector(".heatmaplayer image")
    assert [url for url in requested if url.startswith("http")] == []
    assert page.outside == []
