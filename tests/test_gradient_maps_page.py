"""The gradient maps page, headless, alone and in the app's frame: a map at once, its evidence, and nothing twice."""

import io
import json
import re

import numpy as np
import pytest
from page_fixtures import ROOT, cat_jpeg, jpeg, tiny_default  # noqa: F401
from PIL import Image
from skimage import data
from streamlit.testing.v1 import AppTest

from metaiqa_core.assess import Assessor
from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain import measured
from metaiqa_core.explain.measured import Localisation
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.explain.overlay import overlay
from metaiqa_core.explain.passes import PassTimes
from metaiqa_core.images import decode
from pages.maps import charts, computing, downloads, evidence, examples, methods, pace, photo_maps, view
from pages.maps.chosen_photo import DISPLAY_SIDE, MapPhoto
from pages.maps.layers import layers_of
from pages.shared import long_work, previews, samples
from pages.shared.palette import LIGHT
from pages.shared.photo_library import PhotoLibrary

pytestmark = pytest.mark.usefixtures("tiny_default")
PAGE = ROOT / "pages" / "gradient_maps.py"


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Whether a method counts as quick must not depend on how busy this machine is."""
    monkeypatch.setattr(computing, "AT_ONCE_SECONDS", 1e9)


def opened(entry=PAGE, **state):
    page = AppTest.from_file(str(entry), default_timeout=120)
    for name, value in state.items():
        page.session_state[name] = value
    page.run()
    if entry != PAGE:
        page.switch_page("pages/gradient_maps.py").run()
    assert not page.exception
    return page


@pytest.fixture(autouse=True)
def maps(monkeypatch):
    """Returns the maps that the page looked at last."""
    found = []
    real = photo_maps.maps_of

    def watched(*arguments):
        found.append(real(*arguments))
        return found[-1]

    monkeypatch.setattr(photo_maps, "maps_of", watched)
    return lambda page: found[-1]


def finished(page, name):
    """Go on until work is done; a browser's timer does this by itself."""
    for _ in range(200):
        page.run()
        assert not page.exception
        if f"work_{name}" not in page.session_state:
            return page
    raise AssertionError(f"{name} never ends")


def texts(page):
    return "\n".join(element.value for element in [*page.markdown, *page.caption, *page.warning, *page.error])


@pytest.fixture
def calls(monkeypatch):
    """The methods that were computed, in order."""
    found = []
    real = computing.gradient_map

    def counted(*arguments, **options):
        found.append(options["method"])
        return real(*arguments, **options)

    monkeypatch.setattr(computing, "gradient_map", counted)
    return found


@pytest.mark.parametrize("entry", [PAGE, ROOT / "app.py"], ids=["alone", "in the app"])
def test_a_map_of_a_sample_is_there_at_once(maps, entry):
    page = opened(entry)
    assert page.title[0].value == "Gradient maps"
    [found] = maps(page).maps.values()
    score = Assessor.load().assess(samples.content(samples.NAMES[0])).score
    assert maps(page).assessment.score == score, "the same number as on every other page"
    assert np.abs(found.model_map).max() > 0
    assert any(f">{score:.1f}<" in element.proto.body for element in page.get("html"))
    assert len(page.get("plotly_chart")) >= 1
    assert not page.error


def test_the_photo_opened_on_the_score_page_is_the_one_explained(maps, cat_jpeg):  # noqa: F811
    photos = PhotoLibrary()
    photos.add("other.jpg", jpeg(data.coffee()))
    cat = photos.add("cat.jpg", cat_jpeg)
    page = opened(photo_library=photos, opened=cat.key)
    assert page.selectbox(key="maps_photo").value == cat.key
    assert maps(page).photo.name == "cat.jpg"


def test_opacity_frames_and_colours_compute_nothing_again(calls):
    page = opened()
    page.multiselect(key="maps_compared").set_value(["grad-cam"]).run()
    before = list(calls)
    assert len(before) == 2
    page.slider(key="maps_opacity").set_value(20).run()
    page.toggle(key="maps_framed").set_value(False).run()
    page.segmented_control(key="maps_colours").set_value("Strength").run()
    assert calls == before
    assert not page.exception


@pytest.mark.parametrize("mode", ["magnitude", "signed"])
def test_what_a_browser_blends_is_the_overlay_of_the_core(mode):
    pixels = data.chelsea()
    values = np.random.default_rng(0).normal(size=pixels.shape[:2]).astype(np.float32)
    photo, grey, strongest = layers_of(pixels, values, mode, DISPLAY_SIDE)
    np.testing.assert_array_equal(photo, overlay(pixels, values, opacity=0, mode=mode))
    for opacity in (0.05, 0.35, 0.7):
        blended = Image.blend(grey.convert("RGB"), strongest, opacity)  # as a browser does
        expected = overlay(pixels, values, opacity=opacity, mode=mode).astype(int)
        assert np.abs(np.asarray(blended).astype(int) - expected).max() <= 3


def test_a_slow_method_waits_for_its_button_and_can_be_cancelled(maps, monkeypatch, calls):
    monkeypatch.setattr(long_work, "SLICE", 0.0)  # one step a slice
    monkeypatch.setattr(computing, "AT_ONCE_SECONDS", 0.0)
    page = opened()
    first = maps(page).maps.copy()
    page.selectbox(key="maps_method").set_value("occlusion").run()
    assert "occlusion" not in calls
    button = page.button(key="start_maps")
    assert button.label.startswith("Compute Occlusion (")
    button.click().run()
    assert calls[-1] == "occlusion"
    page.button(key="cancel_maps").click().run()
    assert "work_maps" not in page.session_state
    assert maps(page).maps == first, "what was there stays, and nothing half done is added"
    page.button(key="start_maps").click().run()
    finished(page, "maps")
    assert maps(page).found(["occlusion"])
    assert not any(button.key == "start_maps" for button in page.button)


def test_a_method_that_fails_is_one_sentence_and_the_others_stay(maps, monkeypatch):
    real = computing.gradient_map

    def failing(*arguments, **options):
        if options["method"] == "grad-cam":
            raise ExplanationError("This network has no feature maps: choose another method.")
        return real(*arguments, **options)

    monkeypatch.setattr(computing, "gradient_map", failing)
    page = opened()
    page.multiselect(key="maps_compared").set_value(["grad-cam", "gradient-x-input"]).run()
    assert len(page.error) == 1
    assert "This network has no feature maps" in page.error[0].value
    assert {found.method for found in maps(page).found(list(METHODS))} == {"saliency", "gradient-x-input"}


def test_an_unreadable_photo_is_one_sentence_and_the_page_goes_on(maps, cat_jpeg):  # noqa: F811
    photos = PhotoLibrary()
    broken, cat = photos.add("cut.jpg", cat_jpeg[:3000]), photos.add("cat.jpg", cat_jpeg)
    page = opened(photo_library=photos, opened=broken.key)
    assert "is damaged or cut off and cannot be decoded" in page.error[0].value
    page.selectbox(key="maps_photo").set_value(cat.key).run()
    assert not page.error
    assert maps(page).found(list(METHODS))


def test_both_checks_run_behind_their_buttons_and_say_what_they_mean():
    page = opened()
    page.button(key="start_deletion").click().run()
    finished(page, "deletion")
    page.button(key="start_randomisation").click().run()
    finished(page, "randomisation")
    verdicts = [text for text in texts(page).splitlines() if text.startswith("**The map ")]
    assert len(verdicts) == 2


def test_a_check_says_how_long_it_takes_before_it_starts(maps):
    page = opened()
    for kind in (pace.DELETION, pace.RANDOMISATION):
        [expected] = [button.label for button in page.button if button.key == f"start_{kind}"]
        assert re.search(r"\((under 1 second|about .*)\)$", expected)


def test_the_time_of_a_method_is_that_of_its_passes_on_this_machine(maps, monkeypatch):
    monkeypatch.setattr(pace, "_pace", dict)
    monkeypatch.setattr(pace, "_noted", dict)
    page = opened()
    found = maps(page)
    width, height = found.found(list(METHODS))[0].input_size
    times = PassTimes(forward=1 / (width * height), gradient=3 / (width * height))  # a second and three
    monkeypatch.setattr(pace, "_pace", lambda: {found.key[1]: (times, 0.5 / (width * height))})
    assert pace.expected_seconds("integrated-gradients", found) == pytest.approx(9 * 1 + 48 * 3)
    assert pace.expected_seconds("saliency", found) == pytest.approx(3, rel=0.3)
    assert pace.expected_seconds_of_check(pace.RANDOMISATION, "saliency", found) == pytest.approx(6, rel=0.3)
    assert pace.expected_seconds_of_check(pace.DELETION, "saliency", found) == pytest.approx(110 * 0.5)
    monkeypatch.setattr(pace, "_noted", lambda: {(found.key[1], "saliency"): 4 / (width * height)})
    assert pace.expected_seconds("saliency", found) == pytest.approx(4), "the last map's time is the best estimate"


def test_methods_stand_in_the_order_of_their_reliability_and_the_uninformative_are_marked(monkeypatch):
    lows = {"deeplift": 1.8, "grad-cam": 0.7, "hirescam": 1.2}

    def measured_of(model, key, **options):
        if key not in lows:
            return None
        return Localisation(key, "all", 20, lows[key] + 0.5, lows[key], lows[key] + 1, model, "", 0, "2026-01-01")

    for module in (measured, methods, evidence):
        monkeypatch.setattr(module, "localisation_of", measured_of)
    page = opened()
    offered = page.selectbox(key="maps_method").options
    assert [each.split(" · ")[:2] for each in offered[:3]] == [
        ["DeepLift", "good"],
        ["HiResCAM", "fair"],
        ["Grad-CAM", "not informative"],
    ]
    assert page.selectbox(key="maps_method").value == "deeplift", "the most reliable one of those that are quick"


def test_nothing_is_framed_where_nothing_matters_and_three_cutouts_lie_side_by_side(maps, monkeypatch):
    page = opened()
    height, width = maps(page).photo.decoded().pixels.shape[:2]  # small enough to be on the screen as it is
    noise = np.random.default_rng(0).normal(size=(height, width)).astype(np.float32)
    three = np.zeros((height, width), dtype=np.float32)
    for left in (10, width // 2, width - 60):
        three[20:60, left : left + 40] = -1
    for values, figures in ((noise, 0), (three, 3)):
        maps(page).checks.clear()
        monkeypatch.setattr(photo_maps.PhotoMaps, "on_screen", lambda self, result, values=values: values)
        page.run()
        bodies = "".join(element.proto.body for element in page.get("html"))
        assert bodies.count("<img") == figures
    assert bodies.count('<div class="map-cutouts">') == 1
    assert any(button.label == "Distort this photo" for button in page.button)


def test_beside_other_maps_the_words_on_places_name_the_map_that_they_are_about(maps, monkeypatch):
    page = opened()
    height, width = maps(page).photo.decoded().pixels.shape[:2]
    noise = np.random.default_rng(0).normal(size=(height, width)).astype(np.float32)
    monkeypatch.setattr(photo_maps.PhotoMaps, "on_screen", lambda self, result: noise)
    maps(page).checks.clear()
    assert re.search(r"^No single place \w+ much, so nothing is framed", texts(page.run()), re.MULTILINE)
    first = page.selectbox(key="maps_method").value
    other = next(key for key in pace.quick() if key != first)
    page.multiselect(key="maps_compared").set_value([other]).run()
    assert f"By {METHODS[first].title}, no single place" in texts(page)


def test_the_number_of_a_region_has_a_colour_of_its_own_on_its_dark_label():
    page = opened()
    style = next(element.proto.body for element in page.get("html") if "--map-opacity:" in element.proto.body)
    assert f"--on-label: {LIGHT};" in style
    assert ".annotation text { fill: var(--on-label) !important;" in style


def test_titles_of_compared_maps_stand_above_their_panels_in_their_places():
    panels = [charts.Panel(title, [b""], (300, 200)) for title in ("a", "b", "c", "d")]
    figure = charts.panels(panels)
    titles = figure.layout.annotations[:4]
    assert [(title.xref, title.yref) for title in titles] == [
        (f"x{axis} domain", f"y{axis} domain") for axis in ("", "2", "3", "4")
    ]
    assert {(title.x, title.y, title.yanchor) for title in titles} == {(0, 1, "bottom")}
    assert figure.layout.yaxis.domain[0] - figure.layout.yaxis3.domain[1] == pytest.approx(0.1)
    assert figure.layout.margin.t >= charts.TITLE_HEIGHT


@pytest.mark.parametrize("mode", ["signed", "magnitude"])
def test_the_legend_shows_the_colours_over_dark_and_over_bright_parts_as_the_photo_does(mode):
    for grey in (view.DARK_GREY, view.BRIGHT_GREY):
        pixels = np.full((1, 17, 3), grey, dtype=np.uint8)
        values = np.linspace(-1 if mode == "signed" else 0, 1, 17)[None]
        expected = overlay(pixels, values, opacity=0.7, mode=mode, clip=100)[0].astype(int)
        colours = re.findall(r"rgb\((\d+), (\d+), (\d+)\)", view._scale(mode, 0.7, grey))
        assert np.abs(np.array(colours, dtype=int) - expected).max() <= 4


@pytest.mark.parametrize("verdict", [True, False, None])
def test_a_map_at_chance_is_labelled_not_informative_and_no_other(monkeypatch, verdict):
    monkeypatch.setattr(evidence, "informative", lambda model, method: verdict)
    page = opened()
    assert ("not informative for this model" in "".join(each.value for each in page.warning)) == (verdict is False)


def test_without_measurements_the_page_says_that_nobody_knows(monkeypatch):
    monkeypatch.setattr(evidence, "localisation_of", lambda model, method: None)
    assert "Reliability: not measured for this model" in texts(opened())


@pytest.mark.parametrize("title", examples.EXAMPLES)
def test_examples_are_made_of_samples_and_say_so(title):
    example = examples.EXAMPLES[title]
    damaged = np.asarray(previews.opened(examples.content(title))).astype(float)
    sample = np.asarray(previews.opened(samples.content(example.sample))).astype(float)
    assert damaged.shape == sample.shape
    assert example.origin.startswith(f"Made from sample {example.sample} by ")
    change = damaged.mean() - sample.mean()
    assert {"Overexposure": change > 30, "Underexposure": change < -30}.get(title, abs(change) < 5)


def test_an_example_is_explained_with_its_origin(maps):
    page = opened()
    page.segmented_control(key="maps_source").set_value("examples").run()
    page.selectbox(key="maps_example").set_value("Noise").run()
    assert maps(page).photo.name == "Noise"
    assert "not an authentic photo" in texts(page)


def test_downloads_are_at_the_photos_own_size_whatever_the_screen_shows(tiny_default):  # noqa: F811
    content = jpeg(np.ascontiguousarray(data.chelsea().repeat(5, 0).repeat(5, 1)))
    photo = MapPhoto("key", "big.jpg", "", lambda: content)
    found = photo_maps.PhotoMaps(photo, Assessor.load())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "_pace", dict)
        patch.setattr(pace, "_noted", dict)
        patch.setattr(MapPhoto, "shown", lambda self: decode(data.chelsea()))
        computing.compute_first(found, "saliency")
        result = found.maps["saliency"]
        assert found.on_screen(result).shape == data.chelsea().shape[:2]
    whole = decode(content).pixels.shape
    picture = Image.open(io.BytesIO(downloads.content(downloads._overlay, photo, result)))
    assert picture.size == (whole[1], whole[0])
    with np.load(io.BytesIO(downloads.content(downloads._numbers, photo, result))) as numbers:
        assert numbers["values"].shape == whole[:2]
        np.testing.assert_array_equal(numbers["model_map"], result.model_map)
        assert json.loads(str(numbers["metadata"]))["method"] == "saliency"
